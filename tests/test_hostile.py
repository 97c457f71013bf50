"""The public corpus of hostile files, where it lies beside the project; else these are skipped."""

from __future__ import annotations

import csv
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from trendscope.errors import ImageError
from trendscope.feeds import REASONS, Post, Skipped, open_feed
from trendscope.images import decode

CORPUS = Path(__file__).parents[2] / "shared" / "hostile"
pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus is not here")
PICTURES = ("broken", "exif_orientation", "valid_odd", "bombs")


def entries(*kinds: str) -> list[dict[str, str]]:
    with (CORPUS / "MANIFEST.csv").open(encoding="utf-8", errors="surrogateescape") as file:
        return [row for row in csv.DictReader(file) if row["kind"] in kinds]


def outcome(path: Path) -> str:
    try:
        decode(path.read_bytes(), edge=256)
    except ImageError as error:
        assert error.reason in REASONS and str(error)
        return "error"
    return "decodes"


@pytest.mark.parametrize("kind", PICTURES)
def test_pictures_decode_or_are_refused_as_they_should(kind):
    wrong = []
    for row in entries(kind):
        found = outcome(CORPUS / row["path"])
        expected = "decodes" if row["expected"] == "decodes" else "error"
        if row["firm"] == "yes" and found != expected:
            wrong.append((row["path"], expected, found))
    assert wrong == []


def test_archives_never_stop_a_feed():
    for row in entries("archives", "bombs"):
        for item in open_feed([CORPUS / row["path"]]):
            if isinstance(item, Skipped):
                assert item.reason in REASONS, row["path"]
            else:
                read_or_refuse(item)


def read_or_refuse(post: Post) -> None:
    try:
        post.read()
    except ImageError as error:
        assert error.reason in REASONS


def test_bombs_need_little_memory():
    code = (
        "import sys; from pathlib import Path; from trendscope.errors import ImageError\n"
        "from trendscope.images import decode\n"
        "for path in map(Path, sys.argv[1:]):\n"
        "    try: decode(path.read_bytes())\n"
        "    except ImageError: pass\n"
    )
    bombs = [str(CORPUS / row["path"]) for row in entries("bombs")]
    limit = 2_000_000_000
    subprocess.run(
        [sys.executable, "-c", code, *bombs],
        check=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
    )


def test_texts_are_survived_as_index_profile_and_sidecar(tmp_path):
    wrong = []
    for number, row in enumerate(entries("json")):
        data = (CORPUS / row["path"]).read_bytes()
        found = list(open_feed([with_text(tmp_path / str(number), data)]))
        reasons = [item.reason for item in found if isinstance(item, Skipped)]
        if row["firm"] == "yes" and row["expected"] != "decodes" and "bad_json" not in reasons:
            wrong.append((row["path"], reasons))
        photos = [i for i in found if isinstance(i, Post) and i.source.endswith(".jpg")]
        assert [photo.read() for photo in photos] == [b"1"] * 4, row["path"]
    assert wrong == []


def with_text(root: Path, data: bytes) -> Path:
    """Feeds of four readers, with the text wherever a reader looks for one."""
    stem = "ann/2026-09-15_10-30-45_UTC"
    index, profile = "export/content/posts_1.json", "export/personal_information/profile.json"
    files = dict.fromkeys((index, profile, f"{stem}.json", f"{stem}.json.xz"), data)
    files |= {"ben/1.jpg.json": data, "Takeout/Google Photos/Photos from 2026/1.jpg.json": data}
    photos = ("export/media/posts/202609/1.jpg", f"{stem}.jpg", "ben/1.jpg", "Takeout/x/1.jpg")
    for name, content in (files | dict.fromkeys(photos, b"1")).items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root
