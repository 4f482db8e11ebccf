"""Tables of shards and of processes, put together."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import pytest
import torch

from interp_by_design.activations import load_table, merged, save_table
from interp_by_design.terms import InterpretationTable, UserError
from tests.activations.test_table_folder import same
from tests.explain.made_up import made_up


def rows_of(table: InterpretationTable, rows: torch.Tensor) -> InterpretationTable:
    columns = {
        c.name: getattr(table, c.name)[rows] for c in fields(table) if not c.name.startswith("head")
    }
    return replace(table, **columns)


def shards(table: InterpretationTable) -> list[InterpretationTable]:
    """Three, shuffled, of which two share a few rows; one is empty."""
    order = torch.randperm(len(table), generator=torch.Generator().manual_seed(2))
    return [rows_of(table, order[:120]), rows_of(table, order[:0]), rows_of(table, order[100:])]


def test_shards_are_put_together_by_index_and_padding_counts_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("interp_by_design.activations.table_merging.BATCH_ROWS", 37)
    table = made_up()

    assert same(merged(shards(table)), rows_of(table, table.indices.argsort()))


def test_stored_shards_become_a_stored_table(tmp_path: Path) -> None:
    table = made_up(n=9000)
    for name, shard in zip("ab", shards(table)[::2], strict=True):
        save_table(shard, tmp_path / name)

    whole = merged([load_table(tmp_path / name) for name in "ab"], tmp_path / "whole")

    assert same(whole, rows_of(table, table.indices.argsort()))
    assert same(load_table(tmp_path / "whole"), whole)


def test_what_is_not_of_one_model_or_one_split_is_not_put_together() -> None:
    table = made_up()
    with pytest.raises(UserError, match="not of one model"):
        merged([table, made_up(seed=1)])
    with pytest.raises(UserError, match="not of one model"):
        merged([table, replace(table, head_bias=table.head_bias + 1)])
    with pytest.raises(UserError, match="not of one split"):
        merged([table, replace(table, labels=(table.labels + 1) % 4)])
    with pytest.raises(UserError, match="no table"):
        merged([])
