"""What a stranger's run may name, and that no detour runs anything else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf
from torch import nn

import interp_by_design
from interp_by_design.predictor import LeNet
from interp_by_design.run.config_safety import harmless
from interp_by_design.terms import UserError
from tests.small import CONF, composed

OPTIONS = [
    f"{group}={file.stem}"
    for group in ("predictor", "attributes", "interpreter")
    for file in (CONF / group).glob("*.yaml")
]


class OwnNetwork(LeNet):
    """A network that this package does not define."""


@pytest.mark.parametrize(
    "target",
    [
        "os.system",
        "builtins.eval",
        "torch.nn.Linear",
        "hydra.utils.get_method",
        "interp_by_design.predictor.hidden_layers.torch.hub.load",  # a module that ours imports
        "interp_by_design.predictor.hidden_layers.nn.Linear",
        "interp_by_design.predictor.predictor.Sequence",
        # Defined elsewhere, reached through a class of this package.
        "interp_by_design.predictor.LeNet.load_state_dict",
        "interp_by_design.predictor.LeNet.__init__",
        "interp_by_design.interpreter.instantiate",  # ours, but it could be asked to trust
        "interp_by_design.interpreter.spec.build_interpreter",
        "interp_by_design.attributes.pooled_features.sample_rows",  # ours, but no class
        "interp_by_design.attributes.dictionary.AttributeDictionary.load_state_dict",
        "interp_by_design.run.load",  # ours, but it could be asked to trust another run
        "interp_by_design.run.loading.load",
        "interp_by_design.run.build.build_model",
        "interp_by_design.data.MNIST",  # ours, but it downloads
        "interp_by_design.cli.main",
        "interp_by_design.predictors.LeNet",
        "interp_by_design.predictor..LeNet",
        "interp_by_design.predictor.\0",
        "interp_by_design.predictor",
        "",
        7,
        None,
        ["os.system"],
    ],
)
def test_a_target_that_is_no_part_of_a_model_is_refused(
    target: Any, run: Path, change: Callable[..., None]
) -> None:
    change(predictor__network___target_=target)
    with pytest.raises(UserError) as raised:
        interp_by_design.load(run)
    assert f"predictor.network._target_: {target}" in str(raised.value)
    assert "trust=True" in str(raised.value)


@pytest.fixture
def resolver(tmp_path: Path) -> Iterator[Path]:
    """A folder that exists once the resolver `run`, which a program registered, was called."""
    ran = tmp_path / "ran"
    OmegaConf.register_new_resolver("run", lambda *_: ran.mkdir())
    yield ran
    OmegaConf.clear_resolver("run")


def malice(file: Path) -> dict[str, Any]:
    return {"_target_": "os.mkdir", "_args_": [str(file)]}


@pytest.mark.parametrize(
    "entries",
    [
        lambda bad: {"attributes__k": bad},
        lambda bad: {"attributes__more": [1, [{"deep": bad}]]},
        lambda bad: {"attributes___args_": [bad]},
        lambda bad: {"attributes___recursive_": False, "attributes__more": bad},
        lambda bad: {"attributes__k": bad | {"_partial_": True}},
        lambda bad: {
            "attributes__k": {"_target_": "interp_by_design.attributes.TopKDictionary", "more": bad}
        },
        lambda bad: {"elsewhere": bad, "attributes__k": "${elsewhere}"},
        lambda bad: {"elsewhere": bad, "attributes": "${elsewhere}"},
        lambda bad: {"first": "os", "attributes__k": bad | {"_target_": "${first}.mkdir"}},
        lambda bad: {"predictor__hidden_layers": [bad]},
        lambda bad: {"attributes__k": "${run:}"},
        lambda bad: {"attributes__k": "${ run : 1 }"},
        lambda bad: {"attributes__k": "\\${run:}"},  # an interpolation only once it is resolved
        lambda bad: {"attributes__k": "\\\\${run:}"},
        lambda bad: {"attributes__k": "${oc.env:HOME}"},
        lambda bad: {"attributes__k": "${oc.decode:'${run:}'}"},
        lambda bad: {"attributes__k": "${oc.create:'{a: 1}'}"},
        lambda bad: {"elsewhere": "${run:}", "attributes__k": "${elsewhere}"},
        lambda bad: {"dollar": "$", "rest": "{run:}", "attributes__k": "${dollar}${rest}"},
        lambda bad: {"checkpoint": "${run:}"},
        lambda bad: {"predictor": "${run:}"},
    ],
)
def test_no_detour_runs_anything(
    entries: Callable[[Any], dict[str, Any]], run: Path, resolver: Path, change: Callable[..., None]
) -> None:
    change(**entries(malice(resolver)))
    with pytest.raises(UserError, match="trust=True"):
        interp_by_design.load(run)
    assert not resolver.exists()


def test_what_loading_does_not_build_may_name_anything(
    run: Path, resolver: Path, change: Callable[..., None]
) -> None:
    anything = malice(resolver)
    change(
        data=anything,
        learning=anything,
        callbacks=anything,
        logger=anything,
        trainer=anything,
        more="${run:}",
    )
    interp_by_design.load(run)
    assert not resolver.exists()


def test_a_class_of_the_users_own_needs_trust(run: Path, change: Callable[..., None]) -> None:
    name = f"{OwnNetwork.__module__}.OwnNetwork"
    change(predictor__network___target_=name)
    with pytest.raises(UserError, match=name):
        interp_by_design.load(run)
    assert isinstance(interp_by_design.load(run, trust=True).predictor.network, nn.Module)


@pytest.mark.parametrize("option", OPTIONS)
def test_every_option_of_this_package_is_trusted(option: str, tmp_path: Path) -> None:
    assert harmless(composed(tmp_path, option), tmp_path)
