"""What an interpreter costs in training: a joint step of f and g against a step of f alone.

usage: python -m benchmarks.training_step [--steps 60] [--batch 128]

Both steps run in turn on the same random images, so that whatever else the machine does slows both; the median of the
neighbours' ratios counts.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from omegaconf import DictConfig
from rich.console import Console
from rich.table import Table

from benchmarks.record import save
from interp_by_design.model import InterpretableModel
from interp_by_design.run.build import build_model
from interp_by_design.terms import Batch, DataFacts, Normalisation

CONF = Path(__file__).parent.parent / "conf"
FACTS = DataFacts((1, 28, 28), tuple("0123456789"), Normalisation())
CASES = {
    "LeNet, TopK dictionary (default)": [],
    "FLINT's LeNet, TopK dictionary": ["predictor=lenet_published", "predictor.hidden_layers=[conv2,fc1]"],
    "FLINT's LeNet, FLINT's dictionary and decoder": ["experiment=mnist_flint"],
    "LeNet, FLINT's dictionary": ["attributes=flint", "predictor.hidden_layers=[conv2]"],
}

Step = Callable[[], None]


def main() -> None:
    """Measures every case, prints the table and saves it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--batch", type=int, default=128)
    arguments = parser.parse_args()
    rows = [{"case": case, **measure(overrides, arguments.steps, arguments.batch)} for case, overrides in CASES.items()]
    table = Table("case", "bare step, ms", "joint step, ms", "ratio")
    for row in rows:
        table.add_row(str(row["case"]), *(f"{row[key]:.2f}" for key in ("bare_ms", "joint_ms", "ratio")))
    console = Console()
    console.print(table)
    path = save("training_step", {"batch": arguments.batch, "steps": arguments.steps, "rows": rows})
    console.print(f"Written to {path}")


def measure(overrides: list[str], steps: int, batch: int) -> dict[str, float]:
    """Medians of a bare and a joint step in milliseconds, and of the ratio of neighbours."""
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = compose("train", overrides)
    torch.manual_seed(0)
    images = Batch(torch.rand(batch, *FACTS.image_shape), torch.randint(FACTS.n_classes, (batch,)), torch.arange(batch))
    bare = bare_step(build_model(config, FACTS), config, images)
    joint = joint_step(build_model(config, FACTS), config, images)
    for _ in range(5):
        bare(), joint()
    pairs = [(timed(bare), timed(joint)) for _ in range(steps)]
    return {
        "bare_ms": 1e3 * statistics.median(pair[0] for pair in pairs),
        "joint_ms": 1e3 * statistics.median(pair[1] for pair in pairs),
        "ratio": statistics.median(pair[1] / pair[0] for pair in pairs),
    }


def bare_step(model: InterpretableModel, config: DictConfig, batch: Batch) -> Step:
    """f alone: no hooks, no interpreter."""
    network = model.predictor.network.train()
    optimizer = instantiate(config.learning.optimizer)(network.parameters())

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        F.cross_entropy(network(batch.images), batch.labels).backward()  # type: ignore[no-untyped-call]  # torch's
        optimizer.step()

    return step


def joint_step(model: InterpretableModel, config: DictConfig, batch: Batch) -> Step:
    """f and g with every term of the objective on."""
    model.train()
    objective = instantiate(config.learning.objective)
    optimizer = instantiate(config.learning.optimizer)(model.parameters())
    factors = objective.factors(1e6)

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        terms = objective.terms(model(batch.images), batch, factors)
        objective.total(terms, factors).backward()
        optimizer.step()

    return step


def timed(step: Step) -> float:
    """Seconds of one step."""
    start = time.perf_counter()
    step()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
