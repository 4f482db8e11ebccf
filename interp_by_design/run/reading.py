"""Reading checkpoints that may be damaged, or a stranger's: what is said of them, and that nothing in them is run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from interp_by_design.files import reading
from interp_by_design.terms import UserError

NO_CHECKPOINT = (
    "is no whole checkpoint, or it holds more than tensors and plain values, which is never unpickled. "
    "Take another checkpoint of the run, or train it again."
)


def read_checkpoint(path: Path) -> dict[str, Any]:
    """A Lightning checkpoint, on the CPU: tensors and plain values alone. Raises `UserError` for a file that is none."""
    with reading(path, NO_CHECKPOINT):
        content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    state = content.get("state_dict") if isinstance(content, dict) else None
    if not isinstance(state, dict) or not all(
        isinstance(key, str) and isinstance(state[key], Tensor) for key in state
    ):
        raise UserError(
            f"{path} is no checkpoint of a run: it has no state_dict of tensors. Give one that a run has written."
        )
    return content
