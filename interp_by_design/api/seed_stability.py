"""Stability across seeds beside what random dictionaries reach. Knows nothing of run folders.

Two dictionaries that look at layers of much the same kind are alike to some degree before either has learned. How much is that of
`stability_seeds`, is what random ones over the same networks tell.
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
from interp_by_design.metrics.seed_stability import stability_seeds
from interp_by_design.model import InterpretableModel
from interp_by_design.model.saving import rebuildable
from interp_by_design.predictor import evaluating
from interp_by_design.terms import InterpretationTable, UserError

MOST = 5000  # train images that the statistics of a random dictionary are gathered from
BATCH = 128


@dataclass(frozen=True)
class Seeded:
    """A fitted model, the data it was fitted to, and the seed that decided everything random in that."""

    model: InterpretableModel
    data: ImageData
    seed: int


def stability_seeds_random(runs: Iterable[Seeded], split: str = "test") -> float:
    """`stability_seeds` of frozen random dictionaries: of each run's class and settings, over its f, drawn by its seed.

    Runs are taken one at a time. Each model is left as it was. Raises `UserError` for a model whose interpreter cannot be rebuilt
    or has no dictionary, and as `stability_seeds` does.
    """
    return stability_seeds([random_table(run, split) for run in runs])


def random_table(run: Seeded, split: str = "test") -> InterpretationTable:
    """What `frozen_random` makes of a split; of its columns, h and d have not learned, and only the attributes mean something."""
    model = frozen_random(run)
    return interpretation_table(model, run.data.in_order(split), reconstruct=False)


def frozen_random(run: Seeded) -> InterpretableModel:
    """The run's own f under a dictionary as it is drawn from the run's seed; batch statistics are those of its train images."""
    model, device = run.model, run.model.interpreter.head.weights.device
    if not isinstance(model.interpreter, LinearInterpreter):
        raise UserError(
            f"{type(model.interpreter).__name__} has no dictionary over hidden layers that could be drawn at random. Give runs "
            "with one, as of interpreter=linear."
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
    """Hidden layers of images drawn from all over `split`: it may be sorted by class, and a class varies less than the data."""
    device = model.interpreter.head.weights.device
    order = torch.randperm(len(split), generator=torch.Generator().manual_seed(seed))[:MOST]
    for rows in torch.split(order, BATCH):
        yield model.predictor(split.batch(rows).images.to(device)).hidden
