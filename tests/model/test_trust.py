"""Tests of the classes that a saved configuration may name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from interp_by_design.attributes import TopKDictionary
from interp_by_design.model import InterpretableModel
from interp_by_design.terms import UserError
from tests.model.saving import model, network, spec


# A user may derive from a class that is final.
class CustomDictionary(TopKDictionary):  # type: ignore[misc]
    """Dictionary defined outside the package."""


@pytest.mark.parametrize(
    "target",
    [
        "os.system",
        "builtins.eval",
        "torch.nn.Linear",
        "interp_by_design.interpreter.instantiate",  # of this package, but it accepts trust=True
        "interp_by_design.interpreter.spec.instantiate",
        "interp_by_design.interpreter.build_interpreter",
        "interp_by_design.interpreter.spec._named",
        "interp_by_design.interpreter.spec.partial",
        "interp_by_design.interpreter.InterpreterSpec",
        "interp_by_design.predictor.torchvision_network",  # of this package, but it may download
        "interp_by_design.predictor.weight_files.read_weights",
        "interp_by_design.model.InterpretableModel",
        "",
        7,
        None,
    ],
)
@pytest.mark.parametrize(
    "place", ["attributes___target_", "interpreter__head___target_", "attributes__k"]
)
def test_targets_that_are_no_part_of_an_interpreter_are_refused(
    target: Any, place: str, saved: Path, change: Callable[..., None]
) -> None:
    change(
        **{
            place: target
            if place.endswith("_target_")
            else {"_target_": target, "_args_": ["touch ran"]}
        }
    )
    with pytest.raises(
        UserError,
        match=r"config\.json describes cannot be built: .* no part of an interpreter.*trust=True",
    ):
        InterpretableModel.from_pretrained(saved, predictor=network())


def test_custom_classes_need_trust(tmp_path: Path) -> None:
    own = f"{CustomDictionary.__module__}.CustomDictionary"
    model(network(), chosen=spec(own)).save_pretrained(tmp_path)
    with pytest.raises(UserError, match="trust=True"):
        InterpretableModel.from_pretrained(tmp_path, predictor=network())
    back = InterpretableModel.from_pretrained(tmp_path, predictor=network(), trust=True)
    assert type(back.interpreter.dictionary).__name__ == "CustomDictionary"
