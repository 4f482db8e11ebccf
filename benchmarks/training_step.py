"""The cost of an interpreter in training: a joint step of f and g against a step of f alone.

usage: python -m benchmarks.training_step [--seconds 60] [--batch 128] [--only WORD]

Time: both steps run in turn on the same random images, so that other load slows both; the median of
the neighbours' ratios counts. Memory: how far three steps lift the resident set of a fresh process
above its level after the imports, model, gradients and optimiser included.
"""

from __future__ import annotations

import resource
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from omegaconf import DictConfig
from rich.console import Console
from rich.table import Table

from benchmarks.arguments import ProgramParser
from benchmarks.record import save
from interp_by_design.model import InterpretableModel
from interp_by_design.run.build import build_model
from interp_by_design.terms import Batch, DataFacts, Normalisation

CONF = Path(__file__).parent.parent / "conf"
COLUMNS = {"bare_ms": "bare step, ms", "joint_ms": "joint step, ms", "ratio": "ratio"}
COLUMNS |= {"bare_mib": "bare peak, MiB", "joint_mib": "joint peak, MiB", "memory_ratio": "ratio"}

Step = Callable[[], None]


class Case(NamedTuple):
    """A config on random images of a shape.

    Args:
        name: the case, in tables.
        image_shape: shape (c, h, w) of the images.
        overrides: options of the config.
    """

    name: str
    image_shape: tuple[int, int, int]
    overrides: tuple[str, ...]


CASES = (
    Case("LeNet, TopK dictionary (default)", (1, 28, 28), ()),
    Case(
        "FLINT's LeNet, TopK dictionary",
        (1, 28, 28),
        ("predictor=lenet_published", "predictor.hidden_layers=[conv2,fc1]"),
    ),
    Case("FLINT's LeNet, FLINT's dictionary and decoder", (1, 28, 28), ("experiment=mnist_flint",)),
    Case(
        "LeNet, FLINT's dictionary",
        (1, 28, 28),
        ("attributes=flint", "predictor.hidden_layers=[conv2]"),
    ),
    Case("ResNet-20 at 32x32x3", (3, 32, 32), ("experiment=cifar10_jpeg",)),
    Case("ResNet-18 at 32x32x3", (3, 32, 32), ("experiment=cifar10",)),
)


def main() -> None:
    """Measure every case, print the table and save it."""
    parser = ProgramParser(__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="for the steps of one case")
    parser.add_batch()
    parser.add_only()
    arguments = parser.parse_args()
    cases = [case for case in CASES if arguments.only in case.name]
    # Memory first: a process inherits the peak of the one that starts it.
    memories = [memory(case, arguments.batch) for case in cases]
    times = [measure(case, arguments.seconds, arguments.batch) for case in cases]
    rows = [
        {"case": case.name, **time, **memory}
        for case, time, memory in zip(cases, times, memories, strict=True)
    ]
    table = Table("case", *COLUMNS.values())
    for row in rows:
        table.add_row(
            str(row["case"]), *(f"{row[key]:.{0 if 'mib' in key else 2}f}" for key in COLUMNS)
        )
    console = Console()
    console.print(table)
    path = save(
        "training_step", {"batch": arguments.batch, "seconds": arguments.seconds, "rows": rows}
    )
    console.print(f"Written to {path}")


def measure(case: Case, seconds: float, batch: int) -> dict[str, float]:
    """Return medians of a bare and a joint step in milliseconds, and of the neighbours' ratio."""
    bare, joint = bare_step(case, batch), joint_step(case, batch)
    start = time.perf_counter()
    pairs: list[tuple[float, float]] = []
    while len(pairs) < 5 or time.perf_counter() - start < seconds:
        pairs.append((timed(bare), timed(joint)))
    pairs = pairs[2:]  # the first are slower
    return {
        "bare_ms": 1e3 * statistics.median(pair[0] for pair in pairs),
        "joint_ms": 1e3 * statistics.median(pair[1] for pair in pairs),
        "ratio": statistics.median(pair[1] / pair[0] for pair in pairs),
        "steps": len(pairs),
    }


def memory(case: Case, batch: int) -> dict[str, float]:
    """Return peaks in MiB of a bare and a joint training in fresh processes, and their ratio."""
    with ProcessPoolExecutor(1, get_context("spawn"), max_tasks_per_child=1) as pool:
        bare, joint = (
            pool.submit(peak, make, case, batch).result() for make in (bare_step, joint_step)
        )
    return {"bare_mib": bare, "joint_mib": joint, "memory_ratio": joint / bare}


def peak(make: Callable[[Case, int], Step], case: Case, batch: int) -> float:
    """Return MiB by which a model and three steps lift this process's resident set."""
    before = highest_resident_set()
    step = make(case, batch)
    for _ in range(3):
        step()
    return highest_resident_set() - before


def highest_resident_set() -> float:
    """Return the largest resident set of this process so far, in MiB."""
    unit = 1 if sys.platform == "darwin" else 1024  # bytes or KiB
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


def bare_step(case: Case, batch: int) -> Step:
    """Return a step of f alone, without hooks and interpreter."""
    config, model, images = made(case, batch)
    network = model.predictor.network.train()
    del model
    optimizer = instantiate(config.learning.optimizer)(network.parameters())

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        loss = F.cross_entropy(network(images.images), images.labels)
        loss.backward()  # type: ignore[no-untyped-call]  # torch's
        optimizer.step()

    return step


def joint_step(case: Case, batch: int) -> Step:
    """Return a step of f and g with every term of the objective."""
    config, model, images = made(case, batch)
    model.train()
    objective = instantiate(config.learning.objective)
    optimizer = instantiate(config.learning.optimizer)(model.parameters())
    factors = objective.factors(1e6)

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        terms = objective.terms(model(images.images), images, factors)
        objective.total(terms, factors).backward()
        optimizer.step()

    return step


def made(case: Case, batch: int) -> tuple[DictConfig, InterpretableModel, Batch]:
    """Return the config of a case, its model, and one batch of random images."""
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = compose("train", list(case.overrides))
    facts = DataFacts(case.image_shape, tuple("0123456789"), Normalisation())
    torch.manual_seed(0)
    images = Batch(
        torch.rand(batch, *case.image_shape),
        torch.randint(facts.n_classes, (batch,)),
        torch.arange(batch),
    )
    return config, build_model(config, facts), images


def timed(step: Step) -> float:
    """Return the seconds of one step."""
    start = time.perf_counter()
    step()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
