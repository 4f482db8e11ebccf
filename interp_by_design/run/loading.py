"""A trained model back from its run folder, which may be a stranger's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from interp_by_design.model import InterpretableModel
from interp_by_design.run.build import build_model
from interp_by_design.run.folder import CONFIG, RunFolder
from interp_by_design.run.reading import read_checkpoint, reading
from interp_by_design.run.trust import harmless
from interp_by_design.terms import UserError

LISTED = 3  # names of each kind that an error lists


def load(run: str | Path, checkpoint: str | None = None, trust: bool = False) -> InterpretableModel:
    """The model of a run folder in evaluation mode, on the CPU: rebuilt from the saved config, with the weights of a checkpoint.

    `checkpoint` is "best" (on validation) or "last"; by default the one that the run evaluated. The data is not needed.

    A stranger's run is safe to load: no checkpoint is ever unpickled, and the config may name nothing but this package's
    networks, dictionaries and interpreters. One with classes of your own needs `trust=True`.

    Raises `UserError` for a folder that is not a run's or is damaged, for a config that is not trusted, and for a checkpoint that
    is not there, is damaged, or belongs to another model.
    """
    folder = RunFolder.existing(run)
    file, facts = folder.path / CONFIG, folder.facts
    config = folder.config if trust else harmless(folder.config, file)
    weights = folder.checkpoint(checkpoint or config.get("checkpoint"))
    with reading(file), torch.random.fork_rng(devices=[]):  # building draws weights; the caller's random state stays as it was
        if config.predictor.get("weights"):
            config.predictor.weights = None  # the file that training began with: the checkpoint has all weights
        model = build_model(config, facts)
    restore(model, weights)
    return model.eval()


def restore(model: InterpretableModel, checkpoint: Path) -> None:
    """The weights of a Lightning checkpoint into `model`. Raises `UserError` for a file that is none, or that does not fit."""
    model.load_state_dict(weights_for(model, checkpoint))


def weights_for(model: InterpretableModel, checkpoint: Path) -> dict[str, Tensor]:
    """The weights in a Lightning checkpoint; raises `UserError` for a file that is none, or whose weights are not `model`'s."""
    state = read_checkpoint(checkpoint)["state_dict"]
    weights = {key.removeprefix("model."): value for key, value in state.items() if key.startswith("model.")}
    if misfits := _misfits(model.state_dict(), weights):
        raise UserError(
            f"{checkpoint} holds the weights of another model than the config builds: {'; '.join(misfits)}. "
            "Load it from the run folder that it was written in."
        )
    return weights


def _misfits(wanted: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> list[str]:
    """In words, where the weights `found` are not those that are `wanted`; empty where they can be loaded."""
    names = {
        "missing": [key for key in wanted if key not in found],
        "unexpected": [key for key in found if key not in wanted],
        "of another shape": [
            f"{key} ({_size(found[key])}, the model's is {_size(value)})"
            for key, value in wanted.items()
            if key in found and found[key].shape != value.shape
        ],
    }
    return [f"{kind}: {_first(keys)}" for kind, keys in names.items() if keys]


def _size(tensor: Tensor) -> str:
    return " x ".join(map(str, tensor.shape)) or "a number"


def _first(names: list[str]) -> str:
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return ", ".join(names[:LISTED]) + more
