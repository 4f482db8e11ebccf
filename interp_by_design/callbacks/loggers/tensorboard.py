"""A run in TensorBoard: curves, figures, tables as text, its config as a card, and a line in the table of hyperparameters."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, final

from pytorch_lightning.loggers import TensorBoardLogger
from pytorch_lightning.utilities import rank_zero_only

from interp_by_design.callbacks.loggers.media import Drawing, Sheet
from interp_by_design.terms import UserError


@final
class TensorBoard(TensorBoardLogger):
    """`<folder>/tensorboard/`, for `tensorboard --logdir runs`; the final numbers are under `scorecard/`.

    What a resumed run repeats replaces what was there. Further `options` go to torch's `SummaryWriter`. Raises `UserError` where
    TensorBoard is not installed.
    """

    def __init__(self, folder: str | Path, **options: Any) -> None:
        if find_spec("tensorboard") is None:
            raise UserError(
                "logger=tensorboard needs TensorBoard: pip install interp_by_design[tensorboard]"
            )
        super().__init__(folder, name="", version="tensorboard", default_hp_metric=False, **options)
        self._step: int | None = None  # the last one logged by this process

    @rank_zero_only
    def log_hyperparams(self, params: Any, *args: Any, **kwargs: Any) -> None:
        """Kept: the card is written with the first numbers, the table's line with the last ones."""
        self.hparams.update(params)

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        self._reach(step or 0)
        super().log_metrics(metrics, step)

    @rank_zero_only
    def log_drawings(self, drawings: Sequence[Drawing], step: int) -> None:
        """Images under their keys; the slider above each goes through the steps."""
        self._reach(step)
        for drawing in drawings:
            self.experiment.add_image(drawing.key, drawing.pixels(), step, dataformats="HWC")

    @rank_zero_only
    def log_sheet(self, sheet: Sheet, step: int) -> None:
        """A table among the texts."""
        self._reach(step)
        self.experiment.add_text(sheet.key, sheet.markdown(), step)

    @rank_zero_only
    def log_page(self, page: Path) -> None:
        """Where the page lies: TensorBoard shows none."""
        self.experiment.add_text("report/page", f"`{page}`", self._step or 0)

    @rank_zero_only
    def summarise(self, scores: Mapping[str, float]) -> None:
        """A point for each number, and a line with all of them and the config in the table of hyperparameters."""
        named = {f"scorecard/{key}": value for key, value in scores.items()}
        super().log_hyperparams(self.hparams, named, self._step or 0)

    def _reach(self, step: int) -> None:
        if self._step is None:
            self._begin(step)
        self._step = step

    def _begin(self, step: int) -> None:
        """Says that a session starts at `step`, whereupon TensorBoard forgets that step and later ones, and writes the card."""
        from tensorboard.compat.proto.event_pb2 import Event, SessionLog  # type: ignore[import-untyped]

        start = Event(step=step, session_log=SessionLog(status=SessionLog.START))
        self.experiment._get_file_writer().add_event(start, step)
        if self.hparams:
            self.experiment.add_text(
                "config", f"```json\n{json.dumps(self.hparams, indent=2, default=str)}\n```", step
            )
