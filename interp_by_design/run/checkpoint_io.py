"""How Lightning's checkpoints reach the disk and come back."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, final

import torch
from pytorch_lightning.plugins import CheckpointIO

from interp_by_design.files import replacing
from interp_by_design.run.reading import read_checkpoint


@final
class AtomicCheckpointIO(CheckpointIO):
    """A checkpoint is whole or not there: a kill or a full disk leaves the one before. Reading never unpickles freely."""

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any | None = None
    ) -> None:
        """Raises `UserError` where the file cannot be written."""
        serialised = (
            io.BytesIO()
        )  # torch's own writer turns a full disk into an error that says nothing of it
        torch.save(checkpoint, serialised)
        with replacing(Path(path)) as file:
            file.write(serialised.getbuffer())

    def load_checkpoint(
        self, path: str | Path, map_location: Any | None = None, weights_only: bool | None = None
    ) -> dict[str, Any]:
        """Tensors and plain values, whatever is asked for. Raises `UserError` for a file that is damaged or no checkpoint."""
        return read_checkpoint(Path(path))

    def remove_checkpoint(self, path: str | Path) -> None:
        Path(path).unlink(missing_ok=True)
