"""The checkpoint with the best validation score."""

from __future__ import annotations

from typing import Any, final

from pytorch_lightning.callbacks import ModelCheckpoint


@final
class BestCheckpoint(ModelCheckpoint):
    """Lightning's `ModelCheckpoint`, also for a run folder that has moved.

    Lightning forgets the best score where the folder of a resumed run has another path.
    """

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        super().load_state_dict(_moved(state_dict, state_dict["dirpath"], self.dirpath))


def _moved(value: Any, old: str, new: Any) -> Any:
    """`value`, with every path below `old` moved below `new`."""
    if isinstance(value, dict):
        return {_moved(key, old, new): _moved(entry, old, new) for key, entry in value.items()}
    return (
        value.replace(old, str(new), 1)
        if isinstance(value, str) and value.startswith(old)
        else value
    )
