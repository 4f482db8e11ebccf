"""Loading of a trained model from its run folder, whose author may be unknown."""

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
    """Load the model of a run folder: rebuilt from the saved config, with a checkpoint's weights.

    The data is not needed. The run of an unknown author is safe to load: no checkpoint is
    unpickled, and the config may name nothing but this package's networks, dictionaries and
    interpreters.

    Args:
        run: The run folder.
        checkpoint: "best" (on validation) or "last"; by default the one that the run evaluated.
        trust: Whether the config may name classes from outside this package.
        predictor: The weights of a post-hoc run's predictor, which the run does not keep: a file,
            or the network itself. By default the file that the run read. Other weights than the
            interpreter was fitted to are refused.

    Returns:
        The model in evaluation mode, on the CPU.

    Raises:
        UserError: For a folder that is not a run's or is damaged, for a config that is not
            trusted, and for a checkpoint that is not there, is damaged, or belongs to another
            model.
    """
    folder = RunFolder.existing(run)
    file, facts = folder.path / CONFIG, folder.facts
    config = folder.config if trust else harmless(folder.config, file)
    which = checkpoint or config.get("checkpoint")
    weights = folder.checkpoint(which)
    _require_weights(config, weights, predictor)
    with torch.random.fork_rng(devices=[]):  # building draws weights
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
    """Select a run's scores of its test images.

    Args:
        scores: Scores by keys such as `test/fidelity`.

    Returns:
        Scores by keys without the prefix.
    """
    return {
        key.removeprefix("test/"): float(value)
        for key, value in scores.items()
        if key.startswith("test/")
    }


def restore(model: InterpretableModel, checkpoint: Path) -> None:
    """Load the weights of a Lightning checkpoint into a model.

    Args:
        model: The model.
        checkpoint: The file.

    Raises:
        UserError: For a file that is no checkpoint, or that does not fit.
    """
    model.load_state_dict(weights_for(model, checkpoint))


def weights_for(model: InterpretableModel, checkpoint: Path) -> dict[str, Tensor]:
    """Read the weights of a model from a Lightning checkpoint.

    Args:
        model: The model, with the predictor's weights where the checkpoint has none.
        checkpoint: The file.

    Returns:
        A state dict that fits the model.

    Raises:
        UserError: For a file that is no checkpoint, or whose weights are of another model.
    """
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
            f"{checkpoint} holds the weights of another model than the config builds: "
            f"{'; '.join(wrong)}. Load it from the run folder that it was written in."
        )
    return weights


def _built(
    config: DictConfig,
    facts: DataFacts,
    checkpoint: Path,
    predictor: str | Path | nn.Module | None = None,
) -> InterpretableModel:
    """Build the model; f gets weights where the checkpoint of a post-hoc run has none."""
    kept_apart = HASH in read_checkpoint(checkpoint)
    moved = (
        checkpoint if not kept_apart else predictor if isinstance(predictor, str | Path) else None
    )
    if moved is not None and "path" in config.predictor:
        config.predictor.path = str(moved)  # the weights alone may say which network it is
    if isinstance(predictor, nn.Module):
        return build_model(config, facts, network=predictor)
    model = build_model(config, facts, load=kept_apart and predictor is None)
    if kept_apart and predictor is not None:
        load_weights(model.predictor.network, predictor, fresh_head=False)
    return model


def _require_weights(
    config: DictConfig, checkpoint: Path, predictor: str | Path | nn.Module | None
) -> None:
    """Check that the weights that a post-hoc run read are still there."""
    named = config.predictor.get("path", config.predictor.get("weights"))
    if predictor is None and HASH in read_checkpoint(checkpoint) and _is_gone(named):
        raise UserError(
            f"The interpreter in {checkpoint} was fitted to a network with the weights in "
            f"'{named}', which is not there. Give that file, or the network: "
            "load(run, predictor=…)."
        )


def _is_gone(named: object) -> bool:
    """Return whether `named` is a missing file; a tag of torchvision or timm is no file."""
    return isinstance(named, str) and Path(named).suffix != "" and not Path(named).is_file()


def _check_same(network: nn.Module, wanted: str, checkpoint: Path) -> None:
    if (found := weights_hash(network)) != wanted:
        raise UserError(
            f"The interpreter in {checkpoint} was fitted to other weights of "
            f"{type(network).__name__}: SHA-256 {wanted[:12]}, and these are {found[:12]}. "
            "Give the file that it was fitted to: load(run, predictor=FILE)."
        )
