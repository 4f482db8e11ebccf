"""Tests of attribute sheets against their parts."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from interp_by_design.activations import interpretation_table
from interp_by_design.activations.class_means import ClassMeans
from interp_by_design.data.split import TensorSplit
from interp_by_design.explain.activation_maximization import maximization_for, maximize
from interp_by_design.explain.decoder_images import decoder_views, strong_value
from interp_by_design.explain.deletion import deletion_check
from interp_by_design.explain.global_explanation import explain_globally
from interp_by_design.explain.heat_maps import heatmaps
from interp_by_design.explain.sheets import AttributeSheet, SheetSettings, attribute_sheets
from interp_by_design.model import InterpretableModel
from interp_by_design.terms import InterpretationTable, UnknownName, UserError
from tests.small import FACTS, small_model

N = 40
DEAD = 3
QUICK = SheetSettings(maximize=False)


@pytest.fixture(scope="module")
def model() -> InterpretableModel:
    return small_model().eval()


@pytest.fixture(scope="module")
def split() -> TensorSplit:
    draws = torch.Generator().manual_seed(0)
    return TensorSplit(
        torch.rand(N, *FACTS.image_shape, generator=draws), torch.randint(3, (N,), generator=draws)
    )


@pytest.fixture(scope="module")
def table(model: InterpretableModel, split: TensorSplit) -> InterpretationTable:
    """Shuffled rows, without some of the images, and with an inactive attribute."""
    rows = torch.randperm(N, generator=torch.Generator().manual_seed(1))[: N - 5]
    means = ClassMeans(torch.rand(4, *FACTS.image_shape), torch.arange(3))
    whole = interpretation_table(model, [split.batch(rows)], means)
    attributes = whole.attributes.clone()
    attributes[:, DEAD] = 0
    return replace(whole, attributes=attributes)


def test_sheet_matches_its_parts(
    model: InterpretableModel, split: TensorSplit, table: InterpretationTable
) -> None:
    sheets = attribute_sheets(model, split, table, SheetSettings(samples=2, seed=5))
    overview = explain_globally(table)

    assert [sheet.attribute for sheet in sheets] == list(range(6))
    for j, sheet in enumerate(sheets):
        assert sheet.active_share == pytest.approx(float(overview.active_share[j]))
        assert torch.equal(sheet.class_relevance, overview.relevance[:, j])
    for sheet in (sheet for sheet in sheets if len(sheet.images)):
        _check_samples(sheet, split, table)
        _check_views(sheet, model, table)


def _check_samples(sheet: AttributeSheet, split: TensorSplit, table: InterpretationTable) -> None:
    j = sheet.attribute
    by_value = sorted(
        zip(table.attributes[:, j].tolist(), table.indices.tolist(), strict=True),
        key=lambda one: (-one[0], one[1]),
    )
    wanted = [one for one in by_value[:2] if one[0] > 0]
    assert sheet.indices.tolist() == [index for _, index in wanted]
    assert sheet.values.tolist() == [value for value, _ in wanted]
    assert torch.equal(sheet.images, split.images[sheet.indices])
    assert torch.equal(sheet.labels, split.labels[sheet.indices])


def _check_views(
    sheet: AttributeSheet, model: InterpretableModel, table: InterpretationTable
) -> None:
    j, chosen = sheet.attribute, torch.full((len(sheet.images),), sheet.attribute)
    heat = heatmaps(model, sheet.images, chosen)
    assert torch.allclose(sheet.heatmaps, heat.maps, atol=1e-5)
    assert sheet.heatmap_method == heat.method
    check = deletion_check(model, sheet.images, chosen, heat.maps)
    assert sheet.deletion == pytest.approx(float(check.drop.mean()), abs=1e-4)
    found = maximize(model, sheet.images, chosen, maximization_for(model.facts), seed=5)
    assert sheet.maximized is not None
    assert sheet.maximized_values is not None
    assert torch.allclose(sheet.maximized, found.images, atol=1e-2)
    assert torch.allclose(sheet.maximized_values, found.end_values, atol=1e-2)
    first = table.attributes[int((table.indices == sheet.indices[0]).nonzero())]
    views = decoder_views(model, first, j, strong_value(table, j))
    assert torch.equal(sheet.levels, views.levels)
    assert torch.allclose(sheet.sweep, views.sweep, atol=1e-6)


@pytest.mark.parametrize("maximize_too", [True, False])
def test_sheet_of_an_inactive_attribute_is_empty(
    model: InterpretableModel, split: TensorSplit, table: InterpretationTable, maximize_too: bool
) -> None:
    (sheet,) = attribute_sheets(
        model, split, table, SheetSettings(maximize=maximize_too, attributes=(DEAD,))
    )

    assert (sheet.attribute, sheet.images.shape, sheet.heatmaps.shape) == (
        DEAD,
        (0, 1, 8, 8),
        (0, 8, 8),
    )
    assert (
        len(sheet.indices),
        len(sheet.labels),
        len(sheet.values),
        len(sheet.sweep),
        len(sheet.levels),
    ) == (0, 0, 0, 0, 0)
    assert (sheet.maximized is None) == (not maximize_too)
    assert math.isnan(sheet.deletion)
    assert math.isnan(sheet.deletion_random)
    assert sheet.active_share == 0


def test_selected_attributes_keep_their_order_in_any_group_size(
    model: InterpretableModel,
    split: TensorSplit,
    table: InterpretationTable,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = replace(QUICK, attributes=(5, DEAD, 0))
    together = attribute_sheets(model, split, table, settings)
    monkeypatch.setattr("interp_by_design.explain.sheets.MAX_GROUP_VALUES", 1)
    apart = attribute_sheets(model, split, table, settings)

    assert (
        [sheet.attribute for sheet in together]
        == [sheet.attribute for sheet in apart]
        == [5, DEAD, 0]
    )
    for one, other in zip(together, apart, strict=True):
        assert torch.equal(one.indices, other.indices)
        assert torch.allclose(one.heatmaps, other.heatmaps, atol=1e-5)
        assert one.maximized is None
        assert one.maximized_values is None


def test_invalid_arguments_are_refused(
    model: InterpretableModel, split: TensorSplit, table: InterpretationTable
) -> None:
    with pytest.raises(UserError, match="0 to 5"):
        attribute_sheets(model, split, table, replace(QUICK, attributes=(6,)))
    with pytest.raises(UserError, match="length must"):
        attribute_sheets(model, split, table, replace(QUICK, samples=0))
    with pytest.raises(UnknownName, match="grey"):
        attribute_sheets(model, split, table, SheetSettings(preset="gray"))
