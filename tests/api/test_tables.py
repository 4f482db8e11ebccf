"""Tables of a model's splits, and scores of tables."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest
import torch

from interp_by_design.activations import fits, load_table
from interp_by_design.api import scores_of, tables_of
from interp_by_design.data import TensorData
from interp_by_design.metrics import scorecard
from tests.small import small_model


@pytest.fixture(scope="module")
def data() -> TensorData:
    draws = torch.Generator().manual_seed(0)
    given = TensorData(
        torch.rand(90, 1, 8, 8, generator=draws),
        torch.arange(90) % 3,
        ("a", "b", "c"),
        test=0.3,
        validation=0.3,
    )
    given.setup()
    return given


def test_tables_are_saved_below_a_folder_by_the_names_of_their_splits(
    data: TensorData, tmp_path: Path
) -> None:
    model = small_model()

    kept = tables_of(model, data, folder=tmp_path / "tables")

    in_memory = tables_of(model, data)
    assert list(kept) == ["train", "val", "test"]
    for split, table in in_memory.items():
        assert fits(tmp_path / "tables" / split, model)
        stored = load_table(tmp_path / "tables" / split)
        assert all(
            torch.equal(getattr(table, column.name), getattr(stored, column.name))
            for column in fields(table)
        )
        assert stored.labels.tolist() == data.split(split).labels.tolist()


def test_scores_of_tables_are_their_scorecards_with_train(data: TensorData) -> None:
    tables = tables_of(small_model(), data, ("train", "test"))

    scores = scores_of(tables, seed=3)

    wanted = scorecard(tables["test"], tables["train"], seed=3)
    assert scores == {f"test/{key}": value for key, value in wanted.items()}
