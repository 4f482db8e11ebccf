"""Baseline of stability across seeds: the same of random dictionaries.

Two dictionaries over layers of similar networks are alike to some degree before either has learned.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import cast

import torch
from torch import Tensor

from interp_by_design.activations import interpretation_table
from interp_by_design.api.control_fit import adapt
from interp_by_design.data.datamodule import ImageData
from interp_by_design.data.split import Split
from interp_by_design.interpreter import LinearInterpreter, build_interpreter, instantiate
from interp_by_design.metrics import stability_seeds
from interp_by_design.model import InterpretableModel
from interp_by_design.model.saving import rebuildable
from interp_by_design.predictor import evaluating
from interp_by_design.terms import InterpretationTable, UserError

MAX_TRAIN_IMAGES = 5000  # that a random dictionary is adapted to
BATCH_IMAGES = 128


@dataclass(frozen=True)
class Seeded:
    """A fitted model.

    Args:
        model: The model.
        data: The data that it was fitted to, set up.
        seed: The seed of the fit.
    """

    model: InterpretableModel
    data: ImageData
    seed: int


def stability_seeds_random(runs: Iterable[Seeded], split: str = "test") -> float:
    """Compute `stability_seeds` of frozen random dictionaries.

    Args:
        runs: Fitted models, which are read one at a time and are not changed.
        split: The split whose images the attributes are compared on.

    Returns:
        The mean correlation with the best partner, in -1..1.

    Raises:
        UserError: An interpreter cannot be rebuilt or has no dictionary, or `stability_seeds`
            raises.
    """
    return stability_seeds([random_table(run, split) for run in runs])


def random_table(run: Seeded, split: str = "test") -> InterpretationTable:
    """Compute the attributes of a split by a frozen random dictionary.

    Args:
        run: The fitted model, whose f is read.
        split: The split.

    Returns:
        The table, of which only the attributes are meaningful: h has not learned.
    """
    model = frozen_random(run)
    return interpretation_table(model, run.data.in_order(split), reconstruct=False)


def frozen_random(run: Seeded) -> InterpretableModel:
    """Return the run's f with a random dictionary of the run's class and settings.

    Args:
        run: The fitted model, whose seed draws the weights.

    Returns:
        The model, whose dictionary is adapted to the statistics of the run's train images.

    Raises:
        UserError: The run's interpreter cannot be rebuilt, or has no dictionary.
    """
    model, device = run.model, run.model.interpreter.head.weights.device
    if not isinstance(model.interpreter, LinearInterpreter):
        raise UserError(
            f"{type(model.interpreter).__name__} has no dictionary over hidden layers that could "
            "be drawn at random. Give runs with one, such as those of interpreter=linear."
        )
    spec = rebuildable(model.spec, model.predictor, model.interpreter, model.facts)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(run.seed)
        interpreter = cast(
            "LinearInterpreter",
            build_interpreter(
                spec, model.predictor.hidden_shapes, model.facts, partial(instantiate, trust=True)
            ),
        ).to(device)
    drawn = InterpretableModel(model.predictor, interpreter, model.facts)
    with evaluating(model.predictor), torch.no_grad():
        adapt(
            interpreter.dictionary,
            lambda: _hidden(model, run.data.split("train"), run.seed),
            run.seed,
        )
    return drawn


def _hidden(model: InterpretableModel, split: Split, seed: int) -> Iterator[Sequence[Tensor]]:
    # Drawn from the whole split, which may be sorted by class: a class varies less than the data.
    device = model.interpreter.head.weights.device
    order = torch.randperm(len(split), generator=torch.Generator().manual_seed(seed))[
        :MAX_TRAIN_IMAGES
    ]
    for rows in torch.split(order, BATCH_IMAGES):
        yield model.predictor(split.batch(rows).images.to(device)).hidden
