from __future__ import annotations

import io
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from jaxtyping import install_import_hook
from PIL import Image

# Time is measured in benchmarks; a busy machine must not turn a law red.
settings.register_profile("laws", deadline=None, max_examples=60, derandomize=True)
settings.load_profile("laws")

# Array shapes in signatures are checked while the tests run.
install_import_hook(
    ["trendscope.garments", "trendscope.images", "trendscope.likeness", "training.metrics"],
    "beartype.beartype",
)

from tests import databases  # noqa: E402
from tests.wardrobe import (  # noqa: E402, F401
    fake_command,
    gold,
    photos,
    profile,
    wardrobe,
)


def let_everybody_in(folder: Path) -> None:
    """Opens a test's folder to other users: pytest closes its own to them."""
    temporary = Path(tempfile.gettempdir())
    for place in (folder, *folder.parents):
        if temporary in place.parents:
            place.chmod(0o755)


def picture(colour, size=(40, 50), kind="JPEG", **options) -> bytes:
    """A picture file of one colour."""
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, kind, **options)
    return out.getvalue()


RED, GREEN, BLUE, GREY, BLACK = (
    (200, 30, 30),
    (30, 200, 30),
    (30, 30, 200),
    (128, 128, 128),
    (0, 0, 0),
)


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
