import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from interp_by_design.losses import (
    anchoring,
    conciseness,
    independence,
    input_fidelity,
    magnitude,
    output_fidelity,
)
from interp_by_design.losses.anchors import waves
from interp_by_design.losses.code_entropy import SMOOTHING, entropy, softmax_entropy, sum_code
from tests.reference import losses as reference


def rows(low: float, high: float) -> st.SearchStrategy[list[list[float]]]:
    number = st.floats(low, high, width=32)
    return st.integers(2, 6).flatmap(
        lambda width: st.lists(
            st.lists(number, min_size=width, max_size=width), min_size=1, max_size=5
        )
    )


def tensor(values: list[list[float]]) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


@given(rows(-30, 30))
def test_both_directions_of_output_fidelity(logits: list[list[float]]) -> None:
    other = [row[::-1] for row in logits]
    g, f = tensor(logits), tensor(other)
    assert float(output_fidelity(g, f, "trained")) == pytest.approx(
        reference.cross_entropy(of=other, under=logits), abs=1e-9
    )
    assert float(output_fidelity(g, f, "printed")) == pytest.approx(
        reference.cross_entropy(of=logits, under=other), abs=1e-9
    )

    both = reference.cross_entropy(of=other, under=logits) + reference.cross_entropy(
        of=logits, under=other
    )
    assert float(output_fidelity(g, f, "mutual")) == pytest.approx(both, abs=1e-9)


def test_mutual_fidelity_teaches_each_side_from_the_detached_other() -> None:
    g, f = torch.randn(3, 4, requires_grad=True), torch.randn(3, 4, requires_grad=True)
    output_fidelity(g, f, "mutual").backward()
    # The gradient of a cross-entropy against a constant target is (softmax - target) / n.
    apart = (g.detach().softmax(dim=1) - f.detach().softmax(dim=1)) / 3
    torch.testing.assert_close(g.grad, apart)
    torch.testing.assert_close(f.grad, -apart)


def test_trained_direction_teaches_only_g_and_printed_teaches_both() -> None:
    g, f = torch.randn(3, 4, requires_grad=True), torch.randn(3, 4, requires_grad=True)
    output_fidelity(g, f, "trained").backward()
    assert g.grad is not None
    assert f.grad is None
    output_fidelity(g, f, "printed").backward()
    assert f.grad is not None


def test_input_fidelity_is_a_mean_over_pixels() -> None:
    image, other = (
        torch.zeros(2, 1, 2, 2),
        torch.tensor([0.0, 0.0, 0.0, 0.5]).view(1, 1, 2, 2).repeat(2, 1, 1, 1),
    )
    assert float(input_fidelity(other, image, "mse")) == pytest.approx(0.25 / 4)
    assert float(input_fidelity(other, image, "l1")) == pytest.approx(0.5 / 4)


@given(rows(0, 30))
def test_conciseness_of_softmax_codes(attributes: list[list[float]]) -> None:
    assert float(conciseness(tensor(attributes), "softmax")) == pytest.approx(
        reference.conciseness_softmax(attributes), abs=1e-9
    )


@given(rows(0, 30))
def test_conciseness_of_sum_codes(attributes: list[list[float]]) -> None:
    expected = reference.conciseness_sum(attributes, SMOOTHING)
    assert float(conciseness(tensor(attributes), "sum")) == pytest.approx(expected, abs=1e-9)


def test_magnitude_is_a_mean_over_samples_and_attributes() -> None:
    assert float(magnitude(torch.tensor([[1.0, 0.0], [2.0, 5.0]]))) == pytest.approx(2.0)


def test_entropies_published_for_one_active_attribute_of_25() -> None:
    """Measured on the official code, by the attribute's value; log 25 = 3.22."""
    for value, expected in ((0, 3.22), (1, 3.18), (2, 2.98), (5, 0.85), (8, 0.07)):
        code = torch.zeros(1, 25)
        code[0, 3] = value
        assert float(softmax_entropy(code)) == pytest.approx(expected, abs=0.01)


def test_the_dead_dictionary_is_no_optimum_of_sum_codes() -> None:
    dead, diverse = torch.zeros(10, 10), torch.eye(10)
    assert float(conciseness(dead)) == pytest.approx(0.0, abs=1e-6)
    assert float(conciseness(diverse)) < -0.9 * math.log(10)
    assert float(entropy(sum_code(dead))) == pytest.approx(math.log(10), abs=1e-6), (
        "undecided, not concise"
    )


