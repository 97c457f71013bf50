"""The README's commands run, and its figures are those of the shipped weights."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from trendscope.reports.trends import CSV_COLUMNS
from trendscope.trends.verdicts import FALLING, RISING, STEADY, TOO_FEW, WATCH
from trendscope.vision.serialisation import read_weights
from trendscope.vision.weights import SHIPPED

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CARD = (SHIPPED / "MODEL_CARD.md").read_text(encoding="utf-8")
COMMANDS = [
    line
    for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    for line in block.splitlines()
    if line
]
PRODUCT = [line for line in COMMANDS if line.startswith("trendscope ")]


def test_there_are_commands_for_all():
    assert len(PRODUCT) == 25


@pytest.mark.parametrize("line", PRODUCT)
def test_commands_run(line, tmp_path):
    (tmp_path / "sample_feeds").symlink_to(ROOT / "sample_feeds")
    words = [word for word in shlex.split(line) if word != "trendscope"]
    if "--db" in words and words[0] != "scan":
        (scan,) = (line for line in PRODUCT if line.startswith("trendscope scan "))
        run(shlex.split(scan)[1:], tmp_path)
    if words[0] == "recommend" or (words[0] == "catalog" and words[1] != "import"):
        (shop,) = (line for line in PRODUCT if line.startswith("trendscope catalog import "))
        run(shlex.split(shop)[1:], tmp_path)
    done = run(words, tmp_path)
    assert done.returncode == 0, done.stderr
    written = [words[words.index(flag) + 1] for flag in ("-o", "--html") if flag in words]
    assert all((tmp_path / name).stat().st_size > 100 for name in written)
    told = ("anna", "ben.w", "43 photos", "41 photos", "sightings.csv: 43 rows", "16 items")
    told += ("SH-14", "A17")
    assert written or any(words in done.stdout for words in told)


def run(words, folder):
    command = [sys.executable, "-m", "trendscope", *words]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


def test_the_columns_of_trends_are_described():
    section = README.split("## Weekly trends")[1].split("\n## ")[0]
    assert [name for name in CSV_COLUMNS if f"`{name}`" not in section] == []
    assert [word for word in (RISING, FALLING, STEADY, WATCH, TOO_FEW) if word not in section] == []


@pytest.mark.parametrize(
    "module", ["train", "evaluate", "export", "sweep", "average", "adapt", "negatives"]
)
def test_training_help_runs(module):
    pytest.importorskip("optax")
    assert any(f"training.{module} --help" in line for line in COMMANDS)
    command = [sys.executable, "-m", f"training.{module}", "--help"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0 and "Example" in done.stdout


def test_continuous_integration_runs_the_readmes_test_command():
    (test_command,) = [line for line in COMMANDS if "pytest" in line]
    assert test_command in (ROOT / ".ci" / "run").read_text().splitlines()


def test_readme_quotes_the_figures_on_photos():
    header, _ = read_weights(SHIPPED / "photos.safetensors")
    found, text = header.scores["photos"], " ".join(README.split())
    others = found["other_things_named"]
    for part in (
        f"{found['photos_of_the_ten']} phone photos",
        f"names {100 * found['coverage']:.0f} % of them, **{100 * found['precision']:.0f} % of",
        f"is right for {100 * found['accuracy']:.0f} %",
        f"named {100 * others['photos']:.0f} %",
        f"over {found['customers_with_shares']} customers",
        f"off by {100 * found['share_error']:.0f} points",
        f"{100 * header.scores['fashion-mnist test']['accuracy']:.2f} % for `photos`",
    ):
        assert part in text, part
    plural = {"Trouser": "trousers", "T-shirt/top": "T-shirts", "Dress": "dresses"}
    for group, share in found["coverage_of"].items():
        name = plural.get(group, group.lower().rstrip("s") + "s")
        assert re.search(rf"{100 * share:.0f} % of the {name}\b", text), group
    assert f"510 pictures without a garment {100 * others['negatives']:.1f} %" in text


def test_readme_and_card_quote_the_measured_figures():
    header, _ = read_weights(SHIPPED / "fashion-mnist.safetensors")
    scores = header.scores["fashion-mnist test"]
    assert f"{100 * scores['accuracy']:.2f} % of the 10,000 official test images" in README
    for figure in ("accuracy", "loss", "calibration_error"):
        assert str(scores[figure]) in CARD, figure
