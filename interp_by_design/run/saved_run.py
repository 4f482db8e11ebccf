"""A finished run: its model, data, interpretation tables and names of attributes.

Model and names are read at once, data and tables on demand: much works without the images.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, final

import torch
from omegaconf import OmegaConf
from torch import nn

from interp_by_design.activations import class_mean_images, interpretation_table, load_table
from interp_by_design.activations.class_means import ClassMeans
from interp_by_design.data import ImageData
from interp_by_design.model import InterpretableModel
from interp_by_design.report.names import read_names
from interp_by_design.run.dataset import run_data
from interp_by_design.run.folder import TABLES, RunFolder
from interp_by_design.run.image_file import ImageReader
from interp_by_design.run.loading import load
from interp_by_design.terms import (
    SPLITS,
    AttributeNames,
    InterpretationTable,
    UnknownName,
    UserError,
)

log = logging.getLogger(__name__)


@final
@dataclass(frozen=True, eq=False)
class SavedRun:
    """A run to analyse.

    Args:
        folder: The run folder.
        model: The model, loaded.
        names: The names that a person gave to attributes.
        checkpoint: The checkpoint that was asked for; None for the one that the run evaluated.
        changes: Changes of the options of the run's data.
        trust: Whether the config may name classes from outside this package.
    """

    folder: RunFolder
    model: InterpretableModel
    names: AttributeNames
    checkpoint: str | None = None
    changes: tuple[str, ...] = ()
    trust: bool = False

    @cached_property
    def data(self) -> ImageData:
        """The run's data set, read.

        Raises:
            UserError: Where the data is not there.
        """
        return run_data(self.folder, self.changes, self.trust)

    def table(self, split: str) -> InterpretationTable:
        """Return the interpretation table of a split.

        It is read from the run folder where this model made it; else it is made and stored there.

        Args:
            split: train, val or test.

        Returns:
            The table.

        Raises:
            UserError: For an unknown split, and where the images cannot be read.
        """
        if split not in SPLITS:
            raise UnknownName.among("split", split, SPLITS)
        return self._stored(split) or self._made(split)

    @property
    def reader(self) -> ImageReader:
        """The reader of new image files."""
        return ImageReader.from_options(
            self.model.facts.image_shape, self.settings.get("data") or {}
        )

    @property
    def title(self) -> str:
        """The title of the run on a page."""
        path = self.folder.path.resolve()
        return (
            f"{path.parent.name}/{path.name}" if path.name.isdecimal() else path.name
        )  # a run of a sweep has a number

    @cached_property
    def settings(self) -> dict[str, Any]:
        """The run's config, unresolved, since its author may be unknown."""
        content = OmegaConf.to_container(self.folder.config)
        return (
            {str(key): value for key, value in content.items()} if isinstance(content, dict) else {}
        )

    @property
    def seed(self) -> int:
        """The seed of the run."""
        seed = self.settings.get("seed")
        return seed if isinstance(seed, int) else 0

    @cached_property
    def class_means(self) -> ClassMeans:
        """The mean train image of each class.

        Raises:
            UserError: Where the data is not there.
        """
        return class_mean_images(self.data.in_order("train"), self.data.facts.n_classes)

    def _stored(self, split: str) -> InterpretationTable | None:
        folder = self.folder.path / TABLES / split
        if not folder.is_dir():
            return None
        try:
            table = load_table(folder)
        except UserError as error:
            log.warning("%s It is made again.", error)
            return None
        return table if self._is_ours(table, split) else None

    def _is_ours(self, table: InterpretationTable, split: str) -> bool:
        """Return whether this model made the table, from this data if that was changed."""
        head = self.model.interpreter.head
        weights, bias = head.weights.detach().cpu(), head.bias.detach().cpu()
        if not torch.equal(table.head_weights, weights) or not torch.equal(table.head_bias, bias):
            return False
        return not self.changes or torch.equal(self.data.split(split).labels, table.labels)

    def _made(self, split: str) -> InterpretationTable:
        n = len(self.data.split(split))
        log.info("Forward passes of the %s images of %s", f"{n:,}", split)
        folder = self.folder.path / TABLES / split if self._stores else None
        return interpretation_table(self.model, self.data.in_order(split), self.class_means, folder)

    @property
    def _stores(self) -> bool:
        """Whether tables are stored: those of the checkpoint and data that the run evaluated."""
        own = self.checkpoint in (None, self.settings.get("checkpoint"))
        return own and not self.changes and os.access(self.folder.path, os.W_OK)


def open_run(
    run: str | Path,
    checkpoint: str | None = None,
    trust: bool = False,
    predictor: str | Path | nn.Module | None = None,
    data: Sequence[str] = (),
) -> SavedRun:
    """Open a run folder. Data that is not there is an error only when it is needed.

    Args:
        run: The run folder.
        checkpoint: "best" or "last"; by default the one that the run evaluated.
        trust: Whether the config may name classes from outside this package.
        predictor: The weights of a post-hoc run's predictor: a file, or the network.
        data: Changes of the options of the data, such as `data.root=FOLDER`.

    Returns:
        The run.

    Raises:
        UserError: Where the model cannot be loaded, and for damaged names.
    """
    try:
        model = load(run, checkpoint, trust, predictor)
    except UserError as error:  # its advice is for Python alone
        raise UserError(
            re.sub(r"(load\(\S+, (trust|predictor)=\S+\))", r"\1, or --\2 of a command", str(error))
        ) from error
    folder = RunFolder(run)
    return SavedRun(
        folder,
        model,
        read_names(folder.path, model.interpreter.n_attributes),
        checkpoint,
        tuple(data),
        trust,
    )
