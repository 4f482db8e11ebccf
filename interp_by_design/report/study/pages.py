"""A blind study of whether people read the same in attributes as is said of them (FLINT, subjective evaluation).

Attribute sheets stand beside a description; some of the descriptions are deliberately those of other attributes. The page does
not tell which: that is in the key, a file of its own. Knows nothing of models, and of what people answer.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from PIL import Image
from torch import Tensor

from interp_by_design.explain.global_explanation import GlobalExplanation
from interp_by_design.explain.sheets import AttributeSheet
from interp_by_design.files import write_text
from interp_by_design.report.study.answers import FORMAT, KEY, Item, Key, read_key
from interp_by_design.terms import AttributeNames, UserError

PAGE = "study.html"
WRONG = 0.4  # share of wrong descriptions in the paper's study
TRIES = 100  # choices of the wrong ones, before descriptions that share a class are taken too


@final
@dataclass(frozen=True)
class Description:
    """What is said of an attribute: its words, and the classes that it speaks for."""

    words: str
    classes: frozenset[int]

    def is_wrong_for(self, other: Description, strictly: bool) -> bool:
        """Whether these words, said of `other`, are wrong: other words and other classes, `strictly` none in common."""
        apart = (
            self.classes.isdisjoint(other.classes) if strictly else self.classes != other.classes
        )
        return apart and self.words.casefold() != other.words.casefold()


def descriptions(
    found: GlobalExplanation, class_names: Sequence[str], names: AttributeNames, tau: float
) -> dict[int, Description]:
    """What is said of each attribute that speaks for a class: its name, or else the classes with `r_{j,c} > 1/tau`."""
    said = {}
    for j in range(found.relevance.shape[1]):
        classes = found.classes_of(j, tau)
        if classes:
            listed = [f"“{class_names[c]}”" for c in classes]
            told = " and ".join([", ".join(listed[:-1]), listed[-1]] if len(listed) > 1 else listed)
            said[j] = Description(names.get(j) or f"speaks for {told}", frozenset(classes))
    return said


def choose(
    said: Mapping[int, Description], names: AttributeNames, n: int, wrong: float, seed: int
) -> list[Item]:
    """`n` attributes, fewer where there are not so many, in random order; a share `wrong` has the description of another one.

    Named attributes come first. No description stands twice, since one of the two would have to be wrong. Raises `UserError`
    where no description is wrong for another attribute.
    """
    if not 0 < wrong < 1:
        raise UserError(
            f"The share of wrong descriptions is {wrong:g}; wanted one between 0 and 1, such as 0.4."
        )
    draw = random.Random(seed)
    order = sorted(draw.sample(sorted(said), len(said)), key=lambda j: names.get(j) is None)
    first: dict[str, int] = {}
    for j in order:
        first.setdefault(said[j].words.casefold(), j)
    distinct = list(first.values())
    chosen, spare = distinct[:n], distinct[n:]
    swapped = _swapped(said, chosen, spare, max(1, round(wrong * len(chosen))), draw)
    shown = draw.sample(chosen, len(chosen))
    return [
        Item(i, j, said[swapped.get(j, j)].words, j not in swapped, said[j].words)
        for i, j in enumerate(shown, start=1)
    ]


def write_study(
    folder: Path, title: str, items: Sequence[Item], sheets: Sequence[AttributeSheet]
) -> Path:
    """Writes the page and its key to `folder`, and returns the page's file.

    Raises `UserError` where the key of another study is there: answers to that one could not be scored any more.
    """
    by_attribute = {sheet.attribute: sheet for sheet in sheets}
    shown = [
        {
            "number": item.item,
            "description": item.description,
            "samples": _pictures(by_attribute[item.attribute].images),
            "maximized": _pictures(by_attribute[item.attribute].maximized),
        }
        for item in items
    ]
    study = hashlib.sha256(json.dumps([title, shown]).encode()).hexdigest()[:16]
    if (folder / KEY).exists() and read_key(folder).study != study:
        raise UserError(
            f"{folder / KEY} is of another study, and without it answers to that one cannot be scored. Take the folder away, or "
            "give another: --out FOLDER."
        )
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined
    )
    page = environment.get_template(PAGE).render(
        title=title, study=study, format=FORMAT, items=shown
    )
    write_text(folder / KEY, Key(study, tuple(items)).text())
    write_text(folder / PAGE, page)
    return folder / PAGE


def _swapped(
    said: Mapping[int, Description],
    chosen: Sequence[int],
    spare: Sequence[int],
    n: int,
    draw: random.Random,
) -> dict[int, int]:
    """For `n` of the chosen attributes, whose description they get; for about as many where there are not so many wrong ones."""
    for count in sorted(range(1, len(chosen)), key=lambda count: abs(count - n)):
        for strictly in (True, False):
            for _ in range(TRIES):
                given = draw.sample(chosen, count)
                if swapped := _matched(
                    said, given, draw.sample([*given, *spare], count + len(spare)), strictly
                ):
                    return swapped
    raise UserError(
        f"{len(chosen)} attributes have a description of their own, too few that are wrong for one another. Name some in "
        "names.yaml, or give a smaller --tau, which describes them by fewer classes."
    )


def _matched(
    said: Mapping[int, Description], given: Sequence[int], sources: Sequence[int], strictly: bool
) -> dict[int, int] | None:
    """Each of `given` with a source of its own that is wrong for it, by augmenting paths; None where that cannot be."""
    holder: dict[int, int] = {}

    def place(j: int, seen: set[int]) -> bool:
        for k in sources:
            if k not in seen and said[k].is_wrong_for(said[j], strictly):
                seen.add(k)
                if k not in holder or place(holder[k], seen):
                    holder[k] = j
                    return True
        return False

    return {j: k for k, j in holder.items()} if all(place(j, set()) for j in given) else None


def _pictures(images: Tensor | None) -> list[str]:
    """Images [l, c, h, w] in [0, 1] as PNG, in data URIs."""
    return [] if images is None else [_picture(image) for image in images]


def _picture(image: Tensor) -> str:
    pixels = (image.clamp(0, 1) * 255).round().byte().permute(1, 2, 0)
    file = io.BytesIO()
    Image.fromarray(pixels.squeeze(2).numpy() if pixels.shape[2] == 1 else pixels.numpy()).save(
        file, "PNG"
    )
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
