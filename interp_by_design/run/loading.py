"""A trained model back from its run folder, which may be a stranger's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from omegaconf import DictConfig
from torch import Tensor, nn

from interp_by_design.files import reporting_damage
from interp_by_design.learning.post_hoc import HASH
from interp_by_design.model import InterpretableModel
from interp_by_design.predictor import load_weights, mismatches, weights_hash
from interp_by_design.run.build import build_model
from interp_by_design.run.checkpoint_io import read_checkpoint
from interp_by_design.run.config_safety import harmless
from interp_by_design.run.folder import CONFIG, METRICS, RunFolder
from interp_by_design.terms import DataFacts, UserError


def load(
    run: str | Path,
    checkpoint: str | None = None,
    trust: bool = False,
    predictor: str | Path | nn.Module | None = None,
) -> InterpretableModel:
    """The model of a run folder in evaluation mode, on the CPU: rebuilt from the saved config, with the weights of a checkpoint.

    `checkpoint` is "best" (on validation) or "last"; by default the one that the run evaluated. The data is not needed. A run
    that fitted an interpreter post hoc keeps no weights of the predictor: they are read from the file that the run read, or taken
    from `predictor`, a file or the network itself. Other weights than those that the interpreter was fitted to are refused.

    A stranger's run is safe to load: no checkpoint is ever unpickled, and the config may name nothing but this package's
    networks, dictionaries and interpreters. One with classes of your own needs `trust=True`.

    Raises `UserError` for a folder that is not a run's or is damaged, for a config that is not trusted, and for a checkpoint that
    is not there, is damaged, or belongs to another model.
    """
    folder = RunFolder.existing(run)
    file, facts = folder.path / CONFIG, folder.facts
    config = folder.config if trust else harmless(folder.config, file)
    which = checkpoint or config.get("checkpoint")
    weights = folder.checkpoint(which)
    _require_weights(config, weights, predictor)
    with torch.random.fork_rng(
        devices=[]
    ):  # building draws weights; the caller's random state stays as it was
        if predictor is None:
            with reporting_damage(file):
                model = _built(config, facts, weights)
        else:
            model = _built(config, facts, weights, predictor)
    restore(model, weights)
    if folder.has(METRICS) and which == config.get("checkpoint"):
        model.scores = scores_on_test(folder.read(METRICS))
    return model.eval()


def scores_on_test(scores: Mapping[str, float]) -> dict[str, float]:
    """Those of a run's numbers that are of its test images, by keys without the prefix."""
    return {
        key.removeprefix("test/"): float(value)
        for key, value in scores.items()
        if key.startswith("test/")
    }


def restore(model: InterpretableModel, checkpoint: Path) -> None:
    """The weights of a Lightning checkpoint into `model`. Raises `UserError` for a file that is none, or that does not fit."""
    model.load_state_dict(weights_for(model, checkpoint))


def weights_for(model: InterpretableModel, checkpoint: Path) -> dict[str, Tensor]:
    """The weights in a Lightning checkpoint; raises `UserError` for a file that is none, or whose weights are not `model`'s."""
    content = read_checkpoint(checkpoint)
    weights = {
        key.removeprefix("model."): value
        for key, value in content["state_dict"].items()
        if key.startswith("model.")
    }
    if frozen := content.get(HASH):
        _check_same(model.predictor.network, frozen, checkpoint)
        weights |= {
            key: value for key, value in model.state_dict().items() if key.startswith("predictor.")
        }
    if wrong := mismatches(model.state_dict(), weights):
        raise UserError(
            f"{checkpoint} holds the weights of another model than the config builds: {'; '.join(wrong)}. "
            "Load it from the run folder that it was written in."
        )
    return weights


def _built(
    config: DictConfig,
    facts: DataFacts,
    checkpoint: Path,
    predictor: str | Path | nn.Module | None = None,
) -> InterpretableModel:
    """The model with the weights of f where `checkpoint` has none: those that the run read, or those of `predictor`."""
    kept_apart = HASH in read_checkpoint(checkpoint)
    moved = (
        checkpoint if not kept_apart else predictor if isinstance(predictor, str | Path) else None
    )
    if moved is not None and "path" in config.predictor:
        config.predictor.path = str(moved)  # which network it is may only be seen by its weights
    if isinstance(predictor, nn.Module):
        return build_model(config, facts, network=predictor)
    model = build_model(config, facts, load=kept_apart and predictor is None)
    if kept_apart and predictor is not None:
        load_weights(model.predictor.network, predictor, fresh_head=False)
    return model


def _require_weights(
    config: DictConfig, checkpoint: Path, predictor: str | Path | nn.Module | None
) -> None:
    """Says at once where the weights that a run read are no longer there."""
    named = config.predictor.get("path", config.predictor.get("weights"))
    if predictor is None and HASH in read_checkpoint(checkpoint) and _is_gone(named):
        raise UserError(
            f"The interpreter in {checkpoint} was fitted to a network with the weights in '{named}', which is not there. Give "
            "that file, or the network: load(run, predictor=…)."
        )


def _is_gone(named: object) -> bool:
    """Whether `named` is a file that is not there; a tag of torchvision's or timm's is none."""
    return isinstance(named, str) and Path(named).suffix != "" and not Path(named).is_file()


def _check_same(network: nn.Module, wanted: str, checkpoint: Path) -> None:
    if (found := weights_hash(network)) != wanted:
        raise UserError(
            f"The interpreter in {checkpoint} was fitted to other weights of {type(network).__name__}: SHA-256 {wanted[:12]}, "
            f"and these are {found[:12]}. Give the file that it was fitted to: load(run, predictor=FILE)."
        )
