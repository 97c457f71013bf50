from __future__ import annotations

import pytest
from hypothesis import settings
from jaxtyping import install_import_hook

# Time is measured in benchmarks; a busy machine must not turn a law red.
settings.register_profile("laws", deadline=None, max_examples=60, derandomize=True)

settings.load_profile("laws")

# Array shapes in signatures are checked while the tests run.
install_import_hook(
    [
        "trendscope.vision.segmentation",
        "trendscope.vision.images",
        "trendscope.vision.near_duplicates",
        "training.evaluation.metrics",
    ],
    "beartype.beartype",
)

from tests.factories import databases  # noqa: E402
from tests.factories.photos import (  # noqa: E402, F401
    fake_command,
    gold,
    photos,
    profile,
    wardrobe,
)
from tests.factories.stored import closet, opened  # noqa: E402, F401


@pytest.fixture(scope="session")
def postgres():
    """The address of a PostgreSQL server that lives as long as the tests."""
    pytest.importorskip("psycopg")
    if databases.binaries() is None:
        pytest.skip("no PostgreSQL server is installed (Debian: postgresql)")
    with databases.server() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def db(request, tmp_path):
    """A database that is not there yet, or is empty: a file, and one on a server."""
    if request.param == "sqlite":
        (tmp_path / "store").mkdir()
        return str(tmp_path / "store" / "trendscope.db")
    return databases.new_database(request.getfixturevalue("postgres"))
