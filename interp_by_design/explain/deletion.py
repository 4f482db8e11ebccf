"""Whether heat lies where it matters: does an attribute fall when the hottest part of the image goes? Does not draw."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from interp_by_design.data.pass_size import images_per_pass
from interp_by_design.explain.removal import hottest, without
from interp_by_design.model import InterpretableModel
from interp_by_design.predictor import evaluating
from interp_by_design.terms import Images, Indices, Interpretation

MAX_IMAGES = 1024  # in one pass
MAX_VALUES = 2**23  # of the images in one pass
MOVES = 3  # random places that the control is the mean of

Maps = Float[Tensor, "n h w"]


@dataclass(frozen=True, eq=False)
class DeletionCheck:
    """Shares of φ_j that are lost where a part of the image is removed: 1 is all of it, below 0 it rose, 0 where φ_j was 0.

    drop: with the hottest pixels. random: with as many in the same shape at random places, the mean of three. area: the share of
    the pixels that is removed.
    """

    drop: Float[Tensor, "n"]
    random: Float[Tensor, "n"]
    area: float


def deletion_check(
    model: InterpretableModel,
    images: Images,
    attributes: Indices,
    maps: Maps,
    area: float = 0.1,
    seed: int = 0,
) -> DeletionCheck:
    """How much of attribute `attributes[i]` is lost on image i when the hottest `area` of its pixels is blurred away.

    φ_j is the attribute that g decides with: one that loses its place among the k largest is lost altogether. The control is the
    same removed shape, moved by a random step that wraps around the edges. The model is left as it was. Raises `UserError` for an
    area outside 0..1.
    """
    chosen = attributes.long()[:, None]
    removed, draws = hottest(maps, area), torch.Generator().manual_seed(seed)

    def values(given: Images) -> Tensor:
        return interpreted(model, given).attributes.gather(1, chosen)[:, 0]

    full = values(images)
    lost = [
        torch.where(full > 0, 1 - values(without(images, part)) / full.where(full > 0, 1), 0.0)
        for part in (removed, *(moved(removed, draws) for _ in range(MOVES)))
    ]
    return DeletionCheck(lost[0], torch.stack(lost[1:]).mean(dim=0), area)


def moved(removed: Tensor, draws: torch.Generator) -> Tensor:
    """Each mask [n, h, w] moved down and to the right by a random step, wrapped around the edges."""
    if not len(removed):
        return removed
    sides = removed.shape[1:]
    steps = [torch.randint(side, (len(removed),), generator=draws).tolist() for side in sides]
    return torch.stack(
        [mask.roll(step, (0, 1)) for mask, *step in zip(removed, *steps, strict=True)]
    )


def interpreted(model: InterpretableModel, images: Images) -> Interpretation:
    """What f and g make of the images in evaluation mode, some at a time, without gradients and reconstructions."""
    chunk = images_per_pass(images.shape[1:], MAX_IMAGES, MAX_VALUES)
    with evaluating(model), torch.no_grad():
        parts = [model(some, reconstruct=False) for some in torch.split(images, chunk)]
    predictor, interpreter, attributes, _ = zip(*parts, strict=True)
    return Interpretation(torch.cat(predictor), torch.cat(interpreter), torch.cat(attributes), None)
