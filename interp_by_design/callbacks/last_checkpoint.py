"""The checkpoint that a run is resumed from, and stopping at a signal."""

from __future__ import annotations

import signal
import threading
import time
from pathlib import Path
from types import FrameType
from typing import Any, final

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Checkpoint

from interp_by_design.terms import Batch, UserError

SIGNALS = (signal.SIGINT, signal.SIGTERM)  # Ctrl-C; what schedulers send before they kill
MAX_SHARE = 0.01  # of the time for writing at the ends of epochs


class Interrupted(Exception):
    """Training stopped at a signal, after a checkpoint was written.

    Args:
        number: Number of the signal, also the attribute `signal`.
    """

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.signal = number


@final
class LastCheckpoint(Checkpoint):
    """Write `dirpath`/last.ckpt, from which a run is resumed exactly.

    It is written at the ends of epochs (if that takes less than a hundredth of the time), within
    epochs after `minutes` without a checkpoint, at the end of the training, and at Ctrl-C or
    SIGTERM, which then stop the training with `Interrupted`. A second Ctrl-C stops at once. It is
    written between two steps of the optimiser, never during validation.

    Args:
        dirpath: Folder of the checkpoint.
        minutes: Longest time between two checkpoints, more than 0.

    Raises:
        UserError: `minutes` is not a positive number.
    """

    def __init__(self, dirpath: str, minutes: float = 5.0) -> None:
        if not isinstance(minutes, int | float) or not minutes > 0:
            raise UserError(
                f"minutes={minutes!r} is no time between checkpoints. Give a number above 0."
            )
        self.path, self.minutes = Path(dirpath) / "last.ckpt", minutes
        self._written, self._cost = time.monotonic(), 0.0
        self._stopped = False
        self._signal: int | None = None
        self._stopping: int | None = None  # the signal after which a checkpoint was written
        self._handlers: dict[int, Any] = {}

    def state_dict(self) -> dict[str, Any]:
        return {"stopped": self._stopped}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._stopped = state_dict["stopped"]

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        trainer.should_stop |= self._stopped  # an early stop holds across a resume
        self._written = time.monotonic()
        if threading.current_thread() is threading.main_thread():
            self._handlers = {number: signal.signal(number, self._remember) for number in SIGNALS}

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Batch,
        batch_idx: int,
    ) -> None:
        # Lightning sets `log_every_n_steps` from outside the class.
        done, every = batch_idx + 1, trainer.log_every_n_steps  # type: ignore[attr-defined]
        accumulates = done % trainer.accumulate_grad_batches > 0
        # Lightning logs after this callback, and a resumed run would not log the step again.
        logs = every > 1 and trainer.global_step % every == 0
        validates = done == trainer.num_training_batches
        if not (accumulates or logs or validates):
            self._write_if_due(trainer, self.minutes * 60)

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Batch, batch_idx: int
    ) -> None:
        self._stop_if_signalled()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._write_if_due(trainer, min(self.minutes * 60, self._cost / MAX_SHARE))

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._write(trainer)
        self._restore_handlers()
        self._stop_if_signalled()

    def on_exception(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException
    ) -> None:
        self._restore_handlers()

    def _write_if_due(self, trainer: pl.Trainer, seconds: float) -> None:
        wanted = self._signal is not None or time.monotonic() - self._written >= seconds
        if trainer.world_size > 1:  # clocks and signals differ, and all ranks must take part
            wanted = trainer.strategy.reduce_boolean_decision(wanted, all=False)
        if wanted:
            self._write(trainer)

    def _write(self, trainer: pl.Trainer) -> None:
        start = time.monotonic()
        self._stopped = trainer.should_stop
        self._stopping = (
            trainer.strategy.broadcast(self._signal) if trainer.world_size > 1 else self._signal
        )
        trainer.save_checkpoint(self.path)
        self._written = time.monotonic()
        self._cost = self._written - start

    def _stop_if_signalled(self) -> None:
        if self._stopping is not None:
            raise Interrupted(self._stopping)

    def _remember(self, number: int, frame: FrameType | None) -> None:
        if self._signal is not None and number == signal.SIGINT:
            raise KeyboardInterrupt
        self._signal = number
        print("\nStopping at the next checkpoint. Ctrl-C again stops at once.", flush=True)

    def _restore_handlers(self) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        self._handlers = {}
