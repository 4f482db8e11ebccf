"""Logger for TensorBoard: curves, figures, tables, config and hyperparameters."""

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
    """Write `<folder>/tensorboard/`, for `tensorboard --logdir runs`.

    The final scores are under `scorecard/`. Steps that a resumed run repeats replace earlier ones.

    Args:
        folder: The run folder.
        **options: Options of torch's `SummaryWriter`.

    Raises:
        UserError: TensorBoard is not installed.
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
        # The config is written with the first numbers, the hyperparameters with the final scores.
        self.hparams.update(params)

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        self._reach(step or 0)
        super().log_metrics(metrics, step)

    @rank_zero_only
    def log_drawings(self, drawings: Sequence[Drawing], step: int) -> None:
        """Log images under their keys.

        Args:
            drawings: The figures.
            step: Global step.
        """
        self._reach(step)
        for drawing in drawings:
            self.experiment.add_image(drawing.key, drawing.pixels(), step, dataformats="HWC")

    @rank_zero_only
    def log_sheet(self, sheet: Sheet, step: int) -> None:
        """Log a table among the texts.

        Args:
            sheet: The table.
            step: Global step.
        """
        self._reach(step)
        self.experiment.add_text(sheet.key, sheet.markdown(), step)

    @rank_zero_only
    def log_page(self, page: Path) -> None:
        """Log the path of the report, because TensorBoard shows no pages.

        Args:
            page: Path of the report.
        """
        self.experiment.add_text("report/page", f"`{page}`", self._step or 0)

    @rank_zero_only
    def summarise(self, scores: Mapping[str, float]) -> None:
        """Log the final scores, and a line in the table of hyperparameters.

        Args:
            scores: Scores by keys such as `test/fidelity`.
        """
        named = {f"scorecard/{key}": value for key, value in scores.items()}
        super().log_hyperparams(self.hparams, named, self._step or 0)

    def _reach(self, step: int) -> None:
        if self._step is None:
            self._begin(step)
        self._step = step

    def _begin(self, step: int) -> None:
        """Start a session at `step`, which makes TensorBoard drop that step and later ones."""
        from tensorboard.compat.proto.event_pb2 import (  # type: ignore[import-untyped]
            Event,
            SessionLog,
        )

        start = Event(step=step, session_log=SessionLog(status=SessionLog.START))
        self.experiment._get_file_writer().add_event(start, step)
        if self.hparams:
            self.experiment.add_text(
                "config", f"```json\n{json.dumps(self.hparams, indent=2, default=str)}\n```", step
            )
