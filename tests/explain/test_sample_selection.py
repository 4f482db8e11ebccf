"""Selection of images worth a look."""

from __future__ import annotations

import math

import torch

from interp_by_design.explain import local_columns, select_samples
from interp_by_design.explain.sample_selection import AT_RANDOM
from tests.report.test_page_values import planted


def test_the_selection_holds_every_kind_of_failure() -> None:
    table = planted()
    columns = local_columns(table)
    selection = select_samples(table, columns, 60, "test", seed=3)
    rows = torch.tensor(selection.rows)
    assert len(set(selection.rows)) == 60
    assert (table.indices[rows].diff() > 0).all()
    for holds, words in (
        (~columns.agrees, "f and g disagree"),
        (~columns.correct, "f is wrong"),
        (~columns.sufficient, "is not sufficient"),
    ):
        assert int(holds[rows].sum()) >= min(10, int(holds.sum())) > 0
        assert f"{int(holds[rows].sum())} of the {int(holds.sum())} where" in selection.description
        assert words in selection.description
    assert 7 in selection.rows
    assert sum(reasons == (AT_RANDOM,) for reasons in selection.reasons.values()) > 5
    assert selection == select_samples(table, columns, 60, "test", seed=3)
    assert selection.rows != select_samples(table, columns, 60, "test", seed=4).rows


def test_typical_samples_are_those_nearest_to_their_class() -> None:
    table = planted()
    f, g = table.predictor.argmax(dim=1).tolist(), table.interpreter.argmax(dim=1).tolist()
    selection = select_samples(table, local_columns(table), 80, "test", seed=0)
    assert selection.typical.keys() == set(g)
    for c, found in selection.typical.items():
        same = [row for row in range(len(table)) if f[row] == g[row] == c]
        mean = [
            math.fsum(float(table.attributes[row, j]) for row in same) / len(same) for j in range(6)
        ]
        far = {row: math.dist(mean, table.attributes[row].tolist()) for row in same}
        assert list(found) == sorted(same, key=far.__getitem__)[: len(found)]


def test_of_few_images_all_are_selected() -> None:
    table = planted(20)
    selection = select_samples(table, local_columns(table), 200, "val", seed=0)
    assert selection.rows == tuple(range(20))
    assert selection.description == "All 20 images of val."


def test_a_selection_may_be_empty() -> None:
    assert select_samples(planted(), local_columns(planted()), 0, "test", seed=0).rows == ()
