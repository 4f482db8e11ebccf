"""Saved runs: their data, moved, changed or gone, and what an unknown author's run may name."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from omegaconf import OmegaConf

from interp_by_design.activations import load_table, save_table
from interp_by_design.data import Digits
from interp_by_design.run.folder import CONFIG
from interp_by_design.run.saved_run import open_run
from interp_by_design.terms import InterpretationTable, UnknownName, UserError


@pytest.fixture
def change(finished_run: Path) -> Callable[[dict[str, Any]], None]:
    """Sets entries of the data in the saved config."""

    def set_entries(entries: dict[str, Any]) -> None:
        config = OmegaConf.load(finished_run / CONFIG)
        config.data = OmegaConf.merge(config.data, entries)
        OmegaConf.save(config, finished_run / CONFIG)

    return set_entries


def same(one: InterpretationTable, other: InterpretationTable) -> bool:
    return all(
        torch.equal(getattr(one, name), getattr(other, name))
        for name in InterpretationTable.__dataclass_fields__
    )


# ---------------------------------------------------------------------- tables
def test_a_table_is_made_of_the_runs_own_images_and_stored(finished_run: Path) -> None:
    run = open_run(finished_run)
    table = run.table("test")
    data = Digits()
    data.setup()
    batch = data.split("test").batch(torch.arange(5))
    seen = run.model(batch.images)
    assert torch.allclose(table.attributes[:5], seen.attributes, atol=1e-5)
    assert torch.equal(table.labels, data.split("test").labels)
    assert same(load_table(finished_run / "tables/test"), table)


def test_a_stored_table_is_read_and_not_made_again(
    finished_run: Path, change: Callable[..., None]
) -> None:
    table = open_run(finished_run).table("test")
    change({"_target_": "interp_by_design.data.MNIST", "root": "gone", "download": False})
    assert same(open_run(finished_run).table("test"), table)


def test_a_table_of_another_model_is_made_again(finished_run: Path) -> None:
    table = open_run(finished_run).table("test")
    save_table(replace(table, head_weights=table.head_weights * 2), finished_run / "tables/test")
    assert same(open_run(finished_run).table("test"), table)


def test_a_damaged_table_is_reported_and_made_again(
    finished_run: Path, caplog: pytest.LogCaptureFixture
) -> None:
    table = open_run(finished_run).table("test")
    (finished_run / "tables/test/table.json").write_text("{")
    assert same(open_run(finished_run).table("test"), table)
    assert "It is made again" in caplog.text


def test_another_checkpoint_leaves_the_stored_table(finished_run: Path) -> None:
    stored = open_run(finished_run).table("test")
    content = torch.load(
        finished_run / "checkpoints/last.ckpt", weights_only=True
    )  # what digits evaluates
    (head,) = [key for key in content["state_dict"] if key.startswith("model.interpreter.head.")]
    content["state_dict"][head] *= 2
    torch.save(content, finished_run / "checkpoints/best.ckpt")
    other = open_run(finished_run, checkpoint="best").table("test")
    assert torch.equal(other.head_weights, stored.head_weights * 2)
    assert same(load_table(finished_run / "tables/test"), stored)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_only_be_read_still_gives_tables(finished_run: Path) -> None:
    finished_run.chmod(0o500)
    assert len(open_run(finished_run).table("test")) == 360


def test_a_split_that_is_not_there_is_reported(finished_run: Path) -> None:
    with pytest.raises(
        UnknownName, match=r"No split 'tset'\. Known: train, val, test\. Did you mean 'test'"
    ):
        open_run(finished_run).table("tset")


# ---------------------------------------------------------------------- data
def test_data_that_is_gone_is_reported_with_what_to_do(
    finished_run: Path, change: Callable[..., None]
) -> None:
    change({"_target_": "interp_by_design.data.MNIST", "root": "gone", "download": True})
    run = open_run(finished_run)
    with pytest.raises(UserError, match=r"No MNIST in .*gone") as raised:
        run.table("test")
    assert "--data data.root=FOLDER" in str(raised.value)


def test_options_of_the_data_can_be_changed_and_then_nothing_is_stored(finished_run: Path) -> None:
    run = open_run(finished_run, data=["data.validation=100"])
    assert len(run.table("val")) == 100
    assert not (finished_run / "tables").exists()


def test_data_of_the_same_images_takes_the_stored_table(finished_run: Path) -> None:
    stored = open_run(finished_run).table("val")
    assert same(open_run(finished_run, data=["workers=0"]).table("val"), stored)
    assert len(open_run(finished_run, data=["validation=100"]).table("val")) == 100 != len(stored)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("data.rot=x", "No option of the data 'rot'"),
        ("data.root", "Wanted KEY=VALUE"),
        ("data.validation=0", "leaves one side empty"),
    ],
)
def test_a_change_that_cannot_be_is_reported(change: str, message: str, finished_run: Path) -> None:
    with pytest.raises(UserError, match=message):
        _ = open_run(finished_run, data=[change]).data


def test_data_of_another_kind_is_refused(finished_run: Path, change: Callable[..., None]) -> None:
    config = OmegaConf.load(finished_run / CONFIG)
    config.data = {
        "_target_": "interp_by_design.data.FactorImages",
        "n_train": 60,
        "n_test": 30,
        "validation": 20,
    }
    OmegaConf.save(config, finished_run / CONFIG)
    with pytest.raises(
        UserError, match=r"has images of \(3, 32, 32\), and the model takes \(1, 8, 8\)"
    ):
        _ = open_run(finished_run).data


def test_data_that_has_changed_is_reported(
    finished_run: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        _ = open_run(finished_run).data
        assert not caplog.records
        _ = open_run(finished_run, data=["validation=100"]).data
    assert "is not what" in caplog.text


# ---------------------------------------------------------------------- a stranger's run
@pytest.mark.parametrize(
    "entries",
    [
        {"_target_": "os.system"},
        {"_target_": "interp_by_design.run.load"},
        {"_target_": "interp_by_design.data.rendering"},
        {"_target_": "interp_by_design.data.datamodule.hashlib"},
        {"_target_": 7},
        {"batch_size": {"_target_": "os.getcwd"}},
        {"batch_size": [{"_target_": "os.getcwd"}]},
        {"batch_size": "${oc.env:HOME}"},
        {"batch_size": "${hydra:run.dir}"},
    ],
)
def test_a_strangers_data_runs_nothing(
    entries: dict[str, Any], finished_run: Path, change: Callable[..., None]
) -> None:
    change(entries)
    run = open_run(finished_run)
    with pytest.raises(UserError, match=r"names what is no data set of this package .* --trust"):
        _ = run.data


def test_augmentation_is_always_left_out(finished_run: Path, change: Callable[..., None]) -> None:
    change({"augmentation": {"_target_": "os.abort"}})
    assert len(open_run(finished_run).data.split("test")) == 360


def test_who_trusts_a_run_reads_data_of_any_class(
    finished_run: Path, change: Callable[..., None]
) -> None:
    change({"_target_": "tests.run.test_saved_run.OwnDigits"})
    with pytest.raises(UserError, match="--trust"):
        _ = open_run(finished_run).data
    assert len(open_run(finished_run, trust=True).data.split("test")) == 360


class OwnDigits:
    """Digits under another name, as a class of the user's own would be."""

    def __new__(cls, **options: Any) -> Digits:  # type: ignore[misc]  # only what is built counts
        return Digits(**options)


# ---------------------------------------------------------------------- names
def test_names_are_read_and_checked(finished_run: Path) -> None:
    (finished_run / "names.yaml").write_text('3: "loop"\n')
    assert open_run(finished_run).names.label(3) == "φ3 “loop”"
    (finished_run / "names.yaml").write_text('12: "one too many"\n')
    with pytest.raises(UserError, match="attributes 0 to 11"):
        open_run(finished_run)


def test_what_loading_says_of_python_is_said_of_commands_too(finished_run: Path) -> None:
    config = OmegaConf.load(finished_run / CONFIG)
    config.predictor.network._target_ = "os.system"
    OmegaConf.save(config, finished_run / CONFIG)
    with pytest.raises(UserError, match=r"load\(…, trust=True\), or --trust of a command"):
        open_run(finished_run)
