"""Decoded attributes: without one of them, with it alone, and at several strengths."""

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
    """d(Φ) as images clipped to [0, 1], on the CPU.

    Args:
        full: Of Φ itself.
        without: With φ_j = 0.
        alone: Of φ_j, all others 0.
        sweep: With φ_j at each of `levels`, the others unchanged.
        levels: The values of φ_j.
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
    """Decode an image's attributes around attribute j. The model's modes are restored.

    Source: decoding Φ with and without φ_j is in FLINT's official code, commented out.

    Args:
        model: f and g.
        attributes: Φ(x), [J].
        j: The attribute.
        top: The largest value of φ_j in the sweep; it begins at 0.
        n: Number of levels, at least 2.

    Returns:
        The decoded images.

    Raises:
        UserError: If there is no such attribute, or there are fewer than two levels.
    """
    n_attributes = model.interpreter.n_attributes
    if not 0 <= j < n_attributes or len(attributes) != n_attributes:
        raise UserError(
            f"This model has attributes 0 to {n_attributes - 1}; attribute {j} of "
            f"{len(attributes)} was to be decoded."
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
    """Decode attributes.

    Args:
        model: f and g.
        codes: Attributes, [n, J].

    Returns:
        Images clipped to [0, 1], on the CPU.
    """
    with evaluating(model), torch.no_grad():
        images: Tensor = model.interpreter.decoder(codes.to(model.interpreter.head.weights))
    return images.clamp(0, 1).cpu()


def strong_value(table: InterpretationTable, j: int) -> float:
    """Compute the 99th percentile of an attribute over the images where it is positive.

    Args:
        table: The table.
        j: The attribute.

    Returns:
        The value; 0 for an attribute that is positive nowhere.
    """
    values = table.attributes[:, j]
    positive = values[values > 0]
    if not len(positive):
        return 0.0
    return float(positive.kthvalue(round(STRONG * (len(positive) - 1)) + 1).values)
