"""One run, from config to numbers: train, take the chosen checkpoint, evaluate, write, show."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

from omegaconf import DictConfig

from interp_by_design.activations import probe_fidelities
from interp_by_design.api import scores_of, scores_of_running, tables_of
from interp_by_design.callbacks import Interrupted, Throughput, announce, summarise
from interp_by_design.data.datamodule import ImageData
from interp_by_design.learning import PostHoc
from interp_by_design.report import scorecard_table
from interp_by_design.run.distributed import leading, leads, n_processes
from interp_by_design.run.fitting import Fitting
from interp_by_design.run.folder import INTERPRETER, METRICS, PROVENANCE, RunFolder
from interp_by_design.run.loading import restore, scores_on_test
from interp_by_design.run.provenance import origin
from interp_by_design.run.resuming import agreed, opened, plain
from interp_by_design.run.saved_run import TABLES
from interp_by_design.terms import AttributeNames, InterpretationTable, UserError

log = logging.getLogger(__name__)


def train(config: DictConfig) -> dict[str, float]:
    """Runs `config` to its end, or goes on with the run that `config.resume` names; returns the numbers.

    The run folder then holds checkpoints, provenance and metrics.json. Where torchrun or srun started several processes, only
    the first writes and has numbers to return.
    """
    if not leads():
        folder, config = agreed(config)
        Fitting.of(config).run(folder)
        return {}
    with opened(config) as (folder, config):
        if not folder.has(METRICS):
            with _telling_how_to_resume(folder):
                return _lead(folder, config)
        log.info("%s is finished. Its numbers:", folder.path)
        scores: dict[str, float] = folder.read(METRICS)
        scorecard_table.show(scores, config.attributes.n_attributes)
        return scores


def follow(run: str) -> None:
    """Takes part in the fit of a run that another process leads."""
    folder = RunFolder.existing(run)
    config = folder.config
    config.folder = str(folder.path)
    try:
        Fitting.of(config).run(folder)
    except Interrupted:  # which the leading process tells
        return


def _lead(folder: RunFolder, config: DictConfig) -> dict[str, float]:
    """The run in `folder`, from its beginning or its last checkpoint to its numbers."""
    with leading(n_processes(config.trainer)) as start_others:
        fitting = Fitting.of(config)
        _sign(folder, config, fitting.data)
        log.info("Training on %s; the run folder is %s", fitting.data, folder.path)
        start_others(folder.path)
        announce(fitting.trainer.loggers, plain(config), origin())
        fitting.run(folder)
    restore(
        fitting.model.float(), folder.checkpoint(config.checkpoint)
    )  # whatever precision it was trained in, as `load` does
    tables = _looked_at(fitting, folder)
    scores = scores_of(tables, config.seed) | scores_of_running(
        fitting.model, fitting.source, tables, config.seed
    )
    if isinstance(fitting.module, PostHoc):
        scores |= _beside(fitting, config.seed)
        fitting.model.scores, fitting.model.fitted_to = (
            scores_on_test(scores),
            fitting.module.predictor_hash,
        )
        fitting.model.save_pretrained(folder.path / INTERPRETER)
    scores |= _cost(fitting)
    folder.write(METRICS, scores)
    if taught := fitting.model.interpreter.taught:
        _name(folder, taught)
    try:
        from interp_by_design.run.reporting import write_reports  # imports all that draws

        write_reports(fitting, folder, tables)
    finally:  # whoever does not wait for the report still finds the numbers on the dashboard
        summarise(fitting.trainer.loggers, scores)
    scorecard_table.show(scores, fitting.model.interpreter.n_attributes)
    log.info("Everything is in %s", folder.path)
    return scores


def _looked_at(fitting: Fitting, folder: RunFolder) -> dict[str, InterpretationTable]:
    """What the pair makes of every split, kept in the run folder; in memory alone where that is full."""
    try:
        return tables_of(fitting.model, fitting.source, folder=folder.path / TABLES)
    except UserError as error:
        log.warning("%s The run goes on without its tables.", str(error))
        return tables_of(fitting.model, fitting.source)


def _name(folder: RunFolder, taught: Sequence[str]) -> None:
    """What attributes were taught is what they are called, unless somebody has named them before."""
    from interp_by_design.report.names import NAMES, write_names

    if not folder.has(NAMES):
        write_names(folder.path, AttributeNames(dict(enumerate(taught))))


def _beside(fitting: Fitting, seed: int) -> dict[str, float]:
    """What a post-hoc fidelity is to be read beside."""
    train, test = fitting.source.in_order("train"), fitting.source.in_order("test")
    return {
        f"test/{key}": value
        for key, value in probe_fidelities(fitting.model, train, test, seed).items()
    }


def _sign(folder: RunFolder, config: DictConfig, data: ImageData) -> None:
    """The folder says what runs in it; one that is gone on with must meet the same data again."""
    if not folder.is_begun:
        folder.write_provenance(data.facts, data.fingerprint())
        folder.write_config(config)
        return
    provenance = folder.read(PROVENANCE)
    if provenance["data"]["hash"] != data.fingerprint():
        raise UserError(
            f"The data is not what {folder.path} began with: its hash differs. Restore it, or start a new run."
        )
    resumed = {"date": datetime.now(UTC).isoformat(timespec="seconds"), **origin()}
    folder.write(PROVENANCE, provenance | {"resumed": [*provenance.get("resumed", []), resumed]})


@contextmanager
def _telling_how_to_resume(folder: RunFolder) -> Iterator[None]:
    """Whatever ends the run before its time, nothing that it has written is lost, and the user is told how to go on."""
    try:
        yield
    except Interrupted as stopped:
        log.warning(
            "Stopped by %s; a checkpoint is written. To go on, the same command with resume=%s",
            stopped,
            folder.path,
        )
        raise SystemExit(128 + stopped.signal) from None
    except (Exception, KeyboardInterrupt) as error:
        if not folder.last_checkpoint and isinstance(error, KeyboardInterrupt):
            log.warning(
                "Stopped before the first checkpoint; what was recorded on disk is found again by the same command."
            )
        if folder.last_checkpoint:
            log.warning(
                "Stopped. To go on from the last checkpoint, the same command with resume=%s",
                folder.path,
            )
        if isinstance(error, KeyboardInterrupt):
            raise SystemExit(130) from None
        raise


def _cost(fitting: Fitting) -> dict[str, float]:
    """`train/seconds` and `train/images_per_second`, where the callback that measures them was on."""
    watches = fitting.callbacks(Throughput)
    return {f"train/{key}": value for watch in watches[:1] for key, value in watch.scores().items()}
