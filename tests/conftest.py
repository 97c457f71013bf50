from __future__ import annotations

import gc
import os
import sys
from pathlib import Path

import pytest
from hypothesis import settings
from jaxtyping import install_import_hook

from tests.factories import typechecker

# Time is measured in benchmarks; a busy machine must not turn a law red.
settings.register_profile("laws", deadline=None, max_examples=60, derandomize=True)

settings.load_profile("laws")

# Hundreds of processes start here: byte-code is compiled once, not by each of them.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

ROOT = Path(__file__).parents[1]
WITH_SHAPES = [
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for package in ("trendscope", "training")
    for path in sorted((ROOT / package).rglob("*.py"))
    if "from jaxtyping import" in path.read_text(encoding="utf-8")
]
# Shapes and dtypes in signatures are checked while the tests run, wherever there are any.
install_import_hook(WITH_SHAPES, f"{typechecker.__name__}.check")

from tests.factories import databases  # noqa: E402
from tests.factories.browser import browser  # noqa: E402, F401
from tests.factories.compiling import quickly_compiled  # noqa: E402, F401
from tests.factories.object_store import s3  # noqa: E402, F401
from tests.factories.photos import (  # noqa: E402, F401
    fake_command,
    gold,
    photos,
    profile,
    wardrobe,
)
from tests.factories.stored import closet, opened  # noqa: E402, F401
from trendscope.limits import Limits  # noqa: E402
from trendscope.store.database import open_store  # noqa: E402
from trendscope.vision.sandbox import Decoder  # noqa: E402


class SharedDecoder(Decoder):
    """The real sandbox, left open: starting it takes longer than what most tests decode."""

    def start(self) -> None:
        """Nothing: the first photo starts the first process, if there is none yet."""

    def close(self) -> None:
        """Nothing: the next test goes on with the same processes."""


@pytest.fixture(scope="session")
def decoders():
    """Decoders by limits and number of processes, for all tests that run in this process."""
    by_limits: dict[object, SharedDecoder] = {}

    def shared(limits: Limits | None = None, *, workers: int = 2) -> SharedDecoder:
        key = (limits, workers)
        return by_limits.setdefault(key, SharedDecoder(limits, workers=workers))

    yield shared
    for decoder in by_limits.values():
        Decoder.close(decoder)


@pytest.fixture(autouse=True)
def shared_decoders(monkeypatch, decoders):
    """Scans in this process share their decoders; those of commands are their own."""
    monkeypatch.setattr("trendscope.photos.pipeline.Decoder", decoders)


@pytest.fixture(scope="session", autouse=True)
def statements_compiled_once():
    """A database of this process compiles no statement that another one has compiled."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("trendscope.store.database.create_engine", databases.create_engine)
        yield


def pytest_xdist_auto_num_workers():
    """One more than processors: some tests wait for Ray, browsers and servers."""
    if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ:
        return None
    return (os.cpu_count() or 1) + 1


WAITING = ("files/test_remote", "photos/test_cluster", "test_readme", "ingest/test_interruptions")
WAITING += ("test_faults", "web/")
"""Tests that wait for Ray, killed processes, desks and browsers."""


def pytest_collection_modifyitems(items):
    """What waits long begins first: others compute meanwhile, and none is left for the end."""
    starts = [str(ROOT / "tests" / name) for name in WAITING]

    def place(item):
        path = str(item.path)
        return next((n for n, start in enumerate(starts) if path.startswith(start)), len(starts))

    items.sort(key=place)


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """Python need not look through all that the imports leave for ever, now or later."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_runtest_setup(item):
    """Skips what needs the real Fashion-MNIST where it is not at hand; on CI that is a failure."""
    if item.get_closest_marker("training") is None or fashion_mnist_is_here():
        return
    reason = (
        "Fashion-MNIST is not on this machine: apt-get install dataset-fashion-mnist, "
        "or run python -m training.train once, which downloads it"
    )
    if os.environ.get("CI"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def fashion_mnist_is_here() -> bool:
    """True where tfds has prepared the data set, or Debian's package is installed."""
    prepared = Path(os.environ.get("TFDS_DATA_DIR", "~/tensorflow_datasets")).expanduser()
    debian = Path("/usr/share/datasets/fashion-mnist")
    return (prepared / "fashion_mnist").is_dir() or debian.is_dir()


@pytest.fixture(scope="session")
def postgres():
    """The address of a PostgreSQL server that lives as long as the tests."""
    pytest.importorskip("psycopg")
    if databases.binaries() is None:
        pytest.skip("no PostgreSQL server is installed (Debian: postgresql)")
    with databases.server() as url:
        yield url


@pytest.fixture(scope="session")
def prepared(postgres):
    """A database on the server with all tables and no row, to be copied: to make them is slow."""
    url = databases.new_database(postgres)
    with open_store(url, create=True):
        return url


@pytest.fixture(params=["sqlite", "postgresql"])
def db(request, tmp_path):
    """A database without a row: a file that is not there yet, and one on a server."""
    if request.param == "sqlite":
        (tmp_path / "store").mkdir()
        return str(tmp_path / "store" / "trendscope.db")
    maintenance, like = map(request.getfixturevalue, ("postgres", "prepared"))
    return databases.new_database(maintenance, like)
