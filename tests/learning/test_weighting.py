import pytest
import torch

from interp_by_design.learning import class_weights
from interp_by_design.losses import prediction
from interp_by_design.terms import UserError


def test_none_weighs_all_alike() -> None:
    assert class_weights(None, [1, 2]) is None


def test_balanced_gives_every_class_the_same_say_and_a_mean_weight_of_one() -> None:
    counts = [10, 30, 60]
    weights = class_weights("balanced", counts)
    assert weights is not None
    says = [count * float(weight) for count, weight in zip(counts, weights, strict=True)]
    assert says == pytest.approx([100 / 3] * 3)


@pytest.mark.parametrize(
    "wanted", ["evenly", [1.0], [1.0, -1.0], [1.0, float("nan")], [0.0, 0.0], [1.0, "much"]]
)
def test_what_is_no_weight_is_refused(wanted: object) -> None:
    with pytest.raises(
        UserError, match="class_weights must be null, balanced, or 2 finite numbers"
    ):
        class_weights(wanted, [1, 2])  # type: ignore[arg-type]


def test_balance_needs_images_of_each_class() -> None:
    with pytest.raises(UserError, match="needs training images of each class"):
        class_weights("balanced", [3, 0])


def test_a_weight_multiplies_the_loss_of_its_samples() -> None:
    logits, labels = torch.randn(6, 3), torch.tensor([0, 1, 2, 0, 1, 2])
    each = [-float(row.log_softmax(0)[label]) for row, label in zip(logits, labels, strict=True)]
    weights = torch.tensor([0.5, 0.0, 2.0])
    expected = (
        sum(loss * float(weights[label]) for loss, label in zip(each, labels, strict=True)) / 6
    )
    assert float(prediction(logits, labels, weights)) == pytest.approx(expected, rel=1e-5)
    assert float(prediction(logits, labels)) == pytest.approx(sum(each) / 6, rel=1e-5)
