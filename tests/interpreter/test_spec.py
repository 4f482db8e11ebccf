"""Interpreters built from plain values, as Hydra builds them from a config."""

from __future__ import annotations

from collections import OrderedDict
from functools import partial
from typing import Any

import pytest
from hydra import utils as hydra

from interp_by_design.interpreter import InterpreterSpec, LinearHead, build_interpreter, instantiate
from interp_by_design.interpreter.safe_targets import builds_a_model, builds_an_interpreter
from interp_by_design.terms import UserError
from tests.small import FACTS

NAMED = {"_target_": "collections.OrderedDict"}


@pytest.mark.parametrize(
    "config",
    [
        NAMED,
        NAMED | {"a": 1, "b": {"c": None}},
        NAMED | {"a": NAMED | {"b": 2}},
        NAMED | {"a": NAMED | {"b": 2}, "_recursive_": False},
        NAMED | {"_args_": [{"a": 1}], "b": "two"},
        {"_target_": "math.prod", "_args_": [[2, 3.5]]},
        {"a": [NAMED, {"b": NAMED}], "c": True},
    ],
)
def test_builds_what_hydra_builds(config: dict[str, Any]) -> None:
    assert instantiate(config, trust=True) == hydra.instantiate(config, _convert_="all")


def test_a_partial_takes_further_arguments() -> None:
    make = instantiate(NAMED | {"a": 1, "_partial_": True}, trust=True)
    assert isinstance(make, partial)
    assert make(b=2) == OrderedDict(a=1, b=2)


@pytest.mark.parametrize("target", ["no.such.thing", "math.no_such_thing", "math.pi", "", 7])
def test_a_target_that_cannot_be_found_is_named(target: Any) -> None:
    with pytest.raises(UserError, match=f"{target} (cannot be found|is a )"):
        instantiate({"_target_": target}, trust=True)


def test_without_trust_only_this_packages_interpreters_are_built() -> None:
    assert isinstance(
        instantiate(
            {
                "_target_": "interp_by_design.interpreter.LinearHead",
                "n_attributes": 2,
                "n_classes": 2,
            }
        ),
        LinearHead,
    )
    with pytest.raises(UserError, match=r"math\.prod is no part of an interpreter .*trust=True"):
        instantiate({"_target_": "math.prod", "_args_": [[1]]})


def test_networks_are_part_of_a_model_and_not_of_an_interpreter() -> None:
    network = "interp_by_design.predictor.LeNet"
    assert (builds_a_model(network), builds_an_interpreter(network)) == (True, False)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (InterpreterSpec({}, {}), "The options of attributes do not work"),
        (
            InterpreterSpec(
                {"_target_": "interp_by_design.attributes.TopKDictionary", "_partial_": True}, {}
            ),
            "The options of attributes",
        ),
    ],
)
def test_constructor_errors_name_the_config_group(spec: InterpreterSpec, message: str) -> None:
    with pytest.raises(UserError, match=message):
        build_interpreter(spec, [], FACTS)
