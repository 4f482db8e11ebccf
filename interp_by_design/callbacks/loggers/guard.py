"""Loggers that cannot stop a run."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, final

from pytorch_lightning.callbacks import ModelCheckpoint
from pytorch_lightning.loggers import Logger
from pytorch_lightning.loggers.logger import (  # type: ignore[attr-defined]
    DummyExperiment,  # only re-exported
)
from torch import Tensor, nn

from interp_by_design.callbacks.loggers.media import (
    Drawing,
    Sheet,
    show_drawings,
    show_page,
    show_sheet,
)

log = logging.getLogger(__name__)


@final
class Guarded(Logger):
    """A logger whose first error is one warning, after which the run continues without it.

    KeyboardInterrupt passes.

    Args:
        label: Name of the logger in the warning.
        logger: The logger.

    Attributes:
        failed: Whether the logger has failed.
    """

    def __init__(self, label: str, logger: Logger) -> None:
        super().__init__()
        self.label, self.logger, self.failed = label, logger, False

    @property
    def name(self) -> str | None:
        name: str | None = self._property("name")
        return name

    @property
    def version(self) -> int | str | None:
        version: int | str | None = self._property("version")
        return version

    @property
    def save_dir(self) -> str | None:
        save_dir: str | None = self._property("save_dir")
        return save_dir

    @property
    def root_dir(self) -> str | None:
        root_dir: str | None = self._property("root_dir")
        return root_dir

    @property
    def log_dir(self) -> str | None:
        log_dir: str | None = self._property("log_dir")
        return log_dir

    @property
    def group_separator(self) -> str:
        return self._property("group_separator") or "/"

    @property
    def experiment(self) -> Any:
        """Lightning's `experiment` of the logger, itself unguarded; a dummy after a failure."""
        found = None if self.failed else self._property("experiment")
        return DummyExperiment() if self.failed else found

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        self._call("log_metrics", metrics, step)

    def log_hyperparams(self, params: Any, *args: Any, **kwargs: Any) -> None:
        self._call("log_hyperparams", params, *args, **kwargs)

    def log_graph(self, model: nn.Module, input_array: Tensor | None = None) -> None:
        self._call("log_graph", model, input_array)

    def save(self) -> None:
        self._call("save")

    def after_save_checkpoint(self, checkpoint_callback: ModelCheckpoint) -> None:
        self._call("after_save_checkpoint", checkpoint_callback)

    def finalize(self, status: str) -> None:
        self._call("finalize", status)

    def log_drawings(self, drawings: Sequence[Drawing], step: int) -> None:
        """Pass figures to a logger that shows images.

        Args:
            drawings: The figures.
            step: Global step.
        """
        self._try("log_drawings", lambda: show_drawings(self.logger, drawings, step))

    def log_sheet(self, sheet: Sheet, step: int) -> None:
        """Pass a table to a logger that shows tables.

        Args:
            sheet: The table.
            step: Global step.
        """
        self._try("log_sheet", lambda: show_sheet(self.logger, sheet, step))

    def log_page(self, page: Path) -> None:
        """Pass the report to a logger that takes pages.

        Args:
            page: Path of the report.
        """
        self._try("log_page", lambda: show_page(self.logger, page))

    def summarise(self, scores: Mapping[str, float]) -> None:
        """Pass the final scores; as logged numbers where the logger has no summary.

        Args:
            scores: Scores by keys such as `test/fidelity`.
        """
        self._call("summarise" if hasattr(self.logger, "summarise") else "log_metrics", scores)

    def _call(self, method: str, *args: Any, **kwargs: Any) -> None:
        self._try(method, lambda: getattr(self.logger, method)(*args, **kwargs))

    def _try(self, doing: str, action: Callable[[], object]) -> None:
        if self.failed:
            return
        try:
            action()
        except Exception as error:
            self._give_up(doing, error)

    def _property(self, name: str) -> Any:
        try:
            return getattr(self.logger, name, None)
        except Exception as error:
            self._give_up(name, error)
            return None

    def _give_up(self, doing: str, error: Exception) -> None:
        if not self.failed:
            message = "The logger %s failed (%s: %s: %s). The run goes on without it."
            log.warning(message, self.label, doing, type(error).__name__, error)
        self.failed = True


def guarded(loggers: Mapping[str, Logger | None] | None) -> list[Logger]:
    """Guard loggers from a configuration.

    Args:
        loggers: Loggers by their names in warnings; entries that are None are left out.

    Returns:
        The guarded loggers.
    """
    return [
        Guarded(str(label), logger)
        for label, logger in (loggers or {}).items()
        if logger is not None
    ]


def guards(loggers: Iterable[Logger]) -> list[Guarded]:
    """Guard the loggers of a trainer.

    Args:
        loggers: Loggers, some of which may be guarded already.

    Returns:
        The loggers, each guarded once; a new guard uses the name of the logger's class.
    """
    return [
        logger if isinstance(logger, Guarded) else Guarded(type(logger).__name__, logger)
        for logger in loggers
    ]


def publish(logger: Guarded, shown: Sequence[Drawing | Sheet], step: int) -> None:
    """Pass figures and tables to a logger, figures together as one row of its history.

    Args:
        logger: The logger.
        shown: Figures and tables.
        step: Global step.
    """
    if drawings := [entry for entry in shown if isinstance(entry, Drawing)]:
        logger.log_drawings(drawings, step)
    for sheet in [entry for entry in shown if isinstance(entry, Sheet)]:
        logger.log_sheet(sheet, step)


def announce(
    loggers: Iterable[Logger], config: Mapping[str, Any], provenance: Mapping[str, Any]
) -> None:
    """Log the configuration and the provenance of a run before it is trained.

    Args:
        loggers: The loggers.
        config: The configuration.
        provenance: Revision, versions, machine and command, logged under `origin`.
    """
    for logger in loggers:
        logger.log_hyperparams({**config, "origin": dict(provenance)})


def summarise(loggers: Iterable[Logger], scores: Mapping[str, float]) -> None:
    """Pass the final scores to loggers and finalize them.

    Args:
        loggers: The loggers.
        scores: Scores by keys such as `test/fidelity`.
    """
    for logger in loggers:
        getattr(logger, "summarise", logger.log_metrics)(dict(scores))
        logger.finalize("success")
