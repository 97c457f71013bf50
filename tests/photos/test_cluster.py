"""Scans by Ray's workers: the same rows as without them, whatever happens to a worker."""

from __future__ import annotations

import os
import pickle
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.factories.classifier import FakeClassifier
from tests.factories.databases import content
from tests.factories.photos import painted
from tests.test_readme import EXPECTED, SCAN, SCAN_BY_RAY
from trendscope import store
from trendscope.categories import CATEGORIES
from trendscope.cli import app
from trendscope.errors import ImageError, TrendscopeError, UsageError
from trendscope.feeds.dispatch import open_feed
from trendscope.feeds.post import Post
from trendscope.ingest.photos import scan
from trendscope.limits import Limits
from trendscope.photos import cluster
from trendscope.photos.cluster import Cluster, Job, Worker, distribute, job_of
from trendscope.photos.options import ScanOptions
from trendscope.store.write_photos import ScanCounts

HOME = Path(__file__).parents[2]
ONE, TWO = Cluster(workers=1), Cluster(workers=2)


@pytest.fixture(scope="module")
def ray():
    """A Ray of our own on this computer, which all tests share: it takes long to start."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    ray = pytest.importorskip("ray")
    ray.init("local", num_cpus=2, include_dashboard=False, log_to_driver=False)
    yield ray
    ray.shutdown()


@pytest.fixture(scope="module")
def feeds(tmp_path_factory):
    """Photos in folders and zips, some broken or twice; more than one batch."""
    root = tmp_path_factory.mktemp("feeds")
    kinds = [*CATEGORIES, "black", "white"]
    for i in range(150):
        path = root / f"customer{i % 5}" / f"IMG_202603{1 + i % 28:02}_{i:03}.png"
        path.parent.mkdir(exist_ok=True)
        data = painted(kinds[i % 12], (20 + i % 40, 20 + i % 30))
        path.write_bytes(data[:40] if i % 30 == 7 else data)
    with zipfile.ZipFile(root / "cleo.zip", "w") as archive:
        for i in range(20):
            archive.writestr(f"{i}.png", painted(kinds[i % 12], (70, 40 + i)))
        archive.writestr("broken.png", b"\x89PNG\r\n\x1a\n")
    return root


def run(feed, db, **options):
    return scan([feed], db, **{"weights": FakeClassifier(), **options})


@pytest.fixture(scope="module")
def expected(feeds, tmp_path_factory):
    """What a scan without Ray keeps."""
    path = tmp_path_factory.mktemp("local") / "t.db"
    run(feeds, path)
    return content(path)


# --- the same rows -------------------------------------------------------------------------------


@pytest.mark.parametrize(("batch", "order"), [(64, 1), (7, -1)])
def test_scan_with_ray_writes_the_same_rows(
    ray, feeds, expected, tmp_path, monkeypatch, batch, order
):
    monkeypatch.setattr(cluster, "BATCH", batch)
    folders = sorted(feeds.iterdir())[::order]
    result = scan(folders, tmp_path / "t.db", weights=FakeClassifier(), cluster=TWO, batch=batch)
    assert result.tally == ScanCounts(judged=165, skipped=6)
    assert content(tmp_path / "t.db") == expected


def test_the_documented_command_has_the_network_look_at_the_sample_feeds(
    ray, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sample_feeds").symlink_to(HOME / "sample_feeds")
    done = CliRunner().invoke(app, shlex.split(SCAN_BY_RAY))
    assert done.exit_code == 0, done.stderr
    assert EXPECTED[SCAN] in done.stdout


def test_photos_in_the_store_are_not_judged_again(ray, feeds, tmp_path, monkeypatch):
    moved, db = tmp_path / "feeds", tmp_path / "t.db"
    shutil.copytree(feeds, moved)
    run(moved, db, cluster=ONE)
    before = content(db)
    monkeypatch.setattr(cluster, "_ray", None)  # nothing new: Ray is not even started
    assert run(moved, db, cluster=ONE).tally == ScanCounts(unchanged=165, skipped=6)
    assert content(db) == before
    monkeypatch.undo()
    shutil.move(moved / "customer1", moved / "customer9")
    (moved / "customer9" / "new.png").write_bytes(painted("Dress", (99, 99)))
    assert run(moved, db, cluster=ONE).tally == ScanCounts(1, 30, 135, 6)


def test_scan_with_ray_loses_no_row_when_a_worker_is_killed(
    ray, feeds, expected, tmp_path, monkeypatch
):
    monkeypatch.setattr(cluster, "BATCH", 8)
    killed = []

    class Slow(FakeClassifier):
        """Leaves a file named by each worker's process id."""

        def __init__(self, folder):
            super().__init__()
            self.folder = folder

        def predict(self, crops):
            (self.folder / str(os.getpid())).touch()
            time.sleep(0.2)
            return super().predict(crops)

    def kill():
        while not list(tmp_path.glob("[0-9]*")):
            time.sleep(0.05)
        killed.append(int(min(tmp_path.glob("[0-9]*")).name))
        os.kill(killed[0], signal.SIGKILL)

    thread = threading.Thread(target=kill)
    thread.start()
    run(feeds, tmp_path / "t.db", weights=Slow(tmp_path), cluster=TWO)
    thread.join()
    workers = {int(path.name) for path in tmp_path.glob("[0-9]*")}
    assert killed[0] != os.getpid() and os.getpid() not in workers
    assert len(workers) == 3  # two, and the one that took the killed one's place
    assert content(tmp_path / "t.db") == expected


