"""Tests of what `from_pretrained` refuses: networks, folders and damaged files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from interp_by_design.model import InterpretableModel
from interp_by_design.terms import UserError
from tests.model.saving import PACKAGE, network


def test_network_of_other_weights_is_refused_with_both_hashes(saved: Path) -> None:
    with pytest.raises(
        UserError,
        match=r"LeNet had SHA-256 \w{12}, and those of this LeNet have \w{12}\. "
        r".*check_weights=False",
    ):
        InterpretableModel.from_pretrained(saved, predictor=network(seed=1))
    back = InterpretableModel.from_pretrained(saved, predictor=network(seed=1), check_weights=False)
    assert back.explain(torch.rand(1, 8, 8)).contributions.shape == (6,)


@pytest.mark.parametrize(
    "other", [network(channels=(5, 8)), network(n_classes=4)], ids=["layers", "classes"]
)
def test_other_layers_or_classes_are_refused(other: nn.Module, saved: Path) -> None:
    with pytest.raises(
        UserError,
        match=r"This LeNet has . classes, and hidden layers "
        r".*config\.json was fitted to has 3, and",
    ):
        InterpretableModel.from_pretrained(saved, predictor=other, check_weights=False)


@pytest.mark.parametrize(
    ("given", "said"), [(None, "predictor=network: LeNet, with"), ("lenet", "predictor is a str")]
)
def test_network_is_required(given: Any, said: str, saved: Path) -> None:
    with pytest.raises(UserError, match=said):
        InterpretableModel.from_pretrained(saved, predictor=given)


@pytest.mark.parametrize("name", ["interpreter.safetensors", "config.json"])
def test_missing_file_is_named(name: str, saved: Path) -> None:
    (saved / name).unlink()
    with pytest.raises(UserError, match=f"it lacks {name}"):
        InterpretableModel.from_pretrained(saved, predictor=network())


@pytest.mark.parametrize("name", ["interpreter.safetensors", "config.json"])
@pytest.mark.parametrize(
    "damaged",
    [
        lambda whole: b"",
        lambda whole: whole[: len(whole) // 2],
        lambda whole: whole[:-2],
        lambda whole: whole[:40] + bytes(40) + whole[80:],
        lambda whole: whole[:-9] + bytes(9),
        lambda whole: b"not what you are looking for",
    ],
    ids=["empty", "half", "bytes short", "overwritten", "the end overwritten", "text"],
)
def test_damaged_file_is_named(name: str, damaged: Callable[[bytes], bytes], saved: Path) -> None:
    (saved / name).write_bytes(damaged((saved / name).read_bytes()))
    with pytest.raises(UserError, match=name):
        InterpretableModel.from_pretrained(saved, predictor=network())


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        (
            {"format": 3},
            r"config\.json was written in format 3, and this version reads formats 1, 2",
        ),
        ({"format": None}, r"config\.json was written in format None"),
        (
            {"library": "transformers"},
            r"config\.json is not of an interpreter that interp_by_design saved",
        ),
        (
            {"data__class_names": ["a", "b"]},
            r"This LeNet has 3 classes, .*config\.json was fitted to has 2",
        ),
        ({"data__class_names": 3}, r"config\.json is damaged"),
        ({"predictor": []}, r"config\.json is damaged"),
        ({"predictor__preprocessing": {}}, r"config\.json is damaged"),
        (
            {"predictor__hidden_shapes": [[4, 4, 4], [17]]},
            r"hidden layers .*config\.json was fitted to has 3, and",
        ),
        ({"attributes": []}, r"config\.json is damaged"),
        (
            {"attributes": {}},
            r"config\.json describes cannot be built: The options of attributes do not work",
        ),
        (
            {"attributes__k": 9},
            r"config\.json describes cannot be built: k, the number of active attributes",
        ),
        (
            {"attributes__n_attributes": 7},
            r"safetensors holds another interpreter than config\.json .* of another shape",
        ),
        (
            {"interpreter__colour": 7},
            r"config\.json describes cannot be built: The options of interpreter do not work",
        ),
        (
            {"interpreter__head": {}},
            r"config\.json describes cannot be built: The options of interpreter do not work",
        ),
        (
            {"interpreter": {"_target_": f"{PACKAGE}.LinearInterpreter", "_partial_": True}},
            "lacks head and decoder",
        ),
    ],
)
def test_invalid_config_is_named(
    entries: dict[str, Any], said: str, saved: Path, change: Callable[..., None]
) -> None:
    change(**entries)
    with pytest.raises(UserError, match=said):
        InterpretableModel.from_pretrained(saved, predictor=network())


@pytest.mark.parametrize("source", ["no such/folder/at all", "./nowhere", "someone/something"])
def test_source_that_is_no_folder_or_repository_is_refused(source: str) -> None:
    with pytest.raises(UserError, match=f"'{source}' is neither a folder nor a repository"):
        InterpretableModel.from_pretrained(source, predictor=network(), local_files_only=True)


def test_unknown_option_is_named(saved: Path) -> None:
    with pytest.raises(UserError, match="No option 'predictr' in from_pretrained"):
        InterpretableModel.from_pretrained(saved, predictr=network())
