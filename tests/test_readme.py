"""What README and docs say: commands run, links lead somewhere, figures are those measured."""

from __future__ import annotations

import os
import re
import runpy
import shlex
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path
from urllib.request import urlopen

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from trendscope.cli import app
from trendscope.reports.trends import CSV_COLUMNS
from trendscope.trends.verdicts import FALLING, RISING, STEADY, TOO_FEW, WATCH
from trendscope.vision.photo_detector import PhotoDetector
from trendscope.vision.weights import SHIPPED, read_header

ROOT = Path(__file__).parents[1]
PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
}
README = PAGES["README.md"]
CARD = (SHIPPED / "MODEL_CARD.md").read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    """The blocks of code of a page that are in that language."""
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


COMMANDS = [
    line
    for text in PAGES.values()
    for block in blocks(text, "sh")
    for line in block.splitlines()
    if line
]
EXPECTED = {
    "profile sample_feeds --html profile.html": "anna: 12 photos",
    "profile sample_feeds/anna": "anna: 12 photos",
    "profile sample_feeds/instagram-ben.w-2026-11-16-Ab3dEf9H.zip --html ben.html": "ben.w: 12",
    "classify sample_feeds/anna/IMG_20260824_093000.jpg --show": "T-shirt/top",
    "profile sample_feeds --html everyone.html": "anna: 12 photos",
    "trends sample_feeds --html trends.html": "What customers wear, ",
    "profile sample_feeds --csv -o profiles.csv": '"anna","T-shirt/top",',
    "profile sample_feeds --json -o profiles.json": '"customer": "anna"',
    "trends sample_feeds --csv -o trends.csv": ',"T-shirt/top",',
    "scan sample_feeds --db fashion.db": "55 photos: 55 looked at.",
    "status --db fashion.db": "55 photos of 16 customers",
    "profile sample_feeds/anna --db fashion.db": "anna: 12 photos",
    "customers --db fashion.db": "12 photos  10 Nov 2026",
    "profile --db fashion.db --customer anna": "anna: 12 photos",
    "trends --db fashion.db": "What customers wear, ",
    "trends --db fashion.db --markdown -o trends.md": "| T-shirt/top |",
    "trends --from-csv sample_tables/weekly.csv --html trends.html": "Coat rose from about",
    "trends --from-csv tables/weekly.csv": "What customers wear, ",
    "report --db fashion.db -o report.html": "T-shirt/top",
    "export --db fashion.db tables": "sightings.csv: ",
    "correct sample_feeds/truth.csv --db fashion.db": "53 photos labelled by a person; 53 new.",
    "catalog import sample_feeds/shop/products.csv --images sample_feeds/shop/pictures"
    " --currency EUR --db fashion.db": "16 items of a file by Shopify (export since 2024): 16 new.",
    "catalog add sample_feeds/shop/pictures/wrap-dress-with-belt.jpg --sku A17"
    ' --title "Emma" --db fashion.db': "A17: Emma",
    "catalog list --review --html review.html --db fashion.db": "the picture looks like T-shirt",
    "catalog show SH-14 --db fashion.db": "SH-14: Linen shirt",
    "recommend --customer anna --html suits.html --db fashion.db": "SH-06  Crew neck T-shirt",
    "recommend --csv -o mail.csv --db fashion.db": '"anna","SH-06","T-shirt/top",1,',
    "recommend --sku SH-06 --db fashion.db": "Whom to write to about SH-06",
    'recommend --category "T-shirt/top" --db fashion.db': "anna",
    "profile sample_feeds/anna --catalog sample_feeds/shop/products.csv"
    " --catalog-images sample_feeds/shop/pictures": "Crew neck T-shirt",
    "forget --customer anna --yes --db fashion.db": "12 photos",
}
"""Documented commands, and what must be in what each prints, or else writes to its ``-o``."""

SERVE = "serve --db fashion.db --create"
SCAN_OF_STORE = "scan s3://bucket/feeds --db fashion.db"
SCAN_BY_RAY = "scan sample_feeds --engine ray --db fashion.db"
"""Run in `tests.photos.test_cluster`, where a Ray has been started."""


def test_every_command_of_the_product_has_an_expectation():
    documented = {
        command
        for line in COMMANDS
        for command in re.findall(r"(?:^|\.venv/bin/)trendscope (.+)$", line)
    }
    assert documented == {*EXPECTED, SERVE, SCAN_OF_STORE, SCAN_BY_RAY}


