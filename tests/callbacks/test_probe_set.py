"""The probe set: which validation images it holds, and the model's table of them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from interp_by_design.activations import CacheSettings, cached_activations
from interp_by_design.callbacks import probe_set
from interp_by_design.callbacks.probe_set import ProbeSet, one_of_each
from interp_by_design.data import TensorData
from interp_by_design.model import InterpretableModel
from interp_by_design.terms import Batch, BatchWithActivations, UserError
from tests.small import FACTS, small_model


def data(n: int = 300, n_val: int = 100) -> TensorData:
    draws = torch.Generator().manual_seed(1)
    images, labels = torch.rand(n, *FACTS.image_shape, generator=draws), torch.arange(n) % 3
    made = TensorData(images, labels, FACTS.class_names, validation=n_val, test=50)
    made.setup()
    return made


def source(model: InterpretableModel, kind: str) -> Any:
    """The data set, or a frozen predictor's passes over it."""
    return (
        data()
        if kind == "live"
        else cached_activations(
            model.predictor, data(), CacheSettings(kind="ram", dtype="float32"), "cpu"
        )
    )


@pytest.mark.parametrize("kind", ["live", "recorded"])
@pytest.mark.parametrize(
    ("n", "rows"), [(4, [0, 25, 50, 75]), (3, [0, 33, 66]), (500, list(range(100)))]
)
def test_images_are_spread_evenly_over_validation(kind: str, n: int, rows: list[int]) -> None:
    found = ProbeSet.from_data(source(small_model(), kind), n)
    split = data().split("val")
    assert found.table(small_model()).indices.tolist() == rows
    assert torch.equal(found.images, split.batch(torch.tensor(rows)).images)


@pytest.mark.parametrize("kind", ["live", "recorded"])
def test_the_table_equals_the_model_image_by_image(kind: str) -> None:
    model = small_model()
    table = ProbeSet.from_data(source(model, kind), 12).table(model)
    model.eval()
    split = data().split("val")
    for row, index in enumerate(table.indices.tolist()):
        image = split.batch(torch.tensor([index]))
        with torch.no_grad():
            said = model(image.images)
        assert int(table.labels[row]) == int(image.labels)
        for name in ("predictor", "interpreter", "attributes"):
            torch.testing.assert_close(getattr(table, name)[row], getattr(said, name)[0])
    assert torch.equal(table.head_weights, model.interpreter.head.weights)
    assert all(math.isnan(error) for error in table.reconstruction_error)


def test_the_model_stays_in_its_modes_and_without_gradients() -> None:
    model = small_model().train()
    model.predictor.eval()
    modes = [part.training for part in model.modules()]
    table = ProbeSet.from_data(data(), 8).table(model)
    assert [part.training for part in model.modules()] == modes
    assert not table.attributes.requires_grad
    assert not any(part._forward_hooks for part in model.modules())


def test_a_model_of_another_precision_is_evaluated() -> None:
    assert (
        ProbeSet.from_data(data(), 8).table(small_model().bfloat16()).attributes.dtype
        == torch.float32
    )


def test_of_large_images_fewer_are_selected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe_set, "MAX_VALUES", 64 * 20)
    assert len(ProbeSet.from_data(data(), 50).images) == 20
    monkeypatch.setattr(probe_set, "MAX_VALUES", 64 * 2)
    assert len(ProbeSet.from_data(data(), 50).images) == probe_set.MIN_IMAGES
    model = small_model()
    hidden = sum(math.prod(shape) for shape in model.predictor.hidden_shapes)
    monkeypatch.setattr(probe_set, "MAX_VALUES", (64 + hidden) * 30)
    assert len(ProbeSet.from_data(source(model, "recorded"), 50).images) == 30


def test_passes_are_made_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe_set, "images_per_pass", lambda shape: 7)
    whole = [ProbeSet.from_data(source(small_model(), kind), 40) for kind in ("live", "recorded")]
    assert all(len(_labels(batch)) <= 7 for found in whole for batch in found.batches)
    assert torch.equal(whole[0].images, whole[1].images)


def test_rows_are_copied_from_loaders_that_use_their_memory_again() -> None:
    memory = torch.zeros(5, 1, 2, 2)

    class Reusing:
        order = SimpleNamespace(n=15)

        def __iter__(self) -> Iterator[Batch]:
            for start in (0, 5, 10):
                memory.fill_(start)
                yield Batch(memory, torch.zeros(5).long(), torch.arange(start, start + 5))

    found = ProbeSet.from_data(SimpleNamespace(in_order=lambda split: Reusing()), 3)
    assert found.images[:, 0, 0, 0].tolist() == [0, 5, 10]


def test_only_the_rows_of_the_probe_set_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    given, asked = data(), []
    split = given.split("val")
    pixels = type(split).pixels
    monkeypatch.setattr(
        type(split), "pixels", lambda self, rows: asked.extend(rows.tolist()) or pixels(self, rows)
    )
    ProbeSet.from_data(given, 5)
    assert asked == [0, 20, 40, 60, 80]


@pytest.mark.parametrize("given", [None, SimpleNamespace()])
def test_other_data_is_refused(given: Any) -> None:
    with pytest.raises(UserError, match="Give a data set of this package"):
        ProbeSet.from_data(given, 8)


def test_an_empty_split_is_refused() -> None:
    with pytest.raises(UserError, match="no validation image"):
        ProbeSet.from_data(SimpleNamespace(in_order=lambda split: []), 8)


def test_the_split_of_them_goes_by_the_indices_of_validation() -> None:
    found, whole = ProbeSet.from_data(data(), 10).split(), data().split("val")
    rows = torch.tensor([90, 0, 30])
    taken, wanted = found.batch(rows), whole.batch(rows)
    for name in Batch._fields:
        assert torch.equal(getattr(taken, name), getattr(wanted, name))
    assert found.image_shape == whole.image_shape
    assert torch.equal(
        found.take(rows).batch(torch.tensor([1])).images, whole.batch(torch.tensor([0])).images
    )
    with pytest.raises(UserError, match="not in the probe set"):
        found.batch(torch.tensor([1]))


def test_first_one_of_each_class() -> None:
    labels = torch.tensor([2, 2, 2, 0, 5, 0, 5, 5])
    assert one_of_each(labels, 3) == [3, 0, 4]
    assert one_of_each(labels, 6) == [3, 0, 4, 5, 1, 6]
    assert sorted(one_of_each(labels, 99)) == list(range(8))


def _labels(given: Batch | BatchWithActivations) -> torch.Tensor:
    return given.labels
