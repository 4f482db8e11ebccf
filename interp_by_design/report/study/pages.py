"""A blind study of whether people agree with descriptions of attributes.

Each sheet shows an attribute with a description; some descriptions are those of other attributes.
Which ones is in the key, a separate file. Source: FLINT, subjective evaluation.
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
MAX_DRAWS = 100  # draws of wrong descriptions, before those that share a class are allowed


@final
@dataclass(frozen=True)
class Description:
    """A description of an attribute.

    Args:
        words: The description.
        classes: Classes that the attribute speaks for.
    """

    words: str
    classes: frozenset[int]

    def is_wrong_for(self, other: Description, strictly: bool) -> bool:
        """Return whether these words are wrong for another attribute.

        Args:
            other: Description of the other attribute.
            strictly: Whether the two may share no class at all; otherwise the classes differ.

        Returns:
            Whether words and classes differ.
        """
        apart = (
            self.classes.isdisjoint(other.classes) if strictly else self.classes != other.classes
        )
        return apart and self.words.casefold() != other.words.casefold()


def descriptions(
    found: GlobalExplanation, class_names: Sequence[str], names: AttributeNames, tau: float
) -> dict[int, Description]:
    """Describe each attribute that speaks for a class by its name, or else by its classes.

    Args:
        found: The global explanation.
        class_names: Name of each class.
        names: Names of attributes.
        tau: An attribute speaks for the classes with `r_{j,c} > 1/tau`.

    Returns:
        Descriptions by attribute.
    """
    described = {}
    for j in range(found.relevance.shape[1]):
        classes = found.classes_of(j, tau)
        if classes:
            listed = [f"“{class_names[c]}”" for c in classes]
            text = " and ".join([", ".join(listed[:-1]), listed[-1]] if len(listed) > 1 else listed)
            words = names.get(j) or f"speaks for {text}"
            described[j] = Description(words, frozenset(classes))
    return described


def select_items(
    described: Mapping[int, Description],
    names: AttributeNames,
    n: int,
    wrong: float,
    seed: int,
) -> list[Item]:
    """Select attributes in random order, and give a share of them the description of another one.

    Named attributes are preferred. No description occurs twice, since one of the two would be
    wrong.

    Args:
        described: Descriptions by attribute.
        names: Names of attributes.
        n: Number of sheets; fewer where there are fewer descriptions.
        wrong: Share of wrong descriptions, between 0 and 1.
        seed: Seed of the random draws.

    Returns:
        The sheets.

    Raises:
        UserError: `wrong` is out of range, or no description is wrong for another attribute.
    """
    if not 0 < wrong < 1:
        raise UserError(
            f"The share of wrong descriptions is {wrong:g}; give one between 0 and 1, such as 0.4."
        )
    draw = random.Random(seed)
    order = sorted(
        draw.sample(sorted(described), len(described)), key=lambda j: names.get(j) is None
    )
    first: dict[str, int] = {}
    for j in order:
        first.setdefault(described[j].words.casefold(), j)
    distinct = list(first.values())
    selected, spare = distinct[:n], distinct[n:]
    swapped = _swapped(described, selected, spare, max(1, round(wrong * len(selected))), draw)
    order = draw.sample(selected, len(selected))
    return [
        Item(i, j, described[swapped.get(j, j)].words, j not in swapped, described[j].words)
        for i, j in enumerate(order, start=1)
    ]


def write_study(
    folder: Path, title: str, items: Sequence[Item], sheets: Sequence[AttributeSheet]
) -> Path:
    """Write the page of a study and its key.

    Args:
        folder: Folder of the study.
        title: Title of the page.
        items: The sheets.
        sheets: Attribute sheets of at least these attributes.

    Returns:
        Path of the page.

    Raises:
        UserError: The folder has the key of another study, whose answers could not be scored
            without it.
    """
    by_attribute = {sheet.attribute: sheet for sheet in sheets}
    content = [
        {
            "number": item.item,
            "description": item.description,
            "samples": _pictures(by_attribute[item.attribute].images),
            "maximized": _pictures(by_attribute[item.attribute].maximized),
        }
        for item in items
    ]
    study = hashlib.sha256(json.dumps([title, content]).encode()).hexdigest()[:16]
    if (folder / KEY).exists() and read_key(folder).study != study:
        raise UserError(
            f"{folder / KEY} is the key of another study, whose answers cannot be scored without "
            "it. Move the folder away, or give another: --out FOLDER."
        )
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined
    )
    page = environment.get_template(PAGE).render(
        title=title, study=study, format=FORMAT, items=content
    )
    write_text(folder / KEY, Key(study, tuple(items)).text())
    write_text(folder / PAGE, page)
    return folder / PAGE


def _swapped(
    described: Mapping[int, Description],
    selected: Sequence[int],
    spare: Sequence[int],
    n: int,
    draw: random.Random,
) -> dict[int, int]:
    """For about `n` of the selected attributes, the attribute whose description they get."""
    for count in sorted(range(1, len(selected)), key=lambda count: abs(count - n)):
        for strictly in (True, False):
            for _ in range(MAX_DRAWS):
                given = draw.sample(selected, count)
                sources = draw.sample([*given, *spare], count + len(spare))
                if swapped := _matched(described, given, sources, strictly):
                    return swapped
    raise UserError(
        f"{len(selected)} attributes have a description of their own, and too few are wrong for "
        "another attribute. Name some in names.yaml, or give a smaller --tau, which describes "
        "them by fewer classes."
    )


def _matched(
    described: Mapping[int, Description],
    given: Sequence[int],
    sources: Sequence[int],
    strictly: bool,
) -> dict[int, int] | None:
    """A distinct wrong source for each of `given`, by augmenting paths; None where impossible."""
    holder: dict[int, int] = {}

    def place(j: int, seen: set[int]) -> bool:
        for k in sources:
            if k not in seen and described[k].is_wrong_for(described[j], strictly):
                seen.add(k)
                if k not in holder or place(holder[k], seen):
                    holder[k] = j
                    return True
        return False

    return {j: k for k, j in holder.items()} if all(place(j, set()) for j in given) else None


def _pictures(images: Tensor | None) -> list[str]:
    """Images [l, c, h, w] in [0, 1] as data URIs of PNG files."""
    return [] if images is None else [_picture(image) for image in images]


def _picture(image: Tensor) -> str:
    pixels = (image.clamp(0, 1) * 255).round().byte().permute(1, 2, 0)
    file = io.BytesIO()
    Image.fromarray(pixels.squeeze(2).numpy() if pixels.shape[2] == 1 else pixels.numpy()).save(
        file, "PNG"
    )
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
