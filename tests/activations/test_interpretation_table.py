import dataclasses

import pytest
import torch

from interp_by_design.activations import class_mean_images, interpretation_table
from interp_by_design.model import InterpretableModel
from interp_by_design.terms import Batch, BatchWithActivations, UserError
from tests.small import small_model


def batches(n: int = 20, size: int = 8) -> list[Batch]:
    torch.manual_seed(3)
    images, labels = torch.rand(n, 1, 8, 8), torch.arange(n) % 3
    return [
        Batch(images[i : i + size], labels[i : i + size], torch.arange(i, min(i + size, n)))
        for i in range(0, n, size)
    ]


@pytest.fixture
def model() -> InterpretableModel:
    return small_model()


def test_one_row_an_image_in_the_order_of_the_batches(model: InterpretableModel) -> None:
    data = batches()
    table = interpretation_table(model, data, class_mean_images(data, 3))
    model.eval()
    seen = model(torch.cat([batch.images for batch in data]))
    assert len(table) == 20
    assert table.indices.tolist() == list(range(20))
    assert table.labels.tolist() == [i % 3 for i in range(20)]
    torch.testing.assert_close(table.predictor, seen.predictor)
    torch.testing.assert_close(table.attributes, seen.attributes)
    torch.testing.assert_close(
        table.interpreter, table.attributes @ table.head_weights.T + table.head_bias
    )


def test_errors_are_per_image_means_over_pixels(model: InterpretableModel) -> None:
    data = batches()
    means = class_mean_images(data, 3)
    table = interpretation_table(model, data, means)
    model.eval()
    images = torch.cat([batch.images for batch in data])
    with torch.no_grad():
        seen = model(images)
    for i in range(20):
        decided = means.images_of(seen.predictor[i : i + 1].argmax(dim=1))[0]
        assert float(table.reconstruction_error[i]) == pytest.approx(
            float(((seen.reconstruction[i] - images[i]) ** 2).mean()), rel=1e-5
        )
        assert float(table.class_mean_error[i]) == pytest.approx(
            float(((decided - images[i]) ** 2).mean()), rel=1e-5
        )


def test_leaves_the_model_as_it_was(model: InterpretableModel) -> None:
    model.train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    interpretation_table(model, batches(), class_mean_images(batches(), 3))
    assert all(part.training for part in model.modules())
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_class_means_are_means_by_label_and_the_overall_mean_for_an_absent_class() -> None:
    images = torch.rand(5, 1, 2, 2)
    data = [
        Batch(images[:3], torch.tensor([0, 1, 0]), torch.arange(3)),
        Batch(images[3:], torch.tensor([1, 1]), torch.arange(3, 5)),
    ]
    means = class_mean_images(data, 3).images_of(torch.arange(3))
    torch.testing.assert_close(means[0], (images[0] + images[2]) / 2)
    torch.testing.assert_close(means[1], (images[1] + images[3] + images[4]) / 3)
    torch.testing.assert_close(means[2], images.mean(dim=0))


def test_class_means_hold_the_classes_that_occur_and_the_overall_mean() -> None:
    means = class_mean_images(
        [Batch(torch.rand(4, 1, 2, 2), torch.tensor([7, 900, 7, 7]), torch.arange(4))], 1000
    )
    assert means.images.shape == (3, 1, 2, 2)
    assert means.rows[[7, 900, 0]].tolist() == [0, 1, 2]


def test_what_f_saw_before_need_not_be_seen_again(model: InterpretableModel) -> None:
    data = batches()
    model.eval()
    with torch.no_grad():
        seen = [BatchWithActivations(batch, model.predictor(batch.images)) for batch in data]
    means = class_mean_images(seen, 3)
    assert torch.equal(means.images, class_mean_images(data, 3).images)
    wanted = interpretation_table(model, data, means)
    model.predictor.network.forward = None  # is not run
    table = interpretation_table(model, seen, means)
    for field in dataclasses.fields(table):
        assert torch.equal(getattr(table, field.name), getattr(wanted, field.name)), field.name


def test_an_empty_split_is_an_error(model: InterpretableModel) -> None:
    with pytest.raises(UserError, match="holds no image"):
        interpretation_table(model, [], class_mean_images(batches(), 3))
    with pytest.raises(UserError, match="holds no image"):
        class_mean_images([], 3)
