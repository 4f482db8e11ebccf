"""Logger for Weights & Biases, online or offline."""

from __future__ import annotations

import inspect
import logging
import secrets
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, final

from pytorch_lightning.loggers import WandbLogger
from pytorch_lightning.loggers.logger import (  # type: ignore[attr-defined]
    rank_zero_experiment,  # only re-exported
)
from pytorch_lightning.utilities import rank_zero_only

from interp_by_design.callbacks.loggers.media import Drawing, Sheet, log_page_artifact
from interp_by_design.terms import UnknownName

if TYPE_CHECKING:
    from wandb import Run

LIGHTNING_OPTIONS = {"log_model", "prefix", "checkpoint_name", "add_file_policy"}
OWN_OPTIONS = {"dir", "mode"}  # given as `folder` and `offline`
SERVICE_TIMEOUT = 10  # seconds for wandb's service process to end

log = logging.getLogger(__name__)


@final
class Wandb(WandbLogger):
    """Write `<folder>/wandb/` and, unless `offline`, the dashboard.

    A resumed run continues the dashboard's run of its folder. The logger never prompts: without an
    API key or a connection the run is logged offline, and `wandb sync` uploads it later.

    Args:
        folder: The run folder.
        offline: Whether to write files alone.
        init_timeout: Seconds to connect, after which the run is logged offline.
        finish_timeout: Seconds that the end of the run waits for the upload.
        **options: Options of `wandb.init` and Lightning's logger, such as project, name, tags.

    Raises:
        UserError: An option is unknown.
    """

    def __init__(
        self,
        folder: str | Path,
        offline: bool = False,
        init_timeout: float = 30,
        finish_timeout: float = 60,
        **options: Any,
    ) -> None:
        import wandb

        known = (LIGHTNING_OPTIONS | inspect.signature(wandb.init).parameters.keys()) - OWN_OPTIONS
        for option in options.keys() - known:
            raise UnknownName.among("option", option, sorted(known), owner="wandb.init")
        options["name"] = options.get("name") or "/".join(Path(folder).parts[-2:])
        super().__init__(save_dir=folder, offline=offline, **options)
        self._folder = Path(folder)
        self._timeouts = {"init_timeout": init_timeout, "finish_timeout": finish_timeout}

    @property
    @rank_zero_experiment
    def experiment(self) -> Run:
        """wandb's run, started when first used."""
        if self._experiment is None:
            run: Run = self._connect()
            self._experiment = run
            run.define_metric("trainer/global_step")
            run.define_metric("*", step_metric="trainer/global_step", step_sync=True)
        return self._experiment  # type: ignore[return-value]

    @rank_zero_only
    def log_drawings(self, drawings: Sequence[Drawing], step: int) -> None:
        """Log images under their keys, all in one row of the history.

        Args:
            drawings: The figures.
            step: Global step.
        """
        import wandb

        images = {
            drawing.key: wandb.Image(drawing.picture(), caption=drawing.caption)
            for drawing in drawings
        }
        # Lightning types the values as numbers, and wandb takes images as well.
        self.log_metrics(images, step)  # type: ignore[arg-type]

    @rank_zero_only
    def log_sheet(self, sheet: Sheet, step: int) -> None:
        """Log a table that can be sorted and searched.

        Args:
            sheet: The table.
            step: Global step.
        """
        self.log_table(sheet.key, list(sheet.columns), [list(row) for row in sheet.rows], step=step)

    @rank_zero_only
    def log_page(self, page: Path) -> None:
        """Log the page as an artifact of type "report", and as a panel if it is small.

        Args:
            page: Path of the report.
        """
        log_page_artifact(self.experiment, page)

    @rank_zero_only
    def summarise(self, scores: Mapping[str, float]) -> None:
        """Log the final scores in the summary, and end wandb's run.

        Args:
            scores: Scores by keys such as `test/fidelity`.
        """
        self.experiment.summary.update(dict(scores))
        self.experiment.finish()

    @rank_zero_only
    def finalize(self, status: str) -> None:
        super().finalize(status)
        if status == "failed" and self._experiment is not None:
            self._experiment.finish(exit_code=1)

    def _connect(self) -> Run:
        import wandb

        if self._offline:
            return self._init("offline")
        try:
            if (
                wandb.run is None
                and wandb.setup().settings.mode == "online"
                and not wandb.login(prompt=False)
            ):
                raise wandb.Error("no API key; `wandb login` saves one")
            return self._init(None)
        except Exception as error:
            leave_service()  # otherwise the attempt holds the id
            run = self._init("offline")
            log.warning(
                "wandb is not reached (%s). The run is logged offline; "
                "upload it later: wandb sync %s",
                error,
                self._folder / "wandb" / f"offline-run-*-{run.id}",
            )
            return run

    def _init(self, mode: Literal["offline"] | None) -> Run:
        import wandb

        options = {key: value for key, value in self._wandb_init.items() if value is not None}
        settings = wandb.Settings(**{**self._timeouts, **options.pop("settings", {})})
        return wandb.init(
            **{"id": self._lasting_id(), "reinit": "finish_previous", **options},
            mode=mode,
            settings=settings,
        )

    def _lasting_id(self) -> str:
        """The id of the dashboard's run, drawn once and saved in the folder."""
        file = self._folder / "wandb" / "id"
        if not file.is_file() or not file.read_text():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(secrets.token_hex(6))
        return file.read_text()


def leave_service() -> None:
    """End wandb's service process; after a timeout, without waiting for it."""
    import wandb

    def end() -> None:
        with suppress(Exception):
            wandb.teardown()

    ending = threading.Thread(target=end, daemon=True)
    ending.start()
    ending.join(SERVICE_TIMEOUT)
