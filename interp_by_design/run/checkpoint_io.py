"""Atomic writing and safe reading of checkpoints."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, final

import torch
from pytorch_lightning.plugins import CheckpointIO
from torch import Tensor

from interp_by_design.files import replacing, reporting_damage
from interp_by_design.terms import UserError

NO_CHECKPOINT = (
    "is no whole checkpoint, or it holds more than tensors and plain values, which is never "
    "unpickled. Take another checkpoint of the run, or train it again."
)


@final
class AtomicCheckpointIO(CheckpointIO):
    """Lightning plugin that writes whole checkpoints or none, and reads them without unpickling.

    A kill or a full disk leaves the checkpoint before.
    """

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any | None = None
    ) -> None:
        """Write a checkpoint, whole or not at all.

        Args:
            checkpoint: Its content.
            path: The file.
            storage_options: Unused.

        Raises:
            UserError: Where the file cannot be written.
        """
        # Serialised in memory: torch's own writer hides a full disk behind another error.
        serialised = io.BytesIO()
        torch.save(checkpoint, serialised)
        with replacing(Path(path)) as file:
            file.write(serialised.getbuffer())

    def load_checkpoint(
        self, path: str | Path, map_location: Any | None = None, weights_only: bool | None = None
    ) -> dict[str, Any]:
        """Read a checkpoint without unpickling, as `read_checkpoint` does.

        Args:
            path: The file.
            map_location: Unused; tensors are on the CPU.
            weights_only: Unused; nothing else is ever read.

        Returns:
            The content.

        Raises:
            UserError: For a file that is damaged, or that is no checkpoint.
        """
        return read_checkpoint(Path(path))

    def remove_checkpoint(self, path: str | Path) -> None:
        """Remove a checkpoint, if it is there.

        Args:
            path: The file.
        """
        Path(path).unlink(missing_ok=True)


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Read a Lightning checkpoint onto the CPU: tensors and plain values alone.

    Args:
        path: The checkpoint file. It may be damaged, or come from somebody else.

    Returns:
        Its content, with a `state_dict` of tensors.

    Raises:
        UserError: For a file that is damaged, that holds other objects, or that is no checkpoint.
    """
    with reporting_damage(path, NO_CHECKPOINT):
        content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    state = content.get("state_dict") if isinstance(content, dict) else None
    if not isinstance(state, dict) or not all(
        isinstance(key, str) and isinstance(state[key], Tensor) for key in state
    ):
        raise UserError(
            f"{path} is no checkpoint of a run: it has no state_dict of tensors. "
            "Give one that a run has written."
        )
    return content
