"""Deletion test for heat maps."""

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
    """Share of φ_j that is lost where part of the image is removed: 1 is all, below 0 it rose.

    Args:
        drop: Without the hottest pixels, [n]; 0 where φ_j was 0.
        random: Without as many pixels of the same shape at random places, the mean of three, [n].
        area: Share of the pixels that is removed.
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
    """Compute how much of attribute `attributes[i]` is lost without the hottest pixels of image i.

    The pixels are blurred. φ_j is the attribute that g decides with: one that is no longer among
    the k largest is lost altogether. The baseline is the same shape, moved by a random step that
    wraps around the edges. The model's modes are restored.

    Args:
        model: f and g.
        images: [n, c, h, w] in [0, 1].
        attributes: One for each image, [n].
        maps: Heat maps, [n, h, w].
        area: Share of the pixels that is removed, between 0 and 1.
        seed: Of the random steps.

    Returns:
        The lost shares.

    Raises:
        UserError: If the area is not between 0 and 1.
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
    """Move each mask by a random step, wrapped around the edges.

    Args:
        removed: Masks, [n, h, w].
        draws: The random numbers.

    Returns:
        Masks, [n, h, w].
    """
    if not len(removed):
        return removed
    sides = removed.shape[1:]
    steps = [torch.randint(side, (len(removed),), generator=draws).tolist() for side in sides]
    return torch.stack(
        [mask.roll(step, (0, 1)) for mask, *step in zip(removed, *steps, strict=True)]
    )


def interpreted(model: InterpretableModel, images: Images) -> Interpretation:
    """Run f and g in evaluation mode, without gradients and reconstructions, in several passes.

    Args:
        model: f and g; its modes are restored.
        images: [n, c, h, w] in [0, 1].

    Returns:
        The interpretation of all images.
    """
    chunk = images_per_pass(images.shape[1:], MAX_IMAGES, MAX_VALUES)
    with evaluating(model), torch.no_grad():
        parts = [model(some, reconstruct=False) for some in torch.split(images, chunk)]
    predictor, interpreter, attributes, _ = zip(*parts, strict=True)
    return Interpretation(torch.cat(predictor), torch.cat(interpreter), torch.cat(attributes), None)