@pytest.mark.parametrize("size", [1e4, -1e4])
def test_everything_is_finite_for_huge_values(size: float) -> None:
    logits = (size * torch.eye(3)).requires_grad_()
    attributes = (abs(size) * torch.eye(3)).requires_grad_()
    losses = [
        output_fidelity(logits, -logits, "printed"),
        output_fidelity(logits, -logits, "trained"),
        magnitude(attributes),
    ]
    losses += [conciseness(attributes, "softmax"), conciseness(attributes, "sum")]
    total = torch.stack(losses).sum()
    total.backward()
    assert torch.isfinite(total)
    assert logits.grad is not None
    assert attributes.grad is not None
    assert torch.isfinite(logits.grad).all()
    assert torch.isfinite(attributes.grad).all()


def test_gradients_are_finite_at_the_all_zero_code() -> None:
    attributes = torch.zeros(4, 5, requires_grad=True)
    conciseness(attributes).backward()
    assert attributes.grad is not None
    assert torch.isfinite(attributes.grad).all()


def test_independence_is_the_share_explained_by_a_ridge_regression_on_the_answer() -> None:
    torch.manual_seed(0)
    f, attributes = (
        2 * torch.randn(40, 3, dtype=torch.float64),
        torch.rand(40, 4, dtype=torch.float64),
    )
    attributes[:, 0] = f.softmax(dim=1)[:, 1]
    expected = reference.independence(attributes.tolist(), f.tolist())
    assert float(independence(attributes, f)) == pytest.approx(expected, abs=1e-6)


def test_independence_separates_copies_of_the_answer_from_independent_attributes() -> None:
    torch.manual_seed(0)
    f = 2 * torch.randn(4000, 3)
    copies, own = f.softmax(dim=1), torch.rand(4000, 3)
    assert float(independence(copies, f)) > 0.9
    assert float(independence(own, f)) < 0.01
    assert float(independence(torch.zeros(50, 3), f[:50])) == 0


def test_independence_teaches_the_attributes_alone() -> None:
    attributes, f = torch.rand(20, 4, requires_grad=True), torch.randn(20, 3, requires_grad=True)
    independence(attributes, f).backward()
    assert attributes.grad is not None
    assert torch.isfinite(attributes.grad).all()
    assert f.grad is None


def test_anchoring_equals_the_cosine_transform() -> None:
    torch.manual_seed(0)
    attributes, images = (
        torch.rand(30, 5, dtype=torch.float64),
        torch.rand(30, 1, 6, 4, dtype=torch.float64),
    )
    assert float(anchoring(attributes, images)) == pytest.approx(
        reference.anchoring(attributes.tolist(), images[:, 0].numpy()), abs=2e-3
    )


def test_attributes_that_are_their_anchors_have_no_loss() -> None:
    torch.manual_seed(0)
    images = torch.rand(50, 3, 5, 5)
    amounts = images.flatten(1) @ waves((3, 5, 5), 3).T
    amounts = amounts - amounts.mean(dim=0)
    assert float(anchoring(torch.cat([amounts, -amounts], dim=1).relu(), images)) == pytest.approx(
        0, abs=1e-2
    )
    assert float(anchoring(torch.cat([-amounts, amounts], dim=1).relu(), images)) > 1, (
        "the parts of a direction differ"
    )
    alike = torch.rand(1, 3, 5, 5).expand(50, -1, -1, -1)
    assert float(anchoring(torch.rand(50, 6), alike)) == pytest.approx(1, abs=1e-3), (
        "equal images hold no waves"
    )


def test_waves_are_slow_first_orthogonal_and_limited_by_the_pixels() -> None:
    basis = waves((3, 4, 4), 12)
    assert torch.allclose(basis @ basis.T, torch.eye(12), atol=1e-6)
    assert torch.allclose(basis[0], basis[0, 0]), "the first is brightness"
    assert waves((1, 2, 2), 6).norm(dim=1).tolist() == pytest.approx([1, 1, 1, 1, 0, 0])
    assert torch.isfinite(anchoring(torch.rand(9, 11), torch.rand(9, 1, 2, 2)))


def test_anchoring_has_gradients_after_waves_were_cached_in_inference_mode() -> None:
    with torch.inference_mode():
        anchoring(torch.rand(8, 4), torch.rand(8, 1, 3, 7))
    attributes = torch.rand(8, 4)
    attributes[:, 0] = 0  # a dead one
    attributes.requires_grad_()
    anchoring(attributes, torch.rand(8, 1, 3, 7)).backward()
    assert attributes.grad is not None
    assert torch.isfinite(attributes.grad).all()
    assert attributes.grad.abs().sum() > 0