SCAN, IMPORT, EXPORT = (
    next(command for command in EXPECTED if command.startswith(start))
    for start in ("scan ", "catalog import ", "export ")
)


def trendscope(command: str, folder: Path, **environment: str) -> str:
    """What a command prints in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "trendscope", *shlex.split(command)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Where the sample feeds lie, with what the documented scan, import and export write."""
    folder = tmp_path_factory.mktemp("readme")
    for samples in ("sample_feeds", "sample_tables"):
        (folder / samples).symlink_to(ROOT / samples)
    for command in (SCAN, IMPORT, EXPORT):
        assert EXPECTED[command] in trendscope(command, folder)
    return folder


@pytest.fixture(scope="module")
def looks():
    """What the network says of pictures, kept: many commands look at the same ones."""
    return {}


@pytest.mark.parametrize("command", [c for c in EXPECTED if c not in (SCAN, IMPORT, EXPORT)])
def test_the_command_runs(command, folder, looks, monkeypatch):
    """In this process, where the network looks at each picture once for all of them."""
    look = PhotoDetector._looks

    def look_once(self, pixels):
        named = {(rgb.shape, rgb.tobytes()): rgb for rgb in pixels}
        new = [name for name in named if name not in looks]
        looks.update(zip(new, look(self, [named[name] for name in new]), strict=True))
        return [looks[rgb.shape, rgb.tobytes()] for rgb in pixels]

    monkeypatch.setattr(PhotoDetector, "_looks", look_once)
    monkeypatch.chdir(folder)
    words = shlex.split(command)
    database = Path("fashion.db").read_bytes()
    done = CliRunner().invoke(app, words, prog_name="trendscope")
    Path("fashion.db").write_bytes(database)
    assert done.exit_code == 0, done.stderr
    written = [Path(words[words.index(flag) + 1]) for flag in ("-o", "--html") if flag in words]
    assert all(path.stat().st_size > 100 for path in written)
    text = written[0].read_text(encoding="utf-8") if "-o" in words else done.stdout
    assert EXPECTED[command] in text


