"""Reconstruction error, and the share of the image that attributes explain beyond f's answer."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from interp_by_design.terms import Images, InterpretationTable


def squared_error(reconstruction: Images, images: Images) -> Float[Tensor, "n"]:
    """Compute `mean over pixels of (d(Φ(x)) - x)^2`; the mean over samples is `reconstruction_mse`.

    Args:
        reconstruction: The decoder's images, [n, c, h, w].
        images: The images, [n, c, h, w], in [0, 1].

    Returns:
        The squared error of each sample, [n].

    >>> import torch
    >>> squared_error(torch.zeros(1, 1, 2, 2), torch.full((1, 1, 2, 2), 0.5)).tolist()
    [0.25]
    """
    return (reconstruction - images).square().flatten(start_dim=1).mean(dim=1)


def within_class_explained(
    error: Float[Tensor, "n"], class_mean_error: Float[Tensor, "n"]
) -> Float[Tensor, ""]:
    """Compute `1 - MSE(d(Φ), x) / MSE(m_{f(x)}, x)`, m_c the mean train image of class c.

    A ratio of means over all samples, not a mean of ratios, which a few uniform images would
    dominate. 0: Φ determines no more of the image than f's answer does.

    Args:
        error: The squared error of the decoder's image, [n].
        class_mean_error: The squared error of the mean train image of the class that f decides,
            [n].

    Returns:
        The explained share, at most 1; below 0 where Φ explains less than f's answer; infinite or
        NaN where every image is its class's mean.

    Source: original to this project, against a relabelled answer.

    >>> import torch
    >>> float(within_class_explained(torch.tensor([1.0, 1.0]), torch.tensor([1.0, 3.0])))
    0.5
    """
    return 1 - error.double().mean() / class_mean_error.double().mean()


def reconstruction_scores(table: InterpretationTable) -> dict[str, float]:
    """Compute the scores of reconstruction.

    Args:
        table: The interpretation table of a split.

    Returns:
        reconstruction_mse and within_class_explained, by key; the second is absent where every
        image is its class's mean image.
    """
    scores = {"reconstruction_mse": float(table.reconstruction_error.double().mean())}
    explained = within_class_explained(table.reconstruction_error, table.class_mean_error)
    if explained.isfinite():
        scores["within_class_explained"] = float(explained)
    return scores
