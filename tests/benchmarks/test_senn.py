"""SENN against its formulas, written out with whole Jacobians and loops."""

import torch
from torch.autograd.functional import jacobian

from benchmarks.senn import (
    Decided,
    Senn,
    Weights,
    loss_of,
    scores_of,
    sufficient,
    trained,
    unsteadiness,
)
from interp_by_design.data import Digits
from interp_by_design.terms import DataFacts, Normalisation
from tests.small import FACTS


def network() -> Senn:
    torch.manual_seed(0)
    return Senn(
        DataFacts(FACTS.image_shape, FACTS.class_names, Normalisation((0.3,), (0.5,))),
        n_concepts=4,
        width=8,
    )


def test_unsteadiness_is_the_gradient_of_f_less_theta_times_the_jacobian_of_h() -> None:
    model, images = network(), torch.rand(3, 1, 8, 8, requires_grad=True)
    directions = torch.randn(3, 3)
    found = unsteadiness(model(images), images, directions)
    total = 0.0
    for i in range(3):
        one = images[i : i + 1].detach()
        of_f = jacobian(lambda x: model(x).logits[0], one).flatten(1)
        of_h = jacobian(lambda x: model(x).concepts[0], one).flatten(1)
        theta = model(one).relevances[0]
        total += float(((of_f - theta @ of_h) * directions[i][:, None]).sum(dim=0).norm().detach())
    torch.testing.assert_close(found, torch.tensor(total / 3), rtol=1e-4, atol=1e-6)


def test_constant_relevances_are_perfectly_steady() -> None:
    model, images = network(), torch.rand(2, 1, 8, 8, requires_grad=True)
    with torch.no_grad():
        model.theta.head[1].weight.zero_()
    assert unsteadiness(model(images), images, torch.ones(2, 3)) < 1e-5


def test_every_part_learns_from_the_loss() -> None:
    model = network()
    loss_of(model, torch.rand(4, 1, 8, 8), torch.tensor([0, 1, 2, 0]), Weights()).backward()
    for part in (model.h, model.theta, model.decoder):
        assert all(
            weight.grad is not None and weight.grad.abs().sum() > 0 for weight in part.parameters()
        )


def test_unsteadiness_alone_teaches_concepts_and_relevances() -> None:
    model, images = network(), torch.rand(4, 1, 8, 8, requires_grad=True)
    unsteadiness(model(images), images, torch.ones(4, 3)).backward()
    assert all(part.head[1].weight.grad.abs().sum() > 0 for part in (model.h, model.theta))


def test_contributions_and_sufficiency_use_the_weights_of_each_image() -> None:
    concepts = torch.tensor([[1.0, 2.0], [1.0, 2.0]])
    relevances = torch.tensor([[[3.0, 1.0], [0.0, 2.4]], [[0.0, 0.0], [-1.0, 5.0]]])
    decided = Decided(concepts, relevances, torch.einsum("ncj,nj->nc", relevances, concepts))
    assert decided.contributions.tolist() == [[3.0, 2.0], [-1.0, 10.0]]
    assert sufficient(decided, torch.tensor([[True, False], [False, True]])).tolist() == [
        True,
        True,
    ]
    assert sufficient(decided, torch.tensor([[False, True], [True, False]])).tolist() == [
        False,
        False,
    ]


def test_it_learns_the_digits_and_is_scored() -> None:
    data = Digits(batch_size=64)
    data.setup()
    scores = scores_of(trained(data, epochs=4, seed=0), data, "test", seed=0)
    assert scores["predictor_accuracy"] > 0.8
    assert (
        1
        <= scores["conciseness@1.5"]
        <= scores["conciseness@5"]
        <= scores["conciseness_abs@5"]
        <= 25
    )
    assert 0 < scores["explanation_noise"] <= 1
