"""Prior of learnable concepts as a loop, and its effect in training."""

import math

import pytest
import torch

from interp_by_design.attributes import LearnableConceptDictionary, TopKDictionary
from interp_by_design.interpreter import DenseDecoder, Interpreter, LearnableConcepts, LinearHead
from interp_by_design.interpreter.learnable_concepts import prior_divergence
from interp_by_design.terms import Batch, ForwardPass, Interpretation, UserError
from interp_by_design.testing import InterpreterConformance


def made(
    shapes: tuple[tuple[int, ...], ...] = ((12,),), n_attributes: int = 6, active: float = 0.2
) -> LearnableConcepts:
    torch.manual_seed(0)
    dictionary = LearnableConceptDictionary(
        [torch.Size(shape) for shape in shapes], n_attributes, embedding=4
    )
    head, decoder = LinearHead(n_attributes, 5), DenseDecoder(n_attributes, (1, 28, 28), width=8)
    return LearnableConcepts(dictionary, head, decoder, active=active)


class TestLearnableConcepts(InterpreterConformance):
    def interpreter(self) -> Interpreter:
        return made(self.shapes, self.n_attributes)


def test_the_prior_is_the_divergence_in_a_loop() -> None:
    p = torch.rand(7, 4, generator=torch.Generator().manual_seed(0))
    wanted = 0.0
    for j in range(4):
        share = sum(p[n, j].item() for n in range(7)) / 7
        wanted += share * math.log(share / 0.3) + (1 - share) * math.log((1 - share) / 0.7)
    assert float(prior_divergence(p, 0.3)) == pytest.approx(wanted / 2, rel=1e-5)
    assert float(prior_divergence(torch.full((3, 4), 0.3), 0.3)) == pytest.approx(0, abs=1e-6)


def test_concepts_that_are_never_or_always_on_have_a_finite_prior() -> None:
    p = torch.tensor([[0.0, 1.0]], requires_grad=True)
    divergence = prior_divergence(p, 0.2)
    divergence.backward()  # type: ignore[no-untyped-call]
    assert p.grad is not None
    assert p.grad.isfinite().all()
    assert float(divergence.detach()) == pytest.approx(
        (math.log(1 / 0.8) + math.log(1 / 0.2)) / math.sqrt(2), rel=1e-4
    )


def test_training_on_the_prior_alone_gives_each_concept_its_frequency() -> None:
    interpreter, draws = made(active=0.1).train(), torch.Generator().manual_seed(1)
    optimizer = torch.optim.Adam(interpreter.parameters(), 1e-2)
    hidden = torch.randn(300, 12, generator=draws)
    batch = Batch(
        torch.zeros(300, 1, 28, 28), torch.zeros(300, dtype=torch.long), torch.arange(300)
    )
    for _ in range(150):
        attributes = interpreter(ForwardPass(torch.zeros(300, 5), (hidden,)))
        seen = Interpretation(torch.zeros(300, 5), interpreter.head(attributes), attributes, None)
        terms = interpreter.extra_terms(seen, batch)
        optimizer.zero_grad()
        terms["prior"].backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    assert set(interpreter.extra_weights) == set(terms) == {"prior"}
    probabilities = interpreter.dictionary.probabilities
    assert probabilities is not None
    assert probabilities.mean(dim=0).tolist() == pytest.approx([0.1] * 6, abs=0.03)


def test_other_dictionaries_and_values_are_refused() -> None:
    dictionary = TopKDictionary([torch.Size((12,))], 6, k=2)
    with pytest.raises(UserError, match="need attributes=learnable_concepts, not TopKDictionary"):
        LearnableConcepts(dictionary, LinearHead(6, 5), DenseDecoder(6, (1, 28, 28)))
    with pytest.raises(UserError, match=r"between 0 and 1, not 1\.0"):
        made(active=1.0)
    seen = Interpretation(torch.zeros(1, 5), torch.zeros(1, 5), torch.zeros(1, 6), None)
    with pytest.raises(UserError, match="there was none"):
        made().extra_terms(
            seen, Batch(torch.zeros(1, 1, 28, 28), torch.zeros(1).long(), torch.zeros(1).long())
        )
