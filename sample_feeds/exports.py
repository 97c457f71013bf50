"""A small feed for each reader besides those of make.py: two photos each, half the size."""

from __future__ import annotations

import io
import json
import lzma
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from PIL import Image

HERE = Path(__file__).parent
SIZE = (540, 675)
FOLDERS = ("dora", "emil", "fay", "jo", "studio")
ZIPS = (
    "facebook-cara.m-2026-11-16-Cd5eFg7H.zip",
    "instagram-iris-2026-11-16-Hi8jKl2M.zip",
    "instagram-kim-2026-11-16-No4pQr6S.zip",
    "instagram-kim-2026-11-16-Tu3vWx9Y.zip",
)

Files = dict[str, bytes]
Truth = list[tuple[str, str, str]]
Shoot = Callable[[str], Image.Image]


def make(shoot: Shoot) -> Truth:
    """Makes all of them; `shoot` gives a photo of a category. Returns rows of truth.csv."""
    makers = (facebook, instaloader, gallery_dl, takeout, pages, parts, manifest, tiktok)
    return [row for maker in makers for row in maker(shoot)]


def photo(shoot: Shoot, category: str) -> bytes:
    """A photo of half the usual size, without EXIF."""
    out = io.BytesIO()
    shoot(category).resize(SIZE).save(out, "JPEG", quality=70)
    return out.getvalue()


def stamp(week: int) -> int:
    """Unix seconds of a moment in a week of autumn 2026."""
    return int((datetime(2026, 9, 7, 12, 30, tzinfo=UTC) + timedelta(weeks=week)).timestamp())


def written(value: object) -> bytes:
    """JSON as bytes."""
    return json.dumps(value, indent=1).encode()


def pack(name: str, members: Files) -> None:
    """A zip whose bytes do not depend on the day."""
    path = HERE / name
    path.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, content in sorted(members.items()):
            archive.writestr(zipfile.ZipInfo(member, (2026, 11, 16, 8, 0, 0)), content)


def lay(members: Files) -> None:
    """Files on disk."""
    for name, content in members.items():
        (HERE / name).parent.mkdir(parents=True, exist_ok=True)
        (HERE / name).write_bytes(content)


def facebook(shoot: Shoot) -> Truth:
    """Cara's export: a post, and an album that holds the same photo and one more."""
    home = "your_facebook_activity/posts"
    uris = [f"{home}/media/Mobile_10150001/1015000{i}.jpg" for i in (1, 2)]
    media = [{"uri": uri, "creation_timestamp": stamp(i)} for i, uri in enumerate(uris)]
    post = {"timestamp": stamp(0), "attachments": [{"data": [{"media": media[0]}]}]}
    files = {uri: photo(shoot, c) for uri, c in zip(uris, ("Dress", "Bag"), strict=True)}
    files[f"{home}/your_posts__check_ins__photos_and_videos_1.json"] = written([post])
    files[f"{home}/album/0.json"] = written({"name": "Mobile", "photos": media})
    pack(ZIPS[0], files)
    return [("cara.m", f"{ZIPS[0]}/{uris[0]}", "Dress"), ("cara.m", f"{ZIPS[0]}/{uris[1]}", "Bag")]


def instaloader(shoot: Shoot) -> Truth:
    """Dora's posts as Instaloader saves them: a carousel of two with its sidecar."""
    stem = "dora/2026-09-08_17-05-30_UTC"
    node = {"owner": {"username": "dora"}, "taken_at_timestamp": stamp(0), "shortcode": "DxYz"}
    sidecar = {"node": node, "instaloader": {"version": "4.15.1", "node_type": "Post"}}
    files = {f"{stem}_1.jpg": photo(shoot, "Coat"), f"{stem}_2.jpg": photo(shoot, "Trouser")}
    files[f"{stem}.json.xz"] = lzma.compress(written(sidecar), check=lzma.CHECK_NONE)
    files[f"{stem}.txt"] = b"new coat\n"
    lay(files)
    return [("dora", f"{stem}_1.jpg", "Coat"), ("dora", f"{stem}_2.jpg", "Trouser")]


