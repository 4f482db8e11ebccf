import torch

from interp_by_design.interpreter import LinearHead
from interp_by_design.learning.shown import shown_decision
from interp_by_design.terms import Interpretation


def test_the_decision_of_the_shown_attributes_by_loops() -> None:
    torch.manual_seed(0)
    head, attributes = LinearHead(5, 3), torch.rand(20, 5)
    seen = Interpretation(torch.randn(20, 3), head(attributes), attributes, None)
    expected = []
    for row in attributes.tolist():
        weights = head.weights.tolist()
        logits = [
            sum(w * phi for w, phi in zip(of_class, row, strict=True)) for of_class in weights
        ]
        alpha = [
            abs(w * phi) for w, phi in zip(weights[logits.index(max(logits))], row, strict=True)
        ]
        kept = [phi if one > max(alpha) / 5 else 0.0 for phi, one in zip(row, alpha, strict=True)]
        expected.append(
            [sum(w * phi for w, phi in zip(of_class, kept, strict=True)) for of_class in weights]
        )
    torch.testing.assert_close(shown_decision(head, seen), torch.tensor(expected))


def test_it_teaches_the_attributes_that_are_shown_and_no_others() -> None:
    head = LinearHead(2, 2)
    with torch.no_grad():
        head.linear.weight.copy_(torch.tensor([[1.0, 0.1], [-1.0, 0.1]]))
    attributes = torch.ones(1, 2, requires_grad=True)
    shown_decision(head, Interpretation(torch.zeros(1, 2), head(attributes), attributes, None))[
        0, 0
    ].backward()
    assert attributes.grad is not None
    assert attributes.grad.tolist() == [[1.0, 0.0]]
