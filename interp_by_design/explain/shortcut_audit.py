"""Search for shortcuts: a small fixed place in images that decides for a class alone.

It uses neither labels nor what a shortcut looks like.
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

MAX_OWN = 40  # images of a class that are used
MAX_PASTED = 200  # images of other classes that are pasted into
PART = 8  # the place is a square whose side is the shorter side of an image divided by this
MIN_MOVED = 0.25
UNLABELLED = -1


@final
@dataclass(frozen=True)
class Suspect:
    """A class, an attribute relevant to it, and the square of its images where the attribute looks.

    Args:
        class_: The class.
        attribute: The attribute.
        top: First row of the square.
        left: First column of the square.
        side: Side of the square in pixels.
        relevance: r_{j,c}.
        held: Share of the attribute's heat that the square holds, over images of the class, 0..1.
        moved: Share of the images of other classes that f assigns to the class once the square of
            an image of the class is pasted in, 0..1.
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
        """Whether it is a shortcut: the square moves a quarter of the other images to the class."""
        return self.moved >= MIN_MOVED


@final
@dataclass(frozen=True)
class Audit:
    """All pairs of class and attribute that were tested.

    Args:
        suspects: The pairs, the most moving first.
    """

    suspects: tuple[Suspect, ...]

    @property
    def shortcuts(self) -> tuple[Suspect, ...]:
        """The pairs that are shortcuts; empty for a clean model."""
        return tuple(one for one in self.suspects if one.found)

    def mending(self) -> Intervention:
        """Return the intervention that removes the attributes of shortcuts from g."""
        return Intervention.zeroing(*sorted({one.attribute for one in self.shortcuts}))


def audit(model: InterpretableModel, images: Images, tau: float | int = 5) -> Audit:
    """Test every pair `{(c, j) : r_{j,c} > 1/tau}` of the global explanation for a shortcut.

    The place is where the mean heat map of φ_j is hottest, over the images that g decides for c and
    where φ_j is largest. An object that moves about is not at one place, and a small square of it
    does not make another image its class. A shortcut without a fixed place, such as a colour, is
    not found. The model's modes are restored.

    Args:
        model: f and g.
        images: Some hundred of all classes, [n, c, h, w] in [0, 1].
        tau: Larger than 1.

    Returns:
        The tested pairs.

    Raises:
        UserError: If there is no image.
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
    rows = own[table.attributes[own, attribute].argsort(descending=True)[:MAX_OWN]]
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
    """Return the share of other images that f assigns to the class with its pixels."""
    others = (table.predictor.argmax(dim=1) != class_).nonzero()[:MAX_PASTED, 0]
    if not len(others):
        return 0.0
    pasted = images[others].clone()
    given = rows[torch.arange(len(others), device=rows.device) % len(rows)]
    pasted[:, :, place[0], place[1]] = images[given][:, :, place[0], place[1]]
    with evaluating(model), torch.no_grad():
        decided = model.predictor(pasted).logits.argmax(dim=1)
    return float((decided == class_).float().mean())