def gallery_dl(shoot: Shoot) -> Truth:
    """Emil's posts as gallery-dl saves them with --write-metadata."""
    rows = []
    for number, category in enumerate(("Sneaker", "Pullover")):
        name = f"emil/gallery-dl/instagram/emil/{3720000000000000001 + number}.jpg"
        moment = datetime.fromtimestamp(stamp(number), UTC)
        facts = {"category": "instagram", "type": "post", "username": "emil"}
        facts |= {"date": f"{moment:%Y-%m-%d %H:%M:%S}", "media_id": name.split("/")[-1][:-4]}
        lay({name: photo(shoot, category), f"{name}.json": written(facts)})
        rows.append(("emil", name, category))
    return rows


def takeout(shoot: Shoot) -> Truth:
    """Fay's Google Photos in two zips: the sidecar of the second photo is in the first."""
    album = "Takeout/Google Photos/Photos from 2026"
    zips = [f"fay/takeout-20261116T080000Z-00{i}.zip" for i in (1, 2)]
    names = [f"{album}/IMG_4{i}.jpg" for i in (1, 2)]
    facts = [{"photoTakenTime": {"timestamp": str(stamp(i))}} for i in range(2)]
    first = {names[0]: photo(shoot, "Shirt"), f"{names[0]}.json": written(facts[0])}
    first[f"{names[1]}.supplemental-metadata.json"] = written(facts[1])
    pack(zips[0], first)
    pack(zips[1], {names[1]: photo(shoot, "Sandal")})
    return [("fay", f"{zips[0]}/{names[0]}", "Shirt"), ("fay", f"{zips[1]}/{names[1]}", "Sandal")]


def pages(shoot: Shoot) -> Truth:
    """Iris's export that came as web pages."""
    uris = [f"media/posts/202609/1786000000000000{i}.jpg" for i in (1, 2)]
    block = '<div><a href="{0}"><img src="{0}"></a></div><div>Sep {1}, 2026 5:05 pm</div>'
    page = "".join(block.format(uri, day) for uri, day in zip(uris, ("08", "15"), strict=True))
    files = {"your_instagram_activity/media/posts_1.html": page.encode()}
    files |= {uri: photo(shoot, c) for uri, c in zip(uris, ("Dress", "Dress"), strict=True)}
    pack(ZIPS[1], files)
    return [("iris", f"{ZIPS[1]}/{uri}", "Dress") for uri in uris]


def parts(shoot: Shoot) -> Truth:
    """Kim's export in two zips: the index in one, a photo in each."""
    uris = [f"media/posts/202609/1787000000000000{i}.jpg" for i in (1, 2)]
    index = [{"media": [{"uri": u, "creation_timestamp": stamp(i)}]} for i, u in enumerate(uris)]
    files = {uris[0]: photo(shoot, "Ankle boot")}
    files["your_instagram_activity/media/posts_1.json"] = written(index)
    pack(ZIPS[2], files)
    pack(ZIPS[3], {uris[1]: photo(shoot, "T-shirt/top")})
    return [
        ("kim", f"{ZIPS[2]}/{uris[0]}", "Ankle boot"),
        ("kim", f"{ZIPS[3]}/{uris[1]}", "T-shirt/top"),
    ]


def manifest(shoot: Shoot) -> Truth:
    """A studio's table of the photos of two customers."""
    table = "customer,taken_at,image\ngil,2026-09-08T10:00:00Z,1.jpg\nHana B.,2026-09-09,2.jpg\n"
    files = {"studio/1.jpg": photo(shoot, "Bag"), "studio/2.jpg": photo(shoot, "Dress")}
    lay(files | {"studio/manifest.csv": table.encode()})
    return [("gil", "studio/1.jpg", "Bag"), ("Hana B.", "studio/2.jpg", "Dress")]


def tiktok(shoot: Shoot) -> Truth:
    """Jo's export of TikTok: links only."""
    link = {"Date": "2026-09-08 10:00:00", "Link": "https://example.org/1", "Likes": "3"}
    lay({"jo/user_data_tiktok.json": written({"Post": {"Posts": {"VideoList": [link]}}})})
    return []
