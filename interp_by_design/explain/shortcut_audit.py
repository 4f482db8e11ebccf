"""Is there a shortcut? A small fixed place in images that decides for a class alone, found from the global explanation.

Knows neither labels, nor what a shortcut looks like, nor where one could be.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import final

import torch
import torch.nn.functional as F
from torch import Tensor

from interp_by_design.activations import interpretation_table
from interp_by_design.data.pass_size import images_per_pass
from interp_by_design.explain.heat_maps import heatmaps
from interp_by_design.explain.intervention import Intervention
from interp_by_design.model import InterpretableModel
from interp_by_design.predictor import evaluating
from interp_by_design.relevance import global_relevance, local_relevance, relevant
from interp_by_design.terms import Batch, HeadWeights, Images, InterpretationTable, UserError

TOP, PASTED = (
    40,
    200,
)  # images of a class that are looked at, and images of other classes that are pasted into
PART = 8  # the place is a square whose side is the shorter side of an image divided by this
LEAST_MOVED = 0.25
UNLABELLED = -1


@final
@dataclass(frozen=True)
class Suspect:
    """A class, an attribute that speaks for it, and where in its images the attribute looks most: a square of `side` pixels.

    relevance: r_{j,c}. held: the share of the attribute's heat that the square holds, over images of the class. moved: of images
    that f decides otherwise, the share that it decides for the class once the square of an image of the class is pasted in.
    """

    class_: int
    attribute: int
    top: int
    left: int
    side: int
    relevance: float
    held: float
    moved: float

    @property
    def found(self) -> bool:
        """Whether it is a shortcut: the square alone, 2 % of the image, moves a quarter of the other images to the class."""
        return self.moved >= LEAST_MOVED


@final
@dataclass(frozen=True)
class Audit:
    """All pairs of class and attribute that were tested, the most moving first."""

    suspects: tuple[Suspect, ...]

    @property
    def shortcuts(self) -> tuple[Suspect, ...]:
        """Those that are shortcuts; empty for a clean model."""
        return tuple(one for one in self.suspects if one.found)

    def mending(self) -> Intervention:
        """g without the attributes that look at shortcuts; f stays as it is."""
        return Intervention.zeroing(*sorted({one.attribute for one in self.shortcuts}))


def audit(model: InterpretableModel, images: Images, tau: float | int = 5) -> Audit:
    """Tests every pair of `G = {(c, j) : r_{j,c} > 1/tau}` of the global explanation of `images` [n, c, h, w] in [0, 1].

    The place is where the mean heat map of φ_j is hottest, over the images that g decides for c and where φ_j is largest. What
    moves about, as objects do, is not at one place, and a small square of it does not make another image its class.

    The model is left as it was. Raises `UserError` without images. A shortcut that has no fixed place, such as a colour, escapes.
    """
    if not len(images):
        raise UserError(
            "There is no image to audit a model on. Give a few hundred, of all classes."
        )
    table = interpretation_table(model, _unlabelled(images), reconstruct=False)
    decided = table.interpreter.argmax(dim=1)
    relevance = global_relevance(
        local_relevance(table.attributes, table.head_weights, decided),
        decided,
        len(table.head_weights),
    ).relevance
    tested = [
        _tested(model, images, table, (int(c), int(j)), relevance)
        for c, j in relevant(relevance, tau).nonzero()
    ]
    return Audit(tuple(sorted(tested, key=lambda one: -one.moved)))


def _unlabelled(images: Images) -> Iterator[Batch]:
    labels = torch.full((len(images),), UNLABELLED)
    for rows in torch.split(torch.arange(len(images)), images_per_pass(images.shape[1:])):
        yield Batch(images[rows], labels[rows], rows)


def _tested(
    model: InterpretableModel,
    images: Images,
    table: InterpretationTable,
    pair: tuple[int, int],
    relevance: HeadWeights,
) -> Suspect:
    class_, attribute = pair
    own = (table.interpreter.argmax(dim=1) == class_).nonzero()[:, 0]
    rows = own[table.attributes[own, attribute].argsort(descending=True)[:TOP]]
    heat = heatmaps(model, images[rows], torch.full((len(rows),), attribute)).maps.mean(dim=0)
    side = max(1, min(heat.shape) // PART)
    windows = F.avg_pool2d(heat[None, None], side, 1)[0, 0] * side**2
    top, left = divmod(int(windows.argmax()), windows.shape[1])
    moved = _moved(
        model, images, table, class_, rows, (slice(top, top + side), slice(left, left + side))
    )
    held = float(windows.max() / heat.sum().clamp(min=1e-12))
    return Suspect(
        class_, attribute, top, left, side, float(relevance[class_, attribute]), held, moved
    )


def _moved(
    model: InterpretableModel,
    images: Images,
    table: InterpretationTable,
    class_: int,
    rows: Tensor,
    place: tuple[slice, slice],
) -> float:
    """The share of other images that f decides for the class, with the class's pixels in `place`; 0 where there is no other."""
    others = (table.predictor.argmax(dim=1) != class_).nonzero()[:PASTED, 0]
    if not len(others):
        return 0.0
    pasted = images[others].clone()
    given = rows[torch.arange(len(others), device=rows.device) % len(rows)]
    pasted[:, :, place[0], place[1]] = images[given][:, :, place[0], place[1]]
    with evaluating(model), torch.no_grad():
        decided = model.predictor(pasted).logits.argmax(dim=1)
    return float((decided == class_).float().mean())
