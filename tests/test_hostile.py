"""The public corpus of hostile files, where it lies beside the project; else these are skipped."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from tests.factories.classifier import FakeClassifier
from trendscope.errors import ImageError
from trendscope.feeds.dispatch import open_feed
from trendscope.feeds.post import Post
from trendscope.photos.run import classify
from trendscope.skipped import REASONS, Skipped
from trendscope.vision.images import decode

HOME = Path(__file__).parents[1]
PLACES = [folder / "shared" / "hostile" for folder in HOME.parents]  # a worktree lies deeper
CORPUS = next((place for place in PLACES if place.is_dir()), PLACES[0])
pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus is not here")
PICTURES = ("broken", "exif_orientation", "valid_odd", "bombs")
NO_FAULT = {"not_an_image", "unsupported_format", "video", "empty", "nested_archive"}
"""Reasons for leaving something out that is whole, but no photo or not opened."""


def entries(*kinds: str) -> list[dict[str, str]]:
    with (CORPUS / "MANIFEST.csv").open(encoding="utf-8", errors="surrogateescape") as file:
        return [row for row in csv.DictReader(file) if row["kind"] in kinds]


def outcome(path: Path) -> str:
    try:
        decode(path.read_bytes(), max_side=256)
    except ImageError as error:
        assert error.reason in REASONS and str(error)
        assert "cannot identify" not in str(error)
        return "error"
    return "decodes"


@pytest.mark.parametrize("kind", PICTURES)
def test_pictures_decode_or_are_refused_as_they_should(kind):
    wrong = []
    for row in entries(kind):
        actual = outcome(CORPUS / row["path"])
        expected = "decodes" if row["expected"] == "decodes" else "error"
        if row["firm"] == "yes" and actual != expected:
            wrong.append((row["path"], expected, actual))
    assert wrong == []


def judged(path: Path) -> str:
    """The manifest's word for what becomes of an archive."""
    items = classify([path], weights=FakeClassifier()).photos
    reasons = {item.reason for item in items if isinstance(item, Skipped)}
    if any(not isinstance(item, Skipped) for item in items):
        return "decodes"
    return "error" if reasons - NO_FAULT else "skip_not_image"


def test_archives_end_as_they_should():
    wrong = []
    for row in entries("archives", "bombs"):
        if row["firm"] != "yes":
            continue
        actual = judged(CORPUS / row["path"])
        if actual != row["expected"]:
            wrong.append((row["path"], row["expected"], actual))
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


# --- all of it by one command --------------------------------------------------------------------


MEASURED = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:]).returncode
print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)
"""
"""Asked from a small process: a child's peak includes what its parent had when it was started."""


@pytest.fixture(scope="module")
def all_of_it(tmp_path_factory):
    """The whole corpus as one feed: the document, standard error and peak memory."""
    out = tmp_path_factory.mktemp("hostile") / "out.json"
    command = [
        "-m",
        "tests.factories.classifier",
        "classify",
        str(CORPUS),
        "--json",
        "-o",
        str(out),
    ]
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, sys.executable, *command],
        cwd=HOME,
        capture_output=True,
        text=True,
    )
    code, memory = map(int, done.stdout.split())
    assert code == 0, done.stderr
    return json.loads(out.read_text()), done.stderr, memory


def test_the_whole_corpus_needs_little_memory(all_of_it):
    _, _, memory = all_of_it
    assert 3 * memory < 1 << 30  # the largest process of three: the command and two workers


def test_every_file_of_the_corpus_is_a_photo_or_skipped_with_a_reason(all_of_it):
    document, error, _ = all_of_it
    written, skipped = error.splitlines()
    assert written.startswith("Wrote ") and skipped.startswith("trendscope: skipped ")
    by_path = defaultdict(list)
    for photo in document["photos"]:
        assert photo["reason"] is None or photo["reason"] in {*REASONS, "uncertain", "outside"}
        assert photo["verdict"] == "classified" or photo["detail"]
        assert "cannot identify" not in photo["detail"] and "decoder_crash" != photo["reason"]
        by_path[photo["path"]].append(photo)
    for row in entries("names", *PICTURES):
        if row["path"].endswith((".zip", ".ico", ".xlsx", ".tar")) or row["firm"] != "yes":
            continue
        name = str(CORPUS / row["path"])
        shown = name if name.isprintable() else None
        if shown and row["expected"] == "decodes" and "/." not in row["path"]:
            assert [photo["verdict"] == "unreadable" for photo in by_path[shown]] == [False], name


def test_hostile_names_appear_once_each_and_without_control_characters(tmp_path):
    command = [
        sys.executable,
        "-m",
        "tests.factories.classifier",
        "profile",
        str(CORPUS / "names"),
        "--keep-reposts",
    ]
    files = [path for path in (CORPUS / "names").rglob("*") if path.is_file()]
    for flags in (["-v"], ["--json"], ["--csv"], ["--html", str(tmp_path / "page.html")]):
        done = subprocess.run([*command, *flags], cwd=HOME, capture_output=True)
        assert done.returncode == 0, done.stderr
        assert b"\x1b" not in done.stdout + done.stderr and b"\0" not in done.stdout
        done.stdout.decode("utf-8")
        if flags == ["--json"]:
            customers = json.loads(done.stdout)
            counted = sum(c["photos"] + len(c["skipped"]) for c in customers["customers"])
            assert counted + len(customers["skipped"]) == len(files)


def test_bombs_need_little_memory():
    code = (
        "import sys; from pathlib import Path; from trendscope.errors import ImageError\n"
        "from trendscope.vision.images import decode\n"
        "for path in map(Path, sys.argv[1:]):\n"
        "    try: decode(path.read_bytes())\n"
        "    except ImageError: pass\n"
    )
    bombs = [str(CORPUS / row["path"]) for row in entries("bombs")]
    limit = 512_000_000
    command = [
        sys.executable,
        "-c",
        f"import resource\nresource.setrlimit(resource.RLIMIT_AS, ({limit}, {limit}))\n" + code,
        *bombs,
    ]
    subprocess.run(command, check=True, cwd=HOME, env={**os.environ, "OPENBLAS_NUM_THREADS": "1"})


def test_hostile_texts_as_index_profile_and_sidecar_cost_no_photo(tmp_path):
    wrong = []
    for number, row in enumerate(entries("json")):
        data = (CORPUS / row["path"]).read_bytes()
        items = list(open_feed([with_text(tmp_path / str(number), data)]))
        reasons = [item.reason for item in items if isinstance(item, Skipped)]
        if row["firm"] == "yes" and row["expected"] != "decodes" and "bad_json" not in reasons:
            wrong.append((row["path"], reasons))
        photos = [i for i in items if isinstance(i, Post) and i.source.endswith(".jpg")]
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
