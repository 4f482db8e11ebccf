"""What an attribute means to the decoder: an image's attributes decoded without it, with nothing else, and at several strengths.

Does not know which attributes were asked about, or why; draws nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor

from interp_by_design.model import InterpretableModel
from interp_by_design.predictor import evaluating
from interp_by_design.terms import Images, InterpretationTable, UserError

STRONG = 0.99  # the quantile of an attribute, where it is positive, up to which it is swept
LEVELS = 5

Image = Float[Tensor, "c h w"]


@final
@dataclass(frozen=True, eq=False)
class DecoderViews:
    """d(Φ) as images, clipped to [0, 1], on the CPU.

    full: of Φ as it is. without: with φ_j = 0. alone: of φ_j, all others 0. sweep: with φ_j at each of `levels`, the others kept.
    """

    full: Image
    without: Image
    alone: Image
    sweep: Float[Tensor, "levels c h w"]
    levels: Float[Tensor, "levels"]


def decoder_views(
    model: InterpretableModel,
    attributes: Float[Tensor, "attributes"],
    j: int,
    top: float,
    n: int = LEVELS,
) -> DecoderViews:
    """What the decoder makes of `attributes` [J] around attribute j, which is swept from 0 to `top` in `n` levels.

    The model is left as it was. Raises `UserError` for an attribute that there is not, and for fewer than two levels.

    Source: decoding Φ with and without φ_j is in FLINT's official code, commented out.
    """
    n_attributes = model.interpreter.n_attributes
    if not 0 <= j < n_attributes or len(attributes) != n_attributes:
        raise UserError(
            f"This model has attributes 0 to {n_attributes - 1}; attribute {j} of {len(attributes)} was to be decoded."
        )
    if n < 2:
        raise UserError(f"A sweep needs two levels at least, not {n}.")
    levels = torch.linspace(0, top, n)
    codes = attributes.detach().cpu().repeat(3 + n, 1)
    codes[1, j] = 0
    codes[2] = torch.zeros(n_attributes).index_put((torch.tensor(j),), attributes[j].cpu())
    codes[3:, j] = levels.to(codes)
    full, without, alone, *sweep = decoded(model, codes)
    return DecoderViews(full, without, alone, torch.stack(sweep), levels)


def decoded(model: InterpretableModel, codes: Float[Tensor, "n attributes"]) -> Images:
    """d(Φ) of each row of `codes`, clipped to [0, 1], on the CPU."""
    with evaluating(model), torch.no_grad():
        images: Tensor = model.interpreter.decoder(codes.to(model.interpreter.head.weights))
    return images.clamp(0, 1).cpu()


def strong_value(table: InterpretationTable, j: int) -> float:
    """The 99th percentile of φ_j over the images where it is positive; 0 where it is positive on none."""
    values = table.attributes[:, j]
    positive = values[values > 0]
    if not len(positive):
        return 0.0
    return float(positive.kthvalue(round(STRONG * (len(positive) - 1)) + 1).values)