def test_the_desk_opens(folder):
    pytest.importorskip("uvicorn")
    words = [*shlex.split(SERVE), "--port", "0", "--no-browser"]
    with subprocess.Popen(
        [sys.executable, "-m", "trendscope", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    ) as desk:
        try:
            line = desk.stderr.readline()
            with urlopen(re.search(r"http://\S+/", line)[0]) as page:
                assert page.status == 200 and b"trendscope" in page.read()
        finally:
            desk.terminate()


def test_the_feeds_of_an_object_store_are_scanned(s3, tmp_path):
    import boto3

    client = boto3.client("s3", endpoint_url=s3)
    client.create_bucket(Bucket="bucket")
    for path in (ROOT / "sample_feeds" / "anna").iterdir():
        client.put_object(Bucket="bucket", Key=f"feeds/anna/{path.name}", Body=path.read_bytes())
    assert "12 photos: 12 looked at." in trendscope(SCAN_OF_STORE, tmp_path)


def test_python_runs(folder, monkeypatch):
    monkeypatch.chdir(folder)
    (program,) = (block for text in PAGES.values() for block in blocks(text, "python"))
    exec(compile(program, "docs", "exec"), {})


def test_every_page_is_built_without_a_warning(tmp_path):
    pytest.importorskip("material")
    # Not --quiet, with which no warning is counted.
    words = ["mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")]
    done = subprocess.run(
        [sys.executable, "-m", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "site" / "index.html").read_text(encoding="utf-8")
    assert not re.search(r'(?:src|href)="(?:https?:)?//[^"]*\.(?:css|js|woff2?)"', page)


def test_the_readme_is_short_and_its_links_lead_to_files():
    assert len(README.splitlines()) <= 150
    links = re.findall(r"\]\((?!https?:)([^)#]+)", README)
    assert [link for link in links if not (ROOT / link).is_file()] == []
    assert {page for page in PAGES if page not in links} == {"README.md"}


def sentences(text: str) -> list[str]:
    """The sentences of a page that are no code, with seven words or more."""
    prose = re.sub(r"```.*?```", "\n\n", text, flags=re.DOTALL)
    prose = re.sub(r"^(\||#|- |\s*$)", r". \1", prose, flags=re.MULTILINE)
    parts = (" ".join(part.split()) for part in re.split(r"[.:;?!|](?:\s|$)", prose))
    return [part for part in parts if len(part.split()) >= 7]


def test_no_sentence_stands_twice():
    counted = Counter(sentence for text in PAGES.values() for sentence in sentences(text))
    assert [sentence for sentence, count in counted.items() if count > 1] == []


def test_that_check_can_fail():
    same = "Every row that is not used is\nnamed with its reason. "
    assert sentences(same + "| a | b |\n" + same) == 2 * [
        "Every row that is not used is named with its reason"
    ]


def options_of(command) -> set[str]:
    """The options of a command and of all that it groups."""
    groups = getattr(command, "commands", {}).values()
    own = {name for each in command.params for name in (*each.opts, *each.secondary_opts)}
    return own.union(*map(options_of, groups))


def test_documented_options_exist():
    known = options_of(get_command(app)) | {"--help", "--write-metadata"}  # the last: gallery-dl's
    for page, text in PAGES.items():
        if page != "docs/training.md":
            ours = re.sub(r"^.*(?:pip|-m \S+) .*$", "", text, flags=re.MULTILINE)
            named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", ours))
            assert named - known == set(), page


def test_the_modules_on_the_map_exist():
    named = re.findall(r"`([a-z_]+(?:\.[a-z_]+)+)`", PAGES["docs/architecture.md"])
    files = [(ROOT / "trendscope").joinpath(*name.split(".")) for name in named]
    assert len(files) > 20 and [f for f in files if not f.with_suffix(".py").is_file()] == []


def test_documented_modules_and_extras_exist():
    everything = "\n".join(PAGES.values())
    modules = set(re.findall(r"python -m ([a-z][\w.]*\w)", everything)) - {"venv", "pytest"}
    files = (ROOT.joinpath(*module.split(".")) for module in modules)
    missing = [f for f in files if not f.with_suffix(".py").is_file() and not f.is_dir()]
    assert missing == []
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = {
        e for names in re.findall(r"\[(\w+(?:,\w+)*)\]['\"]", everything) for e in names.split(",")
    }
    assert extras and extras <= {*project["optional-dependencies"]}


def test_the_columns_of_trends_are_described():
    section = PAGES["docs/trends.md"]
    assert [name for name in CSV_COLUMNS if f"`{name}`" not in section] == []
    assert [word for word in (RISING, FALLING, STEADY, WATCH, TOO_FEW) if word not in section] == []


@pytest.mark.parametrize(
    "module",
    ["train", "detect", "adapt", "evaluate", "export", "sweep", "average", "negatives", "figures"],
)
def test_training_help_runs(module, monkeypatch, capsys):
    pytest.importorskip("optax")
    assert any(f"training.{module} --help" in line for line in COMMANDS)
    monkeypatch.setattr(sys, "argv", [module, "--help"])
    monkeypatch.delitem(sys.modules, f"training.{module}", raising=False)  # as in a new process
    # What is run so is compiled with checks of types and shapes, and kept where others look for it.
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    with pytest.raises(SystemExit) as stopped:
        runpy.run_module(f"training.{module}", run_name="__main__")
    assert stopped.value.code == 0 and "Example" in capsys.readouterr().out


def test_continuous_integration_runs_the_readmes_test_command():
    (test_command,) = [line for line in COMMANDS if "pytest" in line]
    assert test_command in (ROOT / ".ci" / "run").read_text().splitlines()


def test_the_figures_of_readme_and_card_are_those_in_the_headers_of_the_shipped_weights():
    figures = pytest.importorskip("training.figures")
    again = "python -m training.figures writes them anew"
    assert f"{figures.START}\n{figures.readme_figures()}{figures.END}" in README, again
    assert f"{figures.START}\n{figures.card_figures()}{figures.END}" in CARD, again


def test_readme_quotes_the_figures_on_photos_and_fashion_mnist():
    text = " ".join(README.split())
    scores = read_header(SHIPPED / "photos.safetensors").scores
    photos, people = scores["photos"], scores["outfits"]
    for part in (
        f"on {photos['photos_of_the_ten']} phone photos",
        f"**{100 * photos['precision']:.0f} % of these rightly**",
        f"right for {100 * photos['accuracy']:.0f} %",
        f"names {people['named_per_photo']:.1f} garments a photo",
        f"**{100 * people['worn_of_named']:.0f} % of these are worn**",
    ):
        assert part in text, part
    published = read_header(SHIPPED / "fashion-mnist.safetensors").scores["fashion-mnist test"]
    assert published["accuracy"] >= 0.945
    assert f"{100 * published['accuracy']:.2f} % of the 10,000 official test images" in text
