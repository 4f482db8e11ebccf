import pytest
import torch
import torch.nn.functional as F

from interp_by_design.learning import Forms, Objective
from interp_by_design.losses import (
    anchoring,
    independence,
    input_fidelity,
    magnitude,
    output_fidelity,
)
from interp_by_design.terms import Batch, Interpretation, UnknownName, UserError


def passed() -> tuple[Interpretation, Batch]:
    torch.manual_seed(0)
    seen = Interpretation(
        torch.randn(6, 3), torch.randn(6, 3), torch.rand(6, 5), torch.rand(6, 1, 4, 4)
    )
    return seen, Batch(torch.rand(6, 1, 4, 4), torch.arange(6) % 3, torch.arange(6))


def test_terms_are_the_losses_and_weights_are_the_papers() -> None:
    seen, batch = passed()
    objective = Objective(beta=0.5, gamma=0.8, delta=0.2, eta=0.5)
    factors = objective.factors(1.0)
    weights = {
        "prediction": 1,
        "output_fidelity": 0.5,
        "input_fidelity": 0.8,
        "conciseness": 0.2,
        "magnitude": 0.1,
    }
    assert factors == pytest.approx(
        weights | {"independence": 0, "sufficiency": 0, "anchoring": 0}
    ), "ours are no part of the paper's objective"
    terms = objective.terms(seen, batch, factors)
    assert torch.equal(terms["prediction"], F.cross_entropy(seen.predictor, batch.labels))
    assert torch.equal(terms["output_fidelity"], output_fidelity(seen.interpreter, seen.predictor))
    assert torch.equal(terms["input_fidelity"], input_fidelity(seen.reconstruction, batch.images))
    assert torch.equal(terms["magnitude"], magnitude(seen.attributes))


def test_original_terms_next_to_the_papers() -> None:
    seen, batch = passed()
    objective = Objective(independence=0.3, sufficiency=0.5, anchoring=0.1)
    factors = objective.factors(1.0)
    assert [factors[name] for name in ("independence", "sufficiency", "anchoring")] == [
        0.3,
        0.5,
        0.1,
    ]
    shown = torch.randn(6, 3)
    terms = objective.terms(seen, batch, factors, shown=shown)
    assert torch.equal(terms["independence"], independence(seen.attributes, seen.predictor))
    assert torch.equal(terms["sufficiency"], output_fidelity(shown, seen.predictor))
    assert torch.equal(terms["anchoring"], anchoring(seen.attributes, batch.images))
    assert "sufficiency" not in objective.terms(seen, batch, factors), (
        "there is nothing to take it of"
    )


@pytest.mark.parametrize("teaching", [True, False])
def test_f_learns_from_g_unless_g_is_a_control(teaching: bool) -> None:
    seen, batch = passed()
    for logits in (seen.predictor, seen.interpreter):
        logits.requires_grad_()
    objective = Objective(gamma=0.0, delta=0.0, forms=Forms(output_fidelity="mutual"))
    objective.terms(seen, batch, objective.factors(1.0), teaching=teaching)[
        "output_fidelity"
    ].backward()
    assert seen.interpreter.grad is not None
    assert (seen.predictor.grad is not None) == teaching


def test_a_term_without_weight_is_not_computed() -> None:
    objective = Objective(beta=0.0, gamma=0.0, delta=0.0)
    seen, batch = passed()
    assert set(objective.terms(seen, batch, objective.factors(1.0))) == {"prediction"}


def test_the_schedule_says_when_a_term_enters() -> None:
    objective = Objective(beta=0.5, schedule={"output_fidelity": {"steps": {3: 1.0}, "ramp": 1}})
    assert [
        objective.factors(epoch)["output_fidelity"] for epoch in (2.9, 3.5, 4.0)
    ] == pytest.approx([0, 0.25, 0.5])
    assert objective.factors(1.0)["input_fidelity"] == 1.0, (
        "a term that the schedule does not name holds from the start"
    )


@pytest.mark.parametrize("weight", [-1.0, float("nan"), float("inf")])
def test_weights_that_are_no_weights_are_refused(weight: float) -> None:
    with pytest.raises(UserError, match="The weight gamma must be a finite number >= 0"):
        Objective(gamma=weight)


def test_unknown_terms_and_forms_are_named() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'output_fidelity'"):
        Objective(schedule={"output_fidelty": {"steps": {1: 1}}})
    with pytest.raises(UnknownName, match=r"No form of codes 'softmx'.*Did you mean 'softmax'"):
        Forms(codes="softmx")  # type: ignore[arg-type]
