"""Averages the weights of several runs, of which each went on from the one before.

Examples:
  python -m training.average runs/first runs/second --run runs/mean
  python -m training.evaluate --weights runs/mean
  python -m training.average runs/detector1 runs/detector2 --run runs/mean    # of training.detect

Weights that ended their schedules near one another lie around a better place (Izmailov et al.,
"Averaging weights leads to wider optima and better generalization", UAI 2018). The gate and all
else that a weights file tells are the last run's.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

import jax
import numpy as np
from safetensors import safe_open
from safetensors.numpy import load_file, save

from training.command import errors_in_one_line, new_parser
from trendscope.errors import TrendscopeError
from trendscope.files.writing import write_atomic
from trendscope.vision.serialisation import read_weights, write_weights
from trendscope.vision.weights import find_weights

SETTINGS, WEIGHTS = "settings.json", "weights.safetensors"


def average(runs: Sequence[str], run: Path) -> Path:
    """Writes the mean of the runs' weights and batch statistics; returns the file.

    Args:
        runs: Weights files, runs or shipped names, in the order in which they were trained.
        run: Folder of the result.

    Raises:
        TrendscopeError: Weights are missing, or are not of one architecture.
    """
    loaded = [read_weights(find_weights(each)) for each in runs]
    header = loaded[-1][0]
    # Dropout may differ: it is a setting of the training and has no weights.
    shapes = {dataclasses.replace(each.architecture, dropout=0.0) for each, _ in loaded}
    if len(shapes) > 1:
        raise TrendscopeError(f"{', '.join(runs)}: these are not of one architecture")
    mean = jax.tree.map(
        lambda *arrays: np.mean(np.stack(arrays), axis=0, dtype=np.float32),
        *(variables for _, variables in loaded),
    )
    settings = {**header.settings, "mean_of": ", ".join(runs)}
    run.mkdir(parents=True, exist_ok=True)
    path = run / WEIGHTS
    write_weights(path, dataclasses.replace(header, settings=settings, scores={}), mean)
    return path


def average_detectors(runs: Sequence[Path], run: Path) -> Path:
    """Writes the mean weights of runs of `training.detect`; returns the file.

    The settings are the last run's, with ``mean_of`` besides.

    Args:
        runs: Folders of the runs, in the order in which they were trained.
        run: Folder of the result.

    Raises:
        TrendscopeError: The weights do not have the same arrays.
    """
    loaded = [load_file(each / WEIGHTS) for each in runs]
    shapes = [{name: array.shape for name, array in each.items()} for each in loaded]
    if any(each != shapes[0] for each in shapes):
        raise TrendscopeError(f"{', '.join(map(str, runs))}: these are not of one architecture")
    mean = {name: np.mean([each[name] for each in loaded], axis=0) for name in shapes[0]}
    settings = json.loads((runs[-1] / SETTINGS).read_text(encoding="utf-8"))
    settings["mean_of"] = ", ".join(each.name for each in runs)
    run.mkdir(parents=True, exist_ok=True)
    (run / SETTINGS).write_text(json.dumps(settings, indent=2), encoding="utf-8")
    write_atomic(
        run / WEIGHTS, save({name: np.asarray(array, np.float32) for name, array in mean.items()})
    )
    return run / WEIGHTS


def is_detector_run(place: str) -> bool:
    """Whether it is a run of `training.detect`, whose weights have no header yet."""
    folder = Path(place)
    if not (folder / SETTINGS).is_file() or not (folder / WEIGHTS).is_file():
        return False
    with safe_open(folder / WEIGHTS, "numpy") as weights:
        return "trunk/stem/kernel" in weights.keys()


def main() -> None:
    """Runs the command line."""
    parser = new_parser(__doc__)
    parser.add_argument("runs", nargs="+", help="weights files, runs or shipped names")
    parser.add_argument("--run", type=Path, required=True, help="folder of the result")
    options = parser.parse_args()
    with errors_in_one_line("training.average"):
        if all(map(is_detector_run, options.runs)):
            path = average_detectors([Path(each) for each in options.runs], options.run)
        else:
            path = average(options.runs, options.run)
        print(f"weights: {path}")


if __name__ == "__main__":
    main()
