"""Additivity of g: logits are sums over attributes, and attributes sums over positions.

FaCT (Parchami-Araghi et al., NeurIPS 2025, arXiv 2510.25512) asks of a faithful explanation that
the contributions of concepts add up to the logit, and those of positions to the concept. Here the
positions are those of the hidden layers that g reads, not pixels, and an attribute is the softplus
of their sum.
"""

import math

import pytest
import torch
from torch import Tensor

from interp_by_design.explain.target import dictionary_of, read
from interp_by_design.model import InterpretableModel
from interp_by_design.terms import Interpretation
from tests.small import FACTS, small_model

N = 12


def interpreted() -> tuple[InterpretableModel, Tensor, Interpretation]:
    model = small_model().eval()
    images = torch.rand(N, *FACTS.image_shape, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        return model, images, model(images, reconstruct=False)


def test_contributions_add_up_to_every_logit_of_g() -> None:
    model, _, seen = interpreted()
    weights, attributes = model.interpreter.head.weights.tolist(), seen.attributes.tolist()
    for logits, phi in zip(seen.interpreter.tolist(), attributes, strict=True):
        assert logits == pytest.approx(
            [sum(p * w for p, w in zip(phi, row, strict=True)) for row in weights], abs=1e-5
        )
    assert any(any(phi) for phi in attributes)


def test_contributions_of_positions_add_up_to_every_active_attribute() -> None:
    model, images, seen = interpreted()
    dictionary, hidden = dictionary_of(model), read(model, images).hidden
    assert dictionary is not None
    n_active = 0
    for j in range(seen.attributes.shape[1]):
        asked = torch.zeros_like(seen.attributes)
        asked[:, j] = 1
        with torch.no_grad():
            contributions = dictionary.spatial_contributions(hidden, asked)
        assert contributions is not None
        assert [one.shape for one in contributions.maps] == [
            layer[:, 0].shape for layer in hidden if layer.ndim > 2
        ]
        for x in (seen.attributes[:, j] > 0).nonzero()[:, 0].tolist():
            places = sum(
                value for one in contributions.maps for line in one[x].tolist() for value in line
            )
            whole = (
                places + sum(contributions.unplaced[x].tolist()) + float(contributions.constant[x])
            )
            assert float(seen.attributes[x, j]) == pytest.approx(
                math.log(1 + math.exp(whole)), abs=1e-5
            )  # softplus
            n_active += 1
    assert n_active == 2 * N  # k of them on each image
