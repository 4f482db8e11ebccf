"""A trained model back from its run folder."""

from __future__ import annotations

from pathlib import Path

import torch

from interp_by_design.model import InterpretableModel
from interp_by_design.run.build import build_model
from interp_by_design.run.folder import RunFolder


def load(run: str | Path, checkpoint: str | None = None) -> InterpretableModel:
    """The model of a run folder in evaluation mode, on the CPU: rebuilt from the saved config, with the weights of a checkpoint.

    `checkpoint` is "best" (on validation) or "last"; by default the one that the run evaluated. The data is not needed. Raises
    `UserError` for a folder that is not a run's, and for a checkpoint that is not there.
    """
    folder = RunFolder.existing(run)
    weights = folder.checkpoint(checkpoint or folder.config.checkpoint)
    with torch.random.fork_rng(devices=[]):  # building draws weights; the caller's random state stays as it was
        model = build_model(folder.config, folder.facts)
    restore(model, weights)
    return model.eval()


def restore(model: InterpretableModel, checkpoint: Path) -> None:
    """The weights of a Lightning checkpoint into `model`. Never unpickles anything but tensors and plain values."""
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)["state_dict"]
    model.load_state_dict({key.removeprefix("model."): value for key, value in state.items() if key.startswith("model.")})
