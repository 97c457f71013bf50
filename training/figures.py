"""Writes the figures of the model card and of the README anew, from the headers of shipped weights.

Examples:
  python -m training.export_detector runs/detector    # new weights, with their figures
  python -m training.figures                          # the card and the README follow

In either file the part between its two markers is made, and the rest left alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from textwrap import wrap
from typing import Any

from training.command import errors_in_one_line, new_parser
from trendscope.errors import WeightsError
from trendscope.files.writing import write_atomic
from trendscope.reports.wording import plural_of
from trendscope.text import percent
from trendscope.vision.scores import BY_ANOTHER, PEOPLE, SCORES, read_scores
from trendscope.vision.weights import (
    DEFAULT,
    SHIPPED,
    DetectorHeader,
    Header,
    find_weights,
    read_header,
)

README = SHIPPED.parents[1] / "README.md"
CARD = "MODEL_CARD.md"
START, END = "<!-- figures: start -->", "<!-- figures: end -->"
NEW_CARD = f"# The weights that trendscope ships\n\n{START}\n{END}\n"
PLAIN = "fashion-mnist"
PUBLISHED = "fashion-mnist test"
WIDTH = 110
"""Longest line of the README's figures."""


def read_parts(path: Path) -> tuple[str, str]:
    """What stands before and after the figures of a file; of a new card if it is not there.

    Raises:
        WeightsError: It does not hold each marker once, in order.
    """
    text = path.read_text(encoding="utf-8") if path.exists() else NEW_CARD
    once = text.count(START) == text.count(END) == 1
    if not once or text.index(START) > text.index(END):
        raise WeightsError(
            f"{path}: expected one {START} and, after it, one {END}; put the two lines back where "
            "the figures belong"
        )
    before, rest = text.split(START)
    return before, rest.split(END)[1]


def _write(path: Path, figures: str) -> None:
    before, after = read_parts(path)
    write_atomic(path, f"{before}{START}\n{figures}{END}{after}")


# --- the README ----------------------------------------------------------------------------------


def write_readme(path: Path = README) -> None:
    """Writes the README's figures; raises WeightsError as `read_parts`."""
    _write(path, readme_figures())


def readme_figures() -> str:
    """What the shipped weights can tell, in Markdown."""
    scores = read_header(find_weights(DEFAULT)).scores
    first = (
        f"`{DEFAULT}` is used unless `--weights` asks for others: `{PLAIN}`, which has learned "
        "from Fashion-MNIST alone, and names one garment in a picture like its images. "
        f"`{DEFAULT}` names every garment that it is sure of, and where it is."
    )
    points = (_of_single_garments(scores), _of_people(scores), _of_kinds(), _of_published(scores))
    return "\n".join([_filled(first), "", *map(_filled, points), ""])


def _of_single_garments(scores: Mapping[str, Any]) -> str:
    phone, shop, nothing = (scores.get(name, {}) for name in (SCORES, "catalogue", "negatives"))
    text = (
        "- **Of one garment**, lying, hanging or worn, on "
        f"{phone['photos_of_the_ten']:,} phone photos by people whose photos it had never seen: it "
        f"names {_share(phone['coverage'])}, **{_share(phone['precision'])} of these rightly**, "
        "and leaves the rest open. Its best guess, named or not, is right for "
        f"{_share(phone['accuracy'])}"
    )
    if shop:
        number = f"{shop['photos_of_the_ten']:,}"
        text += f"; of {number} pictures of a retailer, {_share(shop['accuracy'])}"
    text += "."
    if "as_labelled_accuracy" in phone:
        right, named = phone["as_labelled_accuracy"], phone["as_labelled_precision"]
        text += (
            f" (By the labels of the phone photos' owners, {_share(right)}, and of what it names "
            f"{_share(named)}: plainly wrong labels were mended by eye.)"
        )
    if others := phone.get("other_things_named"):
        text += f" Of shorts, hats, skirts and the like it named {_share(others['all'])}"
        if nothing:
            named = _share(nothing["named"])
            text += f", of {nothing['photos']:,} pictures without a garment {named}"
        text += "."
    if BY_ANOTHER in phone["scored_on"]:
        text += (
            " These are figures of a second network, trained in the same way without these people; "
            "the shipped one learned from their photos too."
        )
    return text


