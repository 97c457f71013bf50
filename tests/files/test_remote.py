"""Feeds in an S3 store, one of moto's on loopback: the same rows as the feed on disk."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.factories import databases
from tests.factories.classifier import FakeClassifier
from tests.factories.object_store import CREDENTIALS
from tests.factories.photos import painted
from trendscope import store
from trendscope.errors import FeedError, ImageError
from trendscope.feeds.dispatch import open_feed
from trendscope.feeds.post import Post
from trendscope.files.remote import RemoteTree, find
from trendscope.ingest.photos import scan
from trendscope.limits import Limits
from trendscope.photos.cluster import Cluster
from trendscope.photos.run import profile
from trendscope.skipped import Skipped
from trendscope.store.write_photos import ScanCounts

HOME = Path(__file__).parents[2]
SAMPLES = HOME / "sample_feeds"


@pytest.fixture
def client(s3):
    import boto3

    return boto3.client("s3", endpoint_url=s3)


@pytest.fixture
def upload(client, request):
    """Puts a folder into a new bucket; gives its URL."""
    bucket = f"bucket-{abs(hash(request.node.nodeid))}"
    client.create_bucket(Bucket=bucket)

    def put(folder, prefix="feeds"):
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                key = f"{prefix}/{path.relative_to(folder)}"
                client.put_object(Bucket=bucket, Key=key, Body=path.read_bytes())
        return f"s3://{bucket}/{prefix}"

    return put


def run(feed, db, **options):
    return scan([feed], db, **{"weights": FakeClassifier(), **options})


def rows(db, root):
    """Every table without digests of places and versions of files; the feed's root as a dot."""
    tables = databases.content(db)
    plain = {}
    for name, table in tables.items():
        dropped = {"photos": 2, "skips": 1}.get(name)
        plain[name] = sorted(
            [
                tuple(
                    value.replace(root, ".") if isinstance(value, str) else value
                    for place, value in enumerate(row)
                    if place != dropped
                )[: -3 if name in ("photos", "skips") else None]
                for row in table
            ],
            key=repr,
        )
    return plain


# --- the same rows -------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ["local", "ray"])
def test_a_feed_in_s3_gives_the_rows_of_the_feed_on_disk(upload, tmp_path, engine):
    url = upload(SAMPLES, SAMPLES.name)
    cluster = None
    if engine == "ray":
        pytest.importorskip("ray")
        cluster = Cluster("local", workers=1)
    here, there = tmp_path / "here.db", tmp_path / "there.db"
    on_disk = run(SAMPLES, here)
    in_s3 = run(url, there, cluster=cluster)
    assert on_disk.tally == in_s3.tally and on_disk.tally.judged > 40
    assert on_disk.skipped == in_s3.skipped
    assert rows(there, url) == rows(here, str(SAMPLES))
    sources = store.sightings(there)["source"]
    assert sources.str.startswith(f"{url}/").all()


def test_unchanged_objects_are_not_read_again(upload, client, photos, tmp_path, monkeypatch):
    with zipfile.ZipFile(photos / "cleo.zip", "w") as archive:
        archive.writestr("a.png", painted("Sandal"))
    url, db = upload(photos), tmp_path / "t.db"
    assert run(url, db).tally == ScanCounts(judged=5, skipped=1)
    before = databases.content(db)
    with monkeypatch.context() as patch:
        patch.setattr("trendscope.files.remote.read_object", None)
        patch.setattr("trendscope.files.zips.ZipTree.read", None)
        assert run(f"{url}/", db).tally == ScanCounts(unchanged=5, skipped=1)
    assert databases.content(db) == before
    bucket, key = url.removeprefix("s3://").split("/")[0], "feeds/ben/coat.png"
    client.put_object(Bucket=bucket, Key=key, Body=painted("Sneaker"))
    assert run(url, db).tally == ScanCounts(judged=1, unchanged=4, skipped=1)
    assert store.sightings(db, "ben")["category"].tolist() == ["Sneaker"]


def test_one_object_may_be_given_by_itself(upload, photos):
    table = "customer,taken_at,image\nzoe,2026-03-02,anna/bag.png\n"
    (photos / "list.csv").write_text(table)
    with zipfile.ZipFile(photos / "cleo.zip", "w") as archive:
        archive.writestr("a.png", painted("Sandal"))
    url = upload(photos)
    (photo,) = open_feed([f"{url}/ben/coat.png"])
    assert (photo.customer, photo.source) == ("ben", f"{url}/ben/coat.png")
    assert photo.read() == (photos / "ben" / "coat.png").read_bytes()
    (member,) = open_feed([f"{url}/cleo.zip"])
    assert (member.customer, member.source) == ("cleo", f"{url}/cleo.zip/a.png")
    assert member.read() == painted("Sandal")
    (post,) = open_feed([f"{url}/list.csv"])
    assert (post.customer, post.source) == ("zoe", f"{url}/anna/bag.png")


