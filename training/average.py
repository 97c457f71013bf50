"""Averages the weights of several runs, of which each went on from the one before.

Examples:
  python -m training.average runs/first runs/second --run runs/mean
  python -m training.evaluate --weights runs/mean

Weights that ended their schedules near one another lie around a better place (Izmailov et al.,
"Averaging weights leads to wider optima and better generalization", UAI 2018). The gate and all
else that a weights file tells are the last run's.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import jax
import numpy as np

from training.command import errors_in_one_line, new_parser
from trendscope.errors import TrendscopeError
from trendscope.vision.serialisation import read_weights, write_weights
from trendscope.vision.weights import find_weights


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
    path = run / "weights.safetensors"
    write_weights(path, dataclasses.replace(header, settings=settings, scores={}), mean)
    return path


def main() -> None:
    """Runs the command line."""
    parser = new_parser(__doc__)
    parser.add_argument("runs", nargs="+", help="weights files, runs or shipped names")
    parser.add_argument("--run", type=Path, required=True, help="folder of the result")
    options = parser.parse_args()
    with errors_in_one_line("training.average"):
        print(f"weights: {average(options.runs, options.run)}")


if __name__ == "__main__":
    main()
