"""One run, from config to numbers: train, evaluate the chosen checkpoint, write, report."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from omegaconf import DictConfig

from interp_by_design.api import cached_source
from interp_by_design.callbacks import Interrupted, announce, summarise
from interp_by_design.report import scorecard_table
from interp_by_design.run.build import (
    build_cache,
    build_data,
    build_learning,
    build_model,
    build_trainer,
)
from interp_by_design.run.distributed import leading, leads, n_processes
from interp_by_design.run.fitting import (
    check_resumable,
    closing_fit,
    initialise_dictionary,
    prepare_model,
    seed_rank,
    set_up_process,
    timed,
    training_cost,
)
from interp_by_design.run.folder import METRICS, RunFolder
from interp_by_design.run.loading import restore
from interp_by_design.run.provenance import provenance
from interp_by_design.run.results import evaluate_splits, make_tables, write_results
from interp_by_design.run.resuming import acquire, record_start, resolved

log = logging.getLogger(__name__)


def train(config: DictConfig) -> dict[str, float]:
    """Run `config` to its end, or resume the run that `config.resume` names.

    The run folder then holds checkpoints, provenance and metrics.json. Every process of a run
    calls this; only the leading one writes.

    Args:
        config: The configuration, as `conf/train.yaml` composes it.

    Returns:
        The scores by keys such as `test/fidelity`; empty in a process that does not lead.

    Raises:
        UserError: For options that cannot be, data that is not there, and a folder in use.
        SystemExit: After a signal to stop, with its exit code.
    """
    with acquire(config) as (folder, config), explaining_how_to_resume(folder):
        if folder.has(METRICS):
            return _finished(folder, config)
        with leading(n_processes(config.trainer)) as start_workers:
            set_up_process(config)
            data = build_data(config)
            model = build_model(config, data.facts)
            prepare_model(config, model, data)
            module = build_learning(config, model, data.class_counts())
            trainer, cache = build_trainer(config), build_cache(config)
            if leads():
                record_start(folder, config, data)
                start_workers(folder.path)
                announce(trainer.loggers, resolved(config), provenance())
            seed_rank(trainer)
            checkpoint = check_resumable(folder, model)
            with timed(trainer):
                source = cached_source(model, data, cache, trainer.strategy.root_device)
                if checkpoint is None:
                    initialise_dictionary(module, source, data.seed)
            with closing_fit(trainer):
                trainer.fit(module, datamodule=source, ckpt_path=checkpoint)
        if not leads():
            return {}
        restore(model.float(), folder.checkpoint(config.checkpoint))  # in float32, as `load` does
        tables = make_tables(model, source, folder)
        scores = evaluate_splits(model, module, source, tables, config.seed)
        scores |= training_cost(trainer)
        write_results(folder, model, module, scores)
        try:
            from interp_by_design.run.reporting import write_reports  # imports all that draws

            write_reports(folder, model, data, tables, trainer)
        finally:  # at an interrupt of the report, the dashboards still get the numbers
            summarise(trainer.loggers, scores)
        scorecard_table.show(scores, model.interpreter.n_attributes)
        log.info("Everything is in %s", folder.path)
    return scores


@contextmanager
def explaining_how_to_resume(folder: RunFolder) -> Iterator[None]:
    """Log how to resume a run that ends early; what it has written is kept.

    Args:
        folder: The folder of the run that the block trains.

    Raises:
        SystemExit: In the leading process, after a signal to stop.
    """
    try:
        yield
    except Interrupted as stopped:
        if not leads():
            raise
        log.warning(
            "Stopped by %s; a checkpoint is written. To resume, the same command with resume=%s",
            stopped,
            folder.path,
        )
        raise SystemExit(128 + stopped.signal) from None
    except (Exception, KeyboardInterrupt) as error:
        if not leads():
            raise
        if folder.has(METRICS):  # there is nothing left to resume
            pass
        elif folder.last_checkpoint:
            log.warning(
                "Stopped. To resume from the last checkpoint, the same command with resume=%s",
                folder.path,
            )
        elif isinstance(error, KeyboardInterrupt):
            log.warning(
                "Stopped before the first checkpoint; "
                "the same command finds again what was cached on disk."
            )
        if isinstance(error, KeyboardInterrupt):
            raise SystemExit(130) from None
        raise


def _finished(folder: RunFolder, config: DictConfig) -> dict[str, float]:
    """Show the scores of a run that is finished, and return them."""
    if not leads():
        return {}
    log.info("%s is finished. Its numbers:", folder.path)
    scores: dict[str, float] = folder.read(METRICS)
    scorecard_table.show(scores, config.attributes.n_attributes)
    return scores
