"""Trains every combination of some settings and ranks them by the held-out validation images.

Examples:
  python -m training.sweep --filters 32,64 --filters 48,96 --epochs 2 --limit 10000
  python -m training.sweep --learning-rate 1e-3 --learning-rate 3e-3 --kernel 3 --kernel 5

Every option of `python -m training.train` may be given, several times to try several values. The
table goes to the terminal and to table.csv in the sweep's folder (--folder). A combination that is
finished is not trained again: a sweep that was stopped goes on, and a larger one reuses a smaller
one. The test images play no part.
"""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_type_hints

import jax
import pandas as pd
from rich.console import Console
from rich.table import Table

from training.command import errors_in_one_line, new_parser
from training.evaluation.layers import parameter_count
from training.train import Settings, train
from trendscope.files.writing import write_atomic
from trendscope.vision.network import initial_variables

FOLDER = Path("runs/sweep")
PLACES = ("run", "name")
"""Settings that a sweep gives to each of its runs itself."""


@dataclass(frozen=True)
class Trial:
    """One finished combination, judged by its last epoch on the validation images."""

    settings: Settings
    accuracy: float
    loss: float
    parameters: int
    seconds: float


def combinations(tried: Mapping[str, Sequence[Any]], folder: Path) -> list[Settings]:
    """Settings for every combination of the values tried, each with a run folder of its own."""
    products = itertools.product(*tried.values())
    chosen = (Settings(**dict(zip(tried, values, strict=True))) for values in products)
    return [
        dataclasses.replace(settings, run=str(folder / run_name(settings)), name=run_name(settings))
        for settings in chosen
    ]


def run_name(settings: Settings) -> str:
    """What differs from the defaults, and a digest of all settings apart from run and name."""
    values = {k: v for k, v in dataclasses.asdict(settings).items() if k not in PLACES}
    digest = hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:8]
    defaults = dataclasses.asdict(Settings())
    changed = [f"{k}={v}" for k, v in values.items() if v != defaults[k] and "/" not in str(v)]
    return " ".join([*changed, digest])


def sweep(
    settings: Sequence[Settings], training: Callable[[Settings], object] = train
) -> list[Trial]:
    """Trains what is not finished yet; returns all trials, best validation accuracy first."""
    for combination in settings:
        if finished(combination) is None:
            training(combination)
    trials = [trial for combination in settings if (trial := finished(combination))]
    return sorted(trials, key=lambda trial: (-trial.accuracy, trial.loss))


def finished(settings: Settings) -> Trial | None:
    """The trial of a run whose history reaches the last epoch; None of any other."""
    history = Path(settings.run) / "history.csv"
    if not history.exists():
        return None
    epochs = pd.read_csv(history)
    if epochs.empty or epochs["epoch"].iloc[-1] < settings.epochs:
        return None
    last = epochs.iloc[-1]
    shapes = jax.eval_shape(lambda: initial_variables(settings.architecture))
    return Trial(
        settings=settings,
        accuracy=float(last["validation_accuracy"]),
        loss=float(last["validation_loss"]),
        parameters=parameter_count(shapes),
        seconds=float(epochs["seconds"].sum()),
    )


def table(trials: Sequence[Trial], tried: Sequence[str]) -> pd.DataFrame:
    """One row per trial: the tried settings, then what came of them.

    Columns: those of `tried`, validation_accuracy (0..1), validation_loss (nats), parameters,
    seconds (of all epochs), run.
    """
    rows = [
        {
            **{name: getattr(trial.settings, name) for name in tried},
            "validation_accuracy": trial.accuracy,
            "validation_loss": trial.loss,
            "parameters": trial.parameters,
            "seconds": round(trial.seconds, 1),
            "run": trial.settings.run,
        }
        for trial in trials
    ]
    return pd.DataFrame(rows)


def show(rows: pd.DataFrame, console: Console) -> None:
    """Prints the table for people."""
    shown = Table(*(column.replace("_", " ") for column in rows.columns))
    for row in rows.itertuples(index=False):
        shown.add_row(*map(str, row))
    console.print(shown)


def parse(arguments: Sequence[str] | None = None) -> tuple[Path, dict[str, list[Any]]]:
    """The sweep's folder and the values by setting, from the command line."""
    parser = new_parser(__doc__)
    parser.add_argument("--folder", type=Path, default=FOLDER, help="of the runs and the table")
    types = get_type_hints(Settings)
    for item in dataclasses.fields(Settings):
        if item.name not in PLACES:
            option, kind = f"--{item.name.replace('_', '-')}", types[item.name]
            parser.add_argument(option, type=kind, action="append", help=item.metadata["help"])
    values = vars(parser.parse_args(arguments))
    folder = values.pop("folder")
    tried = {name: given for name, given in values.items() if given}
    if not tried:
        parser.error("give at least one setting to try, such as --filters 32,64 --filters 48,96")
    return folder, tried


def main() -> None:
    """Runs the command line."""
    folder, tried = parse()
    with errors_in_one_line("training.sweep"):
        rows = table(sweep(combinations(tried, folder)), list(tried))
    write_atomic(folder / "table.csv", rows.to_csv(index=False))
    # What is the same in every row only takes the width that the figures need.
    fixed = [name for name, values in tried.items() if len(values) == 1]
    show(rows.drop(columns=[*fixed, "run"]), Console(highlight=False))


if __name__ == "__main__":
    main()
