from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import pandas as pd
import pytest

pytest.importorskip("optax")

from training import sweep
from training.train import Settings

TRIED = {"filters": ["4,8", "8,16"], "learning_rate": [0.001, 0.003], "epochs": [2]}
# Validation accuracy and loss of the last epoch that the recorded trainer below reports.
SCORES = {
    ("4,8", 0.001): (0.80, 0.50),
    ("4,8", 0.003): (0.90, 0.40),
    ("8,16", 0.001): (0.90, 0.30),
    ("8,16", 0.003): (0.70, 0.90),
}


class Trainer:
    """Writes the history that a training run would, and remembers what it was asked for."""

    def __init__(self, epochs: int | None = None):
        self.epochs = epochs
        self.asked: list[Settings] = []

    def __call__(self, settings: Settings) -> None:
        self.asked.append(settings)
        accuracy, loss = SCORES[settings.filters, settings.learning_rate]
        rows = [
            {"epoch": 1, "validation_loss": 9.0, "validation_accuracy": 0.99, "seconds": 10.0},
            {"epoch": 2, "validation_loss": loss, "validation_accuracy": accuracy, "seconds": 5.0},
        ]
        run = Path(settings.run)
        run.mkdir(parents=True, exist_ok=True)
        pd.DataFrame(rows[: self.epochs or settings.epochs]).to_csv(
            run / "history.csv", index=False
        )


def test_every_combination_has_a_folder_of_its_own(tmp_path):
    settings = sweep.combinations(TRIED, tmp_path)
    assert [(one.filters, one.learning_rate) for one in settings] == list(SCORES)
    assert len({one.run for one in settings}) == 4
    assert all(Path(one.run).parent == tmp_path for one in settings)


def test_a_run_is_named_after_what_differs_and_only_by_settings():
    plain = Settings(epochs=2, limit=100)
    name = sweep.run_name(plain)
    assert name.startswith("epochs=2 limit=100 ")
    assert sweep.run_name(dataclasses.replace(plain, run="elsewhere", name="x")) == name
    assert sweep.run_name(dataclasses.replace(plain, limit=200)) != name


def test_the_best_on_the_validation_images_comes_first_and_loss_decides_ties(tmp_path):
    trials = sweep.sweep(sweep.combinations(TRIED, tmp_path), Trainer())
    found = [(trial.settings.filters, trial.accuracy, trial.loss) for trial in trials]
    assert found == [("8,16", 0.9, 0.3), ("4,8", 0.9, 0.4), ("4,8", 0.8, 0.5), ("8,16", 0.7, 0.9)]
    assert {trial.seconds for trial in trials} == {15.0}
    assert trials[0].parameters > trials[1].parameters > 0


def test_finished_combinations_are_not_trained_again(tmp_path):
    settings = sweep.combinations(TRIED, tmp_path)
    first = sweep.sweep(settings[:2], Trainer())
    again = Trainer()
    trials = sweep.sweep(settings, again)
    assert again.asked == settings[2:]
    assert {trial.settings.run for trial in first} <= {trial.settings.run for trial in trials}


def test_a_combination_stopped_half_way_goes_on(tmp_path):
    settings = sweep.combinations(TRIED, tmp_path)[:1]
    assert sweep.sweep(settings, Trainer(epochs=1)) == []
    again = Trainer()
    assert len(sweep.sweep(settings, again)) == 1
    assert again.asked == settings


def test_the_table_shows_what_was_tried_and_what_came_of_it(tmp_path):
    trials = sweep.sweep(sweep.combinations(TRIED, tmp_path), Trainer())
    rows = sweep.table(trials, ["filters", "learning_rate"])
    assert list(rows.columns) == [
        "filters",
        "learning_rate",
        "validation_accuracy",
        "validation_loss",
        "parameters",
        "seconds",
        "run",
    ]
    assert rows["filters"].tolist() == ["8,16", "4,8", "4,8", "8,16"]


def test_options_repeat_and_have_their_settings_types():
    words = "--filters 4,8 --filters 8,16 --learning-rate 1e-3 --epochs 2 --folder there".split()
    folder, tried = sweep.parse(words)
    assert folder == Path("there")
    assert tried == {"filters": ["4,8", "8,16"], "learning_rate": [0.001], "epochs": [2]}


def test_a_setting_that_does_not_exist_is_wrong_usage(capsys):
    with pytest.raises(SystemExit) as stopped:
        sweep.parse(["--colour", "red"])
    assert stopped.value.code == 2
    assert "--colour" in capsys.readouterr().err


def test_a_sweep_of_nothing_is_wrong_usage(capsys):
    with pytest.raises(SystemExit) as stopped:
        sweep.parse([])
    assert stopped.value.code == 2
    assert "at least one setting" in capsys.readouterr().err


def test_the_command_prints_the_table_and_writes_it(tmp_path, monkeypatch, capsys):
    for settings in sweep.combinations({"epochs": [2], "filters": ["4,8"]}, tmp_path):
        Trainer()(dataclasses.replace(settings, learning_rate=0.001))
    words = ["sweep", "--folder", str(tmp_path), "--epochs", "2", "--filters", "4,8"]
    monkeypatch.setattr(sys, "argv", words)
    sweep.main()
    rows = pd.read_csv(tmp_path / "table.csv")
    assert rows[["filters", "validation_accuracy"]].values.tolist() == [["4,8", 0.8]]
    shown = capsys.readouterr().out
    assert "validation accuracy" in shown and "0.8" in shown
    assert "filters" not in shown