def test_ray_hands_back_each_key_with_the_result_of_its_own_post(ray, feeds, monkeypatch):
    monkeypatch.setattr(cluster, "BATCH", 4)
    feed = [(number, item) for number, item in enumerate(open_feed([feeds]))]
    job = job_of([feeds], ScanOptions(FakeClassifier()))
    results = list(distribute(feed, job, TWO))
    assert [key for key, _ in results] == [key for key, _ in feed]
    assert [result.source for _, result in results] == [item.source for _, item in feed]


class Forgetful(FakeClassifier):
    """Answers for one photo less than it is asked about."""

    def predict(self, crops):
        return super().predict(crops)[:-1]


def test_missing_results_of_an_engine_are_an_error(photos, tmp_path):
    with pytest.raises(ValueError, match="zip"):
        run(photos, tmp_path / "t.db", weights=Forgetful())
    assert store.status(tmp_path / "t.db").photos == 0


# --- what can go wrong ---------------------------------------------------------------------------


def test_more_workers_than_cpus_are_refused(ray, photos, tmp_path):
    with pytest.raises(UsageError, match=r"--workers 9: Ray has 2 CPUs in all"):
        run(photos, tmp_path / "t.db", cluster=Cluster(workers=9))


class Broken(FakeClassifier):
    def predict(self, crops):
        raise TrendscopeError("the network is out of order; wait")


def test_an_error_of_a_worker_is_raised_unchanged(ray, photos, tmp_path):
    with pytest.raises(TrendscopeError, match=r"^the network is out of order; wait$"):
        run(photos, tmp_path / "t.db", weights=Broken(), cluster=ONE)
    assert store.status(tmp_path / "t.db").photos == 0


class Deadly(FakeClassifier):
    def predict(self, crops):
        os.kill(os.getpid(), signal.SIGKILL)


def test_photos_that_always_kill_their_worker_end_the_run(ray, photos, tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "TRIES", 1)
    with pytest.raises(TrendscopeError, match=r"lost a worker 2 times over the same photos"):
        run(photos, tmp_path / "t.db", weights=Deadly(), cluster=ONE)


def test_workers_refuse_other_versions_weights_and_missing_paths(tmp_path):
    def check(job, release, weights=None):
        Worker(job, 0.0).check(release, weights)

    with pytest.raises(TrendscopeError, match=r"has trendscope .*, not 0\.0\.1; install the same"):
        check(Job(), "0.0.1")
    ours = cluster.version("trendscope")
    with pytest.raises(TrendscopeError, match="has other weights of that name"):
        check(Job(ScanOptions("photos")), ours, "0" * 64)
    with pytest.raises(TrendscopeError, match=r"does not see /nowhere/at/all; put the photos"):
        check(Job(places=("/nowhere/at/all",)), ours)


def test_the_job_names_only_paths_on_disk(tmp_path):
    weights = tmp_path / "own.safetensors"
    weights.touch()
    job = job_of([tmp_path, "s3://bucket/feed"], ScanOptions(weights))
    assert job.places == (str(tmp_path), str(weights))
    assert job_of(["s3://bucket/feed"], ScanOptions("photos")).places == ()


def test_without_ray_the_error_names_what_to_install(photos, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UsageError, match=r"pip install 'trendscope\[ray\]'"):
        run(photos, tmp_path / "t.db", cluster=TWO)


def test_failed_start_of_ray_is_an_error_of_one_line(photos, tmp_path, monkeypatch):
    ray = pytest.importorskip("ray")

    def init(*_, **__):
        raise Exception("The current node timed out during startup.")  # as ray.init does

    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "init", init)
    monkeypatch.setattr(ray, "shutdown", lambda: None)
    with pytest.raises(TrendscopeError, match=r"cannot be used at local .*without --engine ray"):
        run(photos, tmp_path / "t.db", cluster=Cluster("local", 2))
    with pytest.raises(TrendscopeError, match=r"cannot be used at host:1 .*check --ray-address"):
        run(photos, tmp_path / "t.db", cluster=Cluster("host:1", 2))


# --- posts on their way --------------------------------------------------------------------------


def test_pickled_posts_do_not_hold_their_feed(feeds, monkeypatch, tmp_path):
    posts = [item for item in open_feed([feeds]) if isinstance(item, Post)]
    for post in posts:
        sent = pickle.dumps(post)
        assert len(sent) < 1500
        assert pickle.loads(sent).read() == post.read()


def test_a_zip_that_changes_or_goes_away_is_an_error_of_the_photo(tmp_path):
    path = tmp_path / "z.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.png", painted("Bag"))
        archive.writestr("b.png", painted("Bag"))
    first, second = (pickle.dumps(post) for post in open_feed([path]))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("b.png", painted("Bag"))
    with pytest.raises(ImageError, match="the zip was changed while it was read"):
        pickle.loads(first).read()
    path.unlink()
    with pytest.raises(ImageError, match="cannot be opened as a zip"):
        from trendscope.files import zips

        zips._tree.cache_clear()
        pickle.loads(second).read()


def test_workers_apply_the_limits_of_the_job(tmp_path):
    (tmp_path / "a.png").write_bytes(painted("Bag"))
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        archive.writestr("a.png", painted("Bag"))
    for path in (tmp_path / "a.png", tmp_path / "z.zip"):
        (post,) = open_feed([path], limits=Limits(file_bytes=10))
        with pytest.raises(ImageError, match="10"):
            pickle.loads(pickle.dumps(post)).read()


# --- the command ---------------------------------------------------------------------------------


def command(*words, **options):
    words = [sys.executable, "-m", "tests.factories.classifier", "scan", *map(str, words)]
    return subprocess.run(words, cwd=HOME, capture_output=True, text=True, **options)


def test_options_of_ray_need_its_engine(photos, tmp_path):
    done = command(photos, "--db", tmp_path / "t.db", "--workers", "2")
    assert done.returncode == 2 and "need --engine ray" in done.stderr
    assert not (tmp_path / "t.db").exists()