def test_places_and_urls_go_together(upload, photos):
    url = upload(photos / "ben", "coats")
    result = profile([photos / "anna", url], weights=FakeClassifier())
    assert [customer.customer for customer in result.customers] == ["anna", "coats"]


def test_hidden_objects_and_junk_are_skipped_as_on_disk(upload, tmp_path):
    for name in (".trash/a.png", ".trash/b.png", "x/.c.png", "x/._d.png", "__MACOSX/e.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(painted("Bag"))
    (tmp_path / "x" / "Thumbs.db").write_bytes(b"x")
    url = upload(tmp_path)

    def skips(root):
        items = [item for item in open_feed([root]) if isinstance(item, Skipped)]
        return [(item.source.replace(str(root), "."), item.reason) for item in items]

    assert skips(url) == skips(tmp_path) == [("./.trash", "hidden"), ("./x/.c.png", "hidden")]


# --- what can go wrong ---------------------------------------------------------------------------


def test_limits_hold_before_an_object_is_fetched(upload, photos, monkeypatch):
    url = upload(photos / "ben")
    (post,) = open_feed([url], limits=Limits(file_bytes=10))
    monkeypatch.setattr("s3fs.S3FileSystem.cat_file", None)
    with pytest.raises(ImageError, match="the limit is 10"):
        post.read()


def test_an_object_deleted_during_the_run_costs_one_photo(upload, client, photos, tmp_path):
    url = upload(photos)
    posts = {item.source: item for item in open_feed([url]) if isinstance(item, Post)}
    client.delete_object(Bucket=url.split("/")[2], Key="feeds/ben/coat.png")
    with pytest.raises(ImageError, match="no longer there"):
        posts[f"{url}/ben/coat.png"].read()


def test_a_missing_url_creates_no_database(s3, upload, photos, tmp_path):
    url = upload(photos)
    for missing in ("s3://no-such-bucket-at-all/feeds", f"{url}/nowhere"):
        with pytest.raises(FeedError, match=rf"^{missing} does not exist; check the bucket"):
            run(missing, tmp_path / "t.db")
    assert not (tmp_path / "t.db").exists()


def test_a_password_in_a_url_is_refused():
    with pytest.raises(FeedError, match="a password in a URL would be kept") as error:
        find("ftp://ann:secret@server/feeds")
    assert "secret" not in str(error.value)


def test_a_url_of_an_unknown_protocol_is_refused():
    with pytest.raises(FeedError, match=r"is no URL that is understood; see s3://bucket/feeds"):
        find("nonsense://server/feeds")


def test_a_missing_library_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "fsspec.core", None)
    with pytest.raises(FeedError, match=r"pip install 'trendscope\[remote\]'"):
        find("s3://bucket/feeds")


def command(url, **environment):
    words = [sys.executable, "-m", "tests.factories.classifier", "classify", url]
    environ = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    files = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    return subprocess.run(
        words, cwd=HOME, env=environ | files | environment, capture_output=True, text=True
    )


def test_missing_credentials_are_an_error_with_advice(s3, upload, photos):
    url = upload(photos)
    done = command(url, AWS_ENDPOINT_URL=s3, AWS_EC2_METADATA_DISABLED="true")
    assert done.returncode == 1
    assert f"trendscope: {url} needs credentials: set AWS_ACCESS_KEY_ID" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unreachable_server_is_an_error_with_advice():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and not listening
        done = command(
            "s3://bucket/feeds",
            **CREDENTIALS,
            AWS_ENDPOINT_URL=f"http://127.0.0.1:{taken.getsockname()[1]}",
        )
    assert done.returncode == 1
    assert "s3://bucket/feeds cannot be reached; check the network" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_store_that_fails_during_the_run_ends_it_and_keeps_the_results(
    s3, photos, tmp_path, monkeypatch
):
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    address = "http://{}:{}".format(*server.get_host_and_port())
    client = boto3.client("s3", endpoint_url=address)
    client.create_bucket(Bucket="short-lived")
    for path in sorted(photos.rglob("*.*")):
        key = str(path.relative_to(photos))
        client.put_object(Bucket="short-lived", Key=key, Body=path.read_bytes())
    real, read = RemoteTree.read, []

    def reads(self, name, limit):
        read.append(name)
        if len(read) == 5:
            server.stop()
        return real(self, name, limit)

    monkeypatch.setenv("AWS_ENDPOINT_URL", address)
    monkeypatch.setattr(RemoteTree, "read", reads)
    for name, value in (("THREADS", 1), ("BATCH", 1)):
        monkeypatch.setattr(f"trendscope.photos.pipeline.{name}", value)
    import s3fs

    s3fs.S3FileSystem.clear_instance_cache()  # one for the other server may be in the cache
    with pytest.raises(FeedError, match=r"ben/coat\.png cannot be reached; check the network"):
        run("s3://short-lived", tmp_path / "t.db", batch=1)
    s3fs.S3FileSystem.clear_instance_cache()
    status = store.status(tmp_path / "t.db")
    assert 0 < status.photos < 4 and status.skipped in ({}, {"decoder_error": 1})
