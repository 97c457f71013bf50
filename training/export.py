"""Turns an evaluated run into shipped weights, and writes the model card's figures anew.

Examples:
  python -m training.evaluate --weights runs/fashion-mnist
  python -m training.export runs/fashion-mnist
  python -m training.export runs/more --name fashion-mnist

The run's weights.safetensors goes to trendscope/weights/NAME.safetensors with the scores of the
run's evaluation.json in its header, and those of its photos.json (evaluate --photos) where there is
one. Weights that were not evaluated, or have changed since, are refused. The figures of the model
card are written anew; `python -m training.figures` writes those of the README.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, TypeVar

from training import figures
from training.command import errors_in_one_line, new_parser
from training.evaluate import weights_digest
from training.evaluation import photo_metrics
from training.evaluation.metrics import Evaluation
from training.evaluation.photo_metrics import PhotoEvaluation
from trendscope.errors import WeightsError
from trendscope.vision.scores import SCORES
from trendscope.vision.serialisation import read_weights, write_weights
from trendscope.vision.weights import SHIPPED

_KEPT = (
    "images",
    "accuracy",
    "loss",
    "calibration_error",
    "parameters",
    "file_bytes",
    "images_per_second",
    "digest",
)


def export(
    run: Path,
    name: str | None = None,
    shipped: Path = SHIPPED,
) -> Path:
    """Exports the weights of an evaluated run; returns the shipped file.

    Args:
        run: Folder with weights.safetensors, evaluation.json and perhaps photos.json.
        name: Name to ship them under; by default the one in their header.
        shipped: Folder of the shipped weights and the model card.

    Raises:
        WeightsError: The weights cannot be read, were not evaluated, or have changed since; or the
            model card has lost its markers. Nothing is written then.
    """
    header, variables = read_weights(run / "weights.safetensors")
    new_scores = read_scores(run, weights_digest(header, variables))
    figures.read_parts(shipped / figures.CARD)
    header = dataclasses.replace(
        header, name=name or header.name, scores={**header.scores, **new_scores}
    )
    path = shipped / f"{header.name}.safetensors"
    write_weights(path, header, variables)
    figures.write_card(shipped)
    return path


def read_scores(run: Path, digest: str) -> dict[str, dict[str, Any]]:
    """The run's figures by data set: those of evaluation.json, and of photos.json if there.

    Args:
        run: Folder of the run.
        digest: Digest of its weights (`training.evaluate.weights_digest`).

    Raises:
        WeightsError: There is no evaluation.json, or a file is of another form or other weights.
    """
    again = f"run python -m training.evaluate --weights {run}"
    if not (run / "evaluation.json").is_file():
        raise WeightsError(f"{run} was not evaluated: {again} first")
    evaluation = read_evaluation(run / "evaluation.json", Evaluation, digest, f"{again} again")
    by_data = {evaluation.data: scores(evaluation)}
    if (run / "photos.json").is_file():
        by_data[SCORES] = read_photo_scores(run, digest)
    return by_data


def read_photo_scores(run: Path, digest: str) -> dict[str, Any]:
    """The figures of the run's photos.json; raises as `read_evaluation`."""
    advice = f"run python -m training.evaluate --weights {run} --photos PLACE again, or remove it"
    evaluation = read_evaluation(run / "photos.json", PhotoEvaluation, digest, advice)
    return photo_metrics.scores(evaluation)


Found = TypeVar("Found", Evaluation, PhotoEvaluation)


def read_evaluation(path: Path, kind: type[Found], digest: str, advice: str) -> Found:
    """An evaluation as it was written; `advice` is what to do where there is none.

    Raises:
        WeightsError: The file is of another form, or not of the weights that `digest` is of.
    """
    try:
        evaluation: Found = kind.from_json(path.read_text(encoding="utf-8"))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise WeightsError(f"{path} is not an evaluation ({error}); {advice}") from error
    if evaluation.digest != digest:
        raise WeightsError(
            f"{path} is of weights {evaluation.digest[:12]}, found {digest[:12]}; {advice}"
        )
    return evaluation


def scores(evaluation: Evaluation) -> dict[str, Any]:
    """The figures that travel in the header, rounded as they were printed."""
    kept = {name: getattr(evaluation, name) for name in _KEPT}
    recalls = {row.category: row.recall for row in evaluation.classes}
    return {**kept, "gate": dataclasses.asdict(evaluation.gate), "recall": recalls}


def main() -> None:
    """Runs the command line."""
    parser = new_parser(__doc__)
    parser.add_argument("run", type=Path, metavar="RUN_FOLDER", help="folder of an evaluated run")
    parser.add_argument("--name", help="name to ship the weights under (default: their own)")
    options = parser.parse_args()
    with errors_in_one_line("training.export"):
        print(export(options.run, options.name))


if __name__ == "__main__":
    main()
