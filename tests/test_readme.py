"""The README's commands run, and its figures are those of the shipped weights."""

from __future__ import annotations

import os
import re
import runpy
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from trendscope.cli import app
from trendscope.reports.trends import CSV_COLUMNS
from trendscope.trends.verdicts import FALLING, RISING, STEADY, TOO_FEW, WATCH
from trendscope.vision.serialisation import read_weights
from trendscope.vision.weights import SHIPPED, read_header

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CARD = (SHIPPED / "MODEL_CARD.md").read_text(encoding="utf-8")
COMMANDS = [
    line
    for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    for line in block.splitlines()
    if line
]
EXPECTED = {
    "profile sample_feeds/anna": "anna: 12 photos",
    "profile sample_feeds/instagram-ben.w-2026-11-16-Ab3dEf9H.zip --html ben.html": "ben.w: 12",
    "classify sample_feeds/anna/IMG_20260824_093000.jpg --show": "T-shirt/top",
    "profile sample_feeds --html everyone.html": "anna: 12 photos",
    "trends sample_feeds --html trends.html": "What customers wear, week 20",
    "profile sample_feeds --csv -o profiles.csv": '"anna","T-shirt/top",3,',
    "profile sample_feeds --json -o profiles.json": '"customer": "anna"',
    "trends sample_feeds --csv -o trends.csv": ",T-shirt/top,",
    "scan sample_feeds --db fashion.db": "43 photos: 43 looked at.",
    "status --db fashion.db": "43 photos of 11 customers",
    "profile sample_feeds/anna --db fashion.db": "anna: 12 photos",
    "trends --db fashion.db --markdown -o trends.md": "| T-shirt/top |",
    "report --db fashion.db -o report.html": "T-shirt/top",
    "export --db fashion.db tables": "sightings.csv: 43 rows",
    "correct sample_feeds/truth.csv --db fashion.db": "41 photos labelled by a person; 41 new.",
    "catalog import sample_feeds/shop/products.csv --images sample_feeds/shop/pictures"
    " --currency EUR --db fashion.db": "16 items of a file by Shopify (export since 2024): 16 new.",
    "catalog add sample_feeds/shop/pictures/wrap-dress-with-belt.jpg --sku A17"
    ' --title "Emma" --db fashion.db': "A17: Emma",
    "catalog list --review --html review.html --db fashion.db": "SH-12  Canvas tote",
    "catalog show SH-14 --db fashion.db": "SH-14: Linen shirt",
    "recommend --customer anna --html suits.html --db fashion.db": "SH-06  Crew neck T-shirt",
    "recommend --csv -o mail.csv --db fashion.db": '"anna","SH-06","T-shirt/top",1,',
    "recommend --sku SH-06 --db fashion.db": "Whom to write to about SH-06",
    'recommend --category "T-shirt/top" --db fashion.db': "anna",
    "profile sample_feeds/anna --catalog sample_feeds/shop/products.csv"
    " --catalog-images sample_feeds/shop/pictures": "Crew neck T-shirt",
    "forget --customer anna --yes --db fashion.db": "12 photos",
}
"""The README's commands, and what must be in what each prints, or else writes to its ``-o``."""


def test_every_command_of_the_product_has_an_expectation():
    documented = [line for line in COMMANDS if line.startswith("trendscope ")]
    assert documented == [f"trendscope {command}" for command in EXPECTED]


SCAN, IMPORT = (
    next(command for command in EXPECTED if command.startswith(start))
    for start in ("scan ", "catalog import ")
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Where the sample feeds lie, with a database after the README's scan and catalogue import."""
    folder = tmp_path_factory.mktemp("readme")
    (folder / "sample_feeds").symlink_to(ROOT / "sample_feeds")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    for command in (SCAN, IMPORT):
        done = subprocess.run(
            [sys.executable, "-m", "trendscope", *shlex.split(command)],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0 and EXPECTED[command] in done.stdout, done.stderr
    return folder


@pytest.mark.parametrize("command", [c for c in EXPECTED if c not in (SCAN, IMPORT)])
def test_the_command_runs(command, folder, monkeypatch):
    """In this process, which loads the network once for all of them."""
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


def test_the_columns_of_trends_are_described():
    section = README.split("## Weekly trends")[1].split("\n## ")[0]
    assert [name for name in CSV_COLUMNS if f"`{name}`" not in section] == []
    assert [word for word in (RISING, FALLING, STEADY, WATCH, TOO_FEW) if word not in section] == []


@pytest.mark.parametrize("module", ["train", "evaluate", "export", "sweep", "average", "negatives"])
def test_training_help_runs(module, monkeypatch, capsys):
    pytest.importorskip("optax")
    assert any(f"training.{module} --help" in line for line in COMMANDS)
    monkeypatch.setattr(sys, "argv", [module, "--help"])
    monkeypatch.delitem(sys.modules, f"training.{module}", raising=False)  # as in a new process
    with pytest.raises(SystemExit) as stopped:
        runpy.run_module(f"training.{module}", run_name="__main__")
    assert stopped.value.code == 0 and "Example" in capsys.readouterr().out


def test_continuous_integration_runs_the_readmes_test_command():
    (test_command,) = [line for line in COMMANDS if "pytest" in line]
    assert test_command in (ROOT / ".ci" / "run").read_text().splitlines()


def test_readme_quotes_the_figures_on_photos():
    scores, text = read_header(SHIPPED / "photos.safetensors").scores, " ".join(README.split())
    photos, shop, people, none = map(scores.get, ("photos", "catalogue", "outfits", "negatives"))
    for part in (
        f"is right for {100 * photos['right']:.0f} % of {photos['of_the_ten']} phone photos",
        f"for {100 * shop['right']:.0f} % of {shop['of_the_ten']} pictures of a retailer",
        f"names {100 * photos['named']:.0f} %, **{100 * photos['right_of_named']:.0f} % of these",
        f"names {100 * photos['other_garments_named']:.1f} %",
        f"of {none['pictures']} pictures without a garment {100 * none['no_garment_named']:.1f} %",
        f"on {people['photos']} street photos",
        f"it named {people['named_per_photo']:.1f} garments each",
        f"**{100 * people['worn_of_named']:.0f} % of these were worn** in the photo",
        f"of what was worn it found {100 * people['found_of_worn']:.0f} %",
    ):
        assert part in text, part


def test_readme_and_card_quote_the_measured_figures():
    header, _ = read_weights(SHIPPED / "fashion-mnist.safetensors")
    scores = header.scores["fashion-mnist test"]
    assert f"{100 * scores['accuracy']:.2f} % of the 10,000 official test images" in README
    for figure in ("accuracy", "loss", "calibration_error"):
        assert str(scores[figure]) in CARD, figure
