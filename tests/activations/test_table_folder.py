"""Tables on disk: what comes back, what is refused, and what a full disk leaves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from interp_by_design.activations import (
    class_mean_images,
    fits,
    interpretation_table,
    load_table,
    save_table,
)
from interp_by_design.terms import Batch, InterpretationTable, UserError
from tests.explain.made_up import made_up
from tests.small import small_model


def same(one: InterpretationTable, other: InterpretationTable) -> bool:
    return all(
        torch.equal(getattr(one, column.name), getattr(other, column.name))
        for column in fields(one)
    )


def test_a_table_comes_back_as_it_was_and_memory_mapped(tmp_path: Path) -> None:
    table = made_up(n=9000)  # more than is written at once

    save_table(table, tmp_path / "tables/test")

    assert same(load_table(tmp_path / "tables/test"), table)
    assert isinstance(np.load(tmp_path / "tables/test/attributes.npy", mmap_mode="r"), np.memmap)
    assert [path.name for path in (tmp_path / "tables").iterdir()] == ["test"]


def test_what_is_changed_in_a_mapped_table_does_not_reach_the_disk(tmp_path: Path) -> None:
    save_table(made_up(), tmp_path / "t")

    load_table(tmp_path / "t").attributes.zero_()

    assert same(load_table(tmp_path / "t"), made_up())


def test_a_pass_that_is_written_while_it_runs_is_the_one_in_memory(tmp_path: Path) -> None:
    model = small_model()
    images, labels = torch.rand(50, 1, 8, 8), torch.arange(50) % 3
    batches = [
        Batch(images[rows], labels[rows], rows) for rows in torch.split(torch.arange(50), 16)
    ]
    means = class_mean_images(batches, 3)

    on_disk = interpretation_table(model, batches, means, tmp_path / "t")

    assert same(on_disk, interpretation_table(model, batches, means))


def test_half_precision_comes_back_as_numbers_that_numpy_knows(tmp_path: Path) -> None:
    table = replace(
        made_up(),
        attributes=made_up().attributes.bfloat16(),
        head_weights=made_up().head_weights.bfloat16(),
    )

    save_table(table, tmp_path / "t")

    assert torch.equal(load_table(tmp_path / "t").attributes, table.attributes.float())


def test_a_folder_gives_whose_table_it_holds(tmp_path: Path) -> None:
    model, other = small_model(), small_model(seed=1)
    batches = [Batch(torch.rand(3, 1, 8, 8), torch.arange(3), torch.arange(3))]
    interpretation_table(model, batches, class_mean_images(batches, 3), tmp_path / "t")

    assert fits(tmp_path / "t", model)
    assert not fits(tmp_path / "t", other)
    assert not fits(tmp_path / "nowhere", model)
    (tmp_path / "t/table.json").write_text("{")
    assert not fits(tmp_path / "t", model)


def test_a_failed_pass_leaves_the_table_before(tmp_path: Path) -> None:
    save_table(made_up(), tmp_path / "t")
    model, means = (
        small_model(),
        class_mean_images([Batch(torch.rand(3, 1, 8, 8), torch.arange(3), torch.arange(3))], 3),
    )

    with pytest.raises(UserError, match="no image"):
        interpretation_table(model, [], means, tmp_path / "t")

    assert same(load_table(tmp_path / "t"), made_up())
    assert [path.name for path in tmp_path.iterdir()] == ["t"]


def test_a_full_disk_leaves_the_table_before(small_disk: Path) -> None:
    save_table(made_up(), small_disk / "t")

    with pytest.raises(UserError, match="No space left"):
        save_table(made_up(n=40_000), small_disk / "t")

    assert same(load_table(small_disk / "t"), made_up())
    assert [path.name for path in small_disk.iterdir()] == ["t"]


def test_what_the_data_cannot_read_is_not_blamed_on_the_folder(tmp_path: Path) -> None:
    def batches() -> Iterator[Batch]:
        yield Batch(torch.rand(3, 1, 8, 8), torch.arange(3), torch.arange(3))
        raise OSError(5, "Input/output error", "photo.png")

    model = small_model().train()
    means = class_mean_images([next(batches())], 3)

    with pytest.raises(OSError, match=r"photo\.png"):
        interpretation_table(model, batches(), means, tmp_path / "t")

    assert model.training
    assert list(tmp_path.iterdir()) == []


def test_damage_is_reported_and_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="computed again"):
        load_table(tmp_path / "nowhere")

    save_table(made_up(), tmp_path / "t")
    about, column = tmp_path / "t/table.json", tmp_path / "t/labels.npy"
    message, whole = json.loads(about.read_text()), column.read_bytes()
    column.write_bytes(whole[:200])
    with pytest.raises(UserError, match=r"labels\.npy is damaged"):
        load_table(tmp_path / "t")
    np.save(column, np.zeros(7, dtype=np.int64))
    with pytest.raises(UserError, match=r"labels is \(7,\) numbers and should be \(300,\)"):
        load_table(tmp_path / "t")
    column.unlink()
    with pytest.raises(UserError, match=r"labels\.npy is missing"):
        load_table(tmp_path / "t")
    column.write_bytes(whole)
    wrong = {
        "format 99": {"format": 99},
        "head is not the one": {"head": "0"},
        "cannot be read": {"rows": "?"},
    }
    for words, changed in wrong.items():
        about.write_text(json.dumps(message | changed))
        with pytest.raises(UserError, match=words):
            load_table(tmp_path / "t")


def test_there_is_nothing_to_store_of_an_empty_table(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="empty"):
        save_table(made_up(n=0), tmp_path / "t")