def _of_people(scores: Mapping[str, Any]) -> str:
    people = scores[PEOPLE]
    return (
        f"- **Of people in outfits**, on {people['photos']:,} street photos that it had not seen: "
        f"it names {people['named_per_photo']:.1f} garments a photo, "
        f"**{_share(people['worn_of_named'])} of these are worn** in it, and of what is worn it "
        f"finds {_share(people['found_of_worn'])}."
    )


def _of_kinds() -> str:
    """How often each kind is named, by the lower of its figures."""
    kinds = ", ".join(
        f"{_share(share)} of the {plural_of(group)}"
        for group, share in read_scores(DEFAULT).coverage_of.items()
    )
    return (
        "- **Some kinds are named far more often than others.** By the lower of the shares alone "
        f"and on people: {kinds}. So counts lean, and with them the weekly trends: compare a "
        "category with itself, over time or between customers."
    )


def _of_published(scores: Mapping[str, Any]) -> str:
    plain = read_header(find_weights(PLAIN)).scores[PUBLISHED]
    text = (
        f"- On Fashion-MNIST: {100 * plain['accuracy']:.2f} % of the 10,000 official test images "
        f"right for `{PLAIN}` (`python -m training.evaluate --weights {PLAIN}`)"
    )
    if accuracy := scores.get(PUBLISHED, {}).get("accuracy"):
        text += f", {100 * accuracy:.2f} % for `{DEFAULT}`"
    return f"{text}."


def _share(share: float) -> str:
    return "none" if share == 0 else percent(share)


def _filled(text: str) -> str:
    """Lines of at most `WIDTH` characters, none of which ends within a command or a percentage."""
    parts = text.split("`")
    parts[1::2] = [code.replace(" ", "\0") for code in parts[1::2]]
    joined = "`".join(parts).replace(" %", "\0%")
    lines = wrap(joined, WIDTH, break_long_words=False, break_on_hyphens=False)
    indent = "  " if text.startswith("- ") else ""
    return f"\n{indent}".join(lines).replace("\0", " ")


# --- the model card ------------------------------------------------------------------------------


def write_card(shipped: Path = SHIPPED) -> None:
    """Writes the figures of the model card in a folder of weights; raises as `read_parts`."""
    _write(shipped / CARD, card_figures(shipped))


def card_figures(shipped: Path = SHIPPED) -> str:
    """A section for each weights file of a folder."""
    headers = map(read_header, sorted(shipped.glob("*.safetensors")))
    return "\n" + "\n".join(map(section, headers)) + "\n"


def section(header: Header | DetectorHeader) -> str:
    """One weights file in Markdown: data, scores, settings."""
    if isinstance(header, DetectorHeader):
        (rows, columns), side = header.people, header.side
        sees = f"{side} x {side} pixels of a photo, and {columns} x {rows} of one of people"
        sources = [f"- {name}: {licence}" for name, licence in header.trained_on.items()]
    else:
        sees = f"{header.architecture.size} x {header.architecture.size} pixels"
        sources = [f"- {name}, sha256 {digest}" for name, digest in header.trained_on.items()]
    lines = [f"## {header.name}", "", f"Sees {sees}, RGB. Trained on:", "", *sources]
    for name, figures in header.scores.items():
        lines += ["", *score_table(name, figures)]
    settings = ", ".join(f"{name} {value!r}" for name, value in header.settings.items())
    return "\n".join([*lines, "", f"Settings: {settings}.", ""])


def score_table(name: str, figures: Mapping[str, Any]) -> list[str]:
    """Markdown rows, one figure each; nested figures are named by all their names."""
    rows = [f"| {words} | {_number(value)} |" for words, value in _flat(figures)]
    return [f"| {name} | |", "|---|---:|", *rows] if rows else []


def _flat(figures: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in figures.items():
        words = name.replace("_", " ")
        if isinstance(value, Mapping):
            yield from ((f"{words}, {part}", inner) for part, inner in _flat(value))
        elif value is not None:
            yield words, value


def _number(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


def main() -> None:
    """Runs the command line."""
    new_parser(__doc__).parse_args()
    with errors_in_one_line("training.figures"):
        write_card()
        write_readme()


if __name__ == "__main__":
    main()
