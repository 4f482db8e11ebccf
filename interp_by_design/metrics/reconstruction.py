"""Reconstruction: what the attributes know of the image, and what they know of it beyond f's answer.

Does not know the decoder.
"""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from interp_by_design.terms import Images, InterpretationTable


def squared_error(reconstruction: Images, images: Images) -> Float[Tensor, "n"]:
    """`mean over pixels of (d(Φ(x)) - x)^2`, one value a sample, for images in [0, 1]."""
    return (reconstruction - images).square().flatten(start_dim=1).mean(dim=1)


def within_class_explained(
    error: Float[Tensor, "n"], class_mean_error: Float[Tensor, "n"]
) -> Float[Tensor, ""]:
    """`1 - MSE(d(Φ), x) / MSE(m_{f(x)}, x)`, m_c the mean train image of class c, f(x) the class that f decides; at most 1.

    A ratio of means over all samples, not a mean of ratios, which a few plain images would rule. 0: Φ gives back no more of the
    image than the answer does; below 0, less. Infinite or NaN where every image is its class's mean. The house's own, against a
    relabelled answer.
    """
    return 1 - error.double().mean() / class_mean_error.double().mean()


def reconstruction_scores(table: InterpretationTable) -> dict[str, float]:
    """reconstruction_mse and within_class_explained, by key; the second is absent where every image is its class's mean image."""
    scores = {"reconstruction_mse": float(table.reconstruction_error.double().mean())}
    explained = within_class_explained(table.reconstruction_error, table.class_mean_error)
    if explained.isfinite():
        scores["within_class_explained"] = float(explained)
    return scores
