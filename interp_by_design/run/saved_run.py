"""A finished run, opened to look at: its model, its data, what its data made of the model, and the names a person gave.

Model and names are read at once; data and tables when they are asked for, since much can be told without the images.
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
from interp_by_design.run.folder import SPLITS, TABLES, RunFolder
from interp_by_design.run.image_file import ImageReader
from interp_by_design.run.loading import load
from interp_by_design.terms import AttributeNames, InterpretationTable, UnknownName, UserError

log = logging.getLogger(__name__)


@final
@dataclass(frozen=True, eq=False)
class SavedRun:
    """A run to look at.

    checkpoint: the one that was asked for; None for the one that the run evaluated.
    changes: the user's, of the options of the run's data; with `trust`, those may name any class.
    """

    folder: RunFolder
    model: InterpretableModel
    names: AttributeNames
    checkpoint: str | None = None
    changes: tuple[str, ...] = ()
    trust: bool = False

    @cached_property
    def data(self) -> ImageData:
        """The run's data set, read. Raises `UserError` where it is not there any more, with what to do."""
        return run_data(self.folder, self.changes, self.trust)

    def table(self, split: str) -> InterpretationTable:
        """What the pair makes of a split: as it is stored in the run folder where that is of this model, else made and stored.

        Raises `UserError` for a split that there is not, and where the images that it is made from cannot be read.
        """
        if split not in SPLITS:
            raise UnknownName.among("split", split, SPLITS)
        return self._stored(split) or self._made(split)

    @property
    def reader(self) -> ImageReader:
        """How files that were never in the data set become images of the model's shape."""
        return ImageReader.of(self.model.facts.image_shape, self.settings.get("data") or {})

    @property
    def title(self) -> str:
        """What a page calls the run."""
        path = self.folder.path.resolve()
        return (
            f"{path.parent.name}/{path.name}" if path.name.isdecimal() else path.name
        )  # a run of a sweep has a number

    @cached_property
    def settings(self) -> dict[str, Any]:
        """The run's config as it is written: nothing in it is looked up, since it may be a stranger's."""
        content = OmegaConf.to_container(self.folder.config)
        return (
            {str(key): value for key, value in content.items()} if isinstance(content, dict) else {}
        )

    @property
    def seed(self) -> int:
        """What decided everything random in the run."""
        seed = self.settings.get("seed")
        return seed if isinstance(seed, int) else 0

    @cached_property
    def class_means(self) -> ClassMeans:
        """The mean train image of each class. Raises `UserError` where the data is not there."""
        return class_mean_images(self.data.in_order("train"), self.data.facts.n_classes)

    def _stored(self, split: str) -> InterpretationTable | None:
        folder = self.folder.path / TABLES / split
        if not folder.is_dir():
            return None
        try:
            table = load_table(folder)
        except UserError as error:
            log.warning("%s It is made anew.", error)
            return None
        return table if self._is_ours(table, split) else None

    def _is_ours(self, table: InterpretationTable, split: str) -> bool:
        """Whether this model made the table, and of this data where the user has changed it."""
        head = self.model.interpreter.head
        weights, bias = head.weights.detach().cpu(), head.bias.detach().cpu()
        if not torch.equal(table.head_weights, weights) or not torch.equal(table.head_bias, bias):
            return False
        return not self.changes or torch.equal(self.data.split(split).labels, table.labels)

    def _made(self, split: str) -> InterpretationTable:
        n = len(self.data.split(split))
        log.info("Looking at the %s images of %s", f"{n:,}", split)
        folder = self.folder.path / TABLES / split if self._stores else None
        return interpretation_table(self.model, self.data.in_order(split), self.class_means, folder)

    @property
    def _stores(self) -> bool:
        """Whether a table belongs in the run folder: it is of the checkpoint and the data that the run evaluated."""
        own = self.checkpoint in (None, self.settings.get("checkpoint"))
        return own and not self.changes and os.access(self.folder.path, os.W_OK)


def open_run(
    run: str | Path,
    checkpoint: str | None = None,
    trust: bool = False,
    predictor: str | Path | nn.Module | None = None,
    data: Sequence[str] = (),
) -> SavedRun:
    """A run folder, opened. `checkpoint`, `trust` and `predictor` as `load` has them; `data` changes options of its data.

    Raises `UserError` where the model cannot be loaded, and for damaged names. Data that is not there is told when it is needed.
    """
    try:
        model = load(run, checkpoint, trust, predictor)
    except UserError as error:  # which speaks of Python
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
