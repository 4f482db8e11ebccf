"""Tests of targets against forward passes."""

from __future__ import annotations

import pytest
import torch

from interp_by_design.attributes import all_features
from interp_by_design.explain import Target
from interp_by_design.metrics import LinearProbe
from interp_by_design.statistics import Standardisation
from interp_by_design.terms import UserError
from tests.small import FACTS, small_model


def images() -> torch.Tensor:
    return torch.rand(4, *FACTS.image_shape, generator=torch.Generator().manual_seed(0))


def test_logits_and_probabilities_match_the_forward_pass() -> None:
    model, x = small_model().eval(), images()
    seen = model(x)

    assert torch.equal(Target.logit(2, "f").value(model, x), seen.predictor[:, 2])
    assert torch.equal(Target.logit(1).value(model, x), seen.interpreter[:, 1])
    for network, logits in (("f", seen.predictor), ("g", seen.interpreter)):
        total = sum(
            Target.probability(c, network).value(model, x)  # type: ignore[arg-type]
            for c in range(3)
        )
        torch.testing.assert_close(total, torch.ones(4))
        wanted = logits.exp()[:, 0] / logits.exp().sum(dim=1)
        torch.testing.assert_close(
            Target.probability(0, network).value(model, x),  # type: ignore[arg-type]
            wanted,
        )


def test_attribute_without_competition_matches_the_forward_pass() -> None:
    model, x = small_model().eval(), images()
    torch.testing.assert_close(Target.attribute(1).value(model, x), model(x).attributes[:, 1])


def test_probe_gives_its_logit() -> None:
    model, x = small_model().eval(), images()
    layer = model.predictor.hidden_layers[0]
    features = all_features([model.predictor(x).hidden[0]], 2).detach()
    d = features.shape[1]
    probe = LinearProbe(
        Standardisation(torch.zeros(d), torch.ones(d)), (torch.ones(d, 3),), torch.arange(3.0), 1.0
    )

    found = Target.probe(probe, layer, 2, pooled=2).value(model, x)

    torch.testing.assert_close(found, features.sum(dim=1) + 2)
    with pytest.raises(UserError, match="no hidden layer"):
        Target.probe(probe, "nowhere", 2, pooled=2).value(model, x)


@pytest.mark.parametrize(
    "target", [Target.logit(0, "f"), Target.logit(0), Target.probability(1), Target.attribute(0)]
)
def test_gradients_reach_the_pixels(target: Target) -> None:
    x = images().requires_grad_()
    target.value(small_model().eval(), x).sum().backward()
    assert x.grad is not None
    assert x.grad.isfinite().all()


@pytest.mark.parametrize(
    "target",
    [
        Target.logit(3),
        Target.logit(-1),
        Target.probability(99, "f"),
        Target.attribute(6),
        Target.attribute(-1),
    ],
    ids=lambda target: target.title,
)
def test_a_target_that_the_model_lacks_is_refused(target: Target) -> None:
    with pytest.raises(UserError, match=r"of a target|in a target"):
        target.value(small_model().eval(), images())
