"""The results of a run: interpretation tables, scores and published interpreter."""

from __future__ import annotations

import logging
from collections.abc import Mapping

import pytorch_lightning as pl

from interp_by_design.activations import probe_fidelities
from interp_by_design.api import Source, scores_of, scores_of_running, tables_of
from interp_by_design.learning import PostHoc
from interp_by_design.model import InterpretableModel
from interp_by_design.run.folder import INTERPRETER, METRICS, TABLES, RunFolder
from interp_by_design.run.loading import scores_on_test
from interp_by_design.terms import AttributeNames, InterpretationTable, UserError

log = logging.getLogger(__name__)


def make_tables(
    model: InterpretableModel, source: Source, folder: RunFolder
) -> dict[str, InterpretationTable]:
    """Make the interpretation table of every split.

    Args:
        model: The model that was trained.
        source: The data, or its cached activations.
        folder: The run folder. The tables are kept in it where there is space on the disk.

    Returns:
        The tables by split.
    """
    try:
        return tables_of(model, source, folder=folder.path / TABLES)
    except UserError as error:
        log.warning("%s The run continues without saved tables.", str(error))
        return tables_of(model, source)


def evaluate_splits(
    model: InterpretableModel,
    module: pl.LightningModule,
    source: Source,
    tables: Mapping[str, InterpretationTable],
    seed: int,
) -> dict[str, float]:
    """Compute the scorecard of a run.

    Args:
        model: The model that was fitted.
        module: The Lightning module that fitted it.
        source: The data, or its cached activations.
        tables: The interpretation table of each split.
        seed: The seed of everything that the scores draw.

    Returns:
        The scores by keys such as `test/fidelity`. A post-hoc run's contain the fidelities of
        linear probes of the same layers, as baselines.
    """
    scores = scores_of(tables, seed) | scores_of_running(model, source, tables, seed)
    if isinstance(module, PostHoc):
        train, test = source.in_order("train"), source.in_order("test")
        probes = probe_fidelities(model, train, test, seed)
        scores |= {f"test/{key}": value for key, value in probes.items()}
    return scores


def write_results(
    folder: RunFolder,
    model: InterpretableModel,
    module: pl.LightningModule,
    scores: Mapping[str, float],
) -> None:
    """Write metrics.json, the names of learned concepts, and a post-hoc interpreter.

    Args:
        folder: The run folder.
        model: The model that was fitted.
        module: The Lightning module that fitted it.
        scores: The scores of the run.

    Raises:
        UserError: Where a file cannot be written.
    """
    from interp_by_design.report.names import NAMES, write_names

    if isinstance(module, PostHoc):
        model.scores, model.fitted_to = scores_on_test(scores), module.predictor_hash
        model.save_pretrained(folder.path / INTERPRETER)
    folder.write(METRICS, scores)
    concepts = model.interpreter.concept_names
    if concepts and not folder.has(NAMES):  # names that a person gave are kept
        write_names(folder.path, AttributeNames(dict(enumerate(concepts))))
