"""The cost of explanations: of a whole test set, of one maximised image, and of a run's page.

usage: python -m benchmarks.explain [RUN] [--rounds 9] [--pairs 8] [--images 10000]

Without RUN, a folder of a run, one of the handwritten digits is trained first.

Throughput: local explanations of test images in memory against a bare pass of the network over the
same batches, in turn; the median of the neighbours' ratios counts. Maximisation: each attribute
from its three strongest test images, all together, against FLINT's own loop, 600 steps for one pair
at a time, on some of them: once with the paper's constants, once with ours but without the shifts,
which would hide the objective from both. Both are compared before pixels are clipped to [0, 1], and
as shown. Report: the whole page from existing tables, written to a copy of the run.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor

from benchmarks.arguments import ProgramParser
from benchmarks.official_maximization import (
    attribute_size,
    official_maximization,
    official_objective,
)
from benchmarks.record import save
from interp_by_design.explain import (
    PRESETS,
    Maximization,
    explain_set,
    maximization_for,
    maximize,
    maximum_activating,
)
from interp_by_design.model import InterpretableModel
from interp_by_design.predictor import evaluating
from interp_by_design.run.saved_run import SavedRun, open_run
from interp_by_design.terms import Batch

STARTS = 3  # of each attribute
PAPERS = {"grey": "mnist_global", "colour": "cifar_global", "large": "cub"}
COLUMNS = {
    "pairs": "pairs",
    "official_s": "FLINT's loop, s a pair",
    "ours_s": "ours, s a pair",
    "faster": "faster",
}
COLUMNS |= {
    "official_objective": "objective, loop",
    "ours_objective": "ours",
    "at_least": "pairs as high",
}
COLUMNS |= {
    "official_shown": "as shown, loop",
    "ours_shown": "ours, shown",
    "shown_at_least": "pairs as high, shown",
}


def main() -> None:
    """Measure all three, print them and save them."""
    parser = ProgramParser(__doc__)
    parser.add_argument(
        "run", type=Path, nargs="?", help="the folder of a run; by default one of digits is made"
    )
    parser.add_argument("--rounds", type=int, default=9, help="of a bare pass and an explained one")
    parser.add_argument("--pairs", type=int, default=8, help="that FLINT's loop climbs")
    parser.add_argument(
        "--images", type=int, default=10_000, help="at most so many test images are explained"
    )
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch) / "run"
        if arguments.run is None:
            train(copy)
        else:
            shutil.copytree(arguments.run, copy)
        run = open_run(copy)
        found: dict[str, Any] = {
            "run": "digits" if arguments.run is None else arguments.run.resolve().name
        }
        found |= throughput(run, arguments.rounds, arguments.images)
        found["rows"] = maximisation(run, arguments.pairs)
        found |= report(run)
    show(found)
    Console().print(f"Written to {save('explain', {'rounds': arguments.rounds, **found})}")


def train(folder: Path) -> None:
    """Train a small run of the digits in a process of its own."""
    command = [
        sys.executable,
        "-m",
        "interp_by_design",
        "train",
        "trainer.max_epochs=10",
        f"hydra.run.dir={folder}",
    ]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def throughput(run: SavedRun, rounds: int, max_images: int) -> dict[str, float]:
    """Return images a second of a bare pass, and with local explanations."""
    batches, n = [], 0
    for batch in run.data.in_order("test"):
        batches.append(batch)
        n += len(batch.labels)
        if n >= max_images:
            break
    taken = []
    for _ in range(rounds + 1):
        bare = timed(lambda: bare_pass(run.model, batches))
        taken.append((bare, timed(lambda: explain_set(run.model, batches))))
    taken = taken[1:]  # the first is slower
    return {
        "images": n,
        "forward_per_second": n / statistics.median(bare for bare, _ in taken),
        "explained_per_second": n / statistics.median(explained for _, explained in taken),
        "throughput_ratio": statistics.median(bare / explained for bare, explained in taken),
    }


def bare_pass(model: InterpretableModel, batches: Sequence[Batch]) -> None:
    """Run only the network."""
    predictor, device = model.predictor, model.interpreter.head.weights.device
    with evaluating(predictor), torch.inference_mode():
        for batch in batches:
            predictor.network(predictor.preprocessing.apply(batch.images.to(device)))


def maximisation(run: SavedRun, n: int) -> list[dict[str, Any]]:
    """Compare ours with FLINT's loop on some pairs, with the paper's constants and with ours."""
    top = maximum_activating(run.table("test"), STARTS)
    pairs = [(j, index) for j in range(run.model.interpreter.n_attributes) for index in top.of(j)]
    attributes, indices = (torch.tensor(column) for column in zip(*pairs, strict=True))
    images = run.data.split("test").batch(indices).images
    ours = maximization_for(run.model.facts)
    name = next(
        name
        for name in PAPERS
        if PRESETS[name].gain == ours.gain and PRESETS[name].jitter == ours.jitter
    )
    papers = PRESETS[PAPERS[name]]
    cases = {
        PAPERS[name]: replace(papers, variation=papers.variation[-1:], jitter=0),
        f"{name}, without shifts": replace(ours, jitter=0),
    }
    chosen = torch.linspace(0, len(pairs) - 1, min(n, len(pairs))).long()
    return [
        {"case": case, **compared(run.model, images, attributes, chosen, settings)}
        for case, settings in cases.items()
    ]


def compared(
    model: InterpretableModel,
    images: Tensor,
    attributes: Tensor,
    chosen: Tensor,
    settings: Maximization,
) -> dict[str, float]:
    """Return seconds a pair, and mean objectives of the pairs `chosen`."""
    maximize(model, images[:1], attributes[:1], replace(settings, steps=2))  # warm
    start = time.perf_counter()
    ours = maximize(model, images, attributes, settings)
    seconds = (time.perf_counter() - start) / len(images)
    rows, official = [], []
    for i in chosen.tolist():
        image, j = images[i], int(attributes[i])
        size = attribute_size(model, image, j) if settings.relative else 1.0
        terms = replace(settings, gain=settings.gain / size)
        start = time.perf_counter()
        theirs = official_maximization(model, image, j, terms)
        official.append(time.perf_counter() - start)
        shown = [as_shown(model, ended, j, terms) for ended in (theirs.image, ours.images[i])]
        rows.append((float(theirs.objective), float(ours.objective[i]), *shown))
    theirs_end, ours_end, theirs_shown, ours_shown = (
        torch.tensor(column) for column in zip(*rows, strict=True)
    )
    return {
        "pairs": len(images),
        "official_s": statistics.median(official),
        "ours_s": seconds,
        "faster": statistics.median(official) / seconds,
        "official_objective": float(theirs_end.mean()),
        "ours_objective": float(ours_end.mean()),
        "at_least": float((ours_end >= theirs_end).float().mean()),
        "official_shown": float(theirs_shown.mean()),
        "ours_shown": float(ours_shown.mean()),
        "shown_at_least": float((ours_shown >= theirs_shown).float().mean()),
    }


def as_shown(
    model: InterpretableModel, image: Tensor, attribute: int, settings: Maximization
) -> float:
    """Return the objective of an image clipped to [0, 1]."""
    with evaluating(model), torch.no_grad():
        return float(
            official_objective(
                model, settings.units.apply(image.clamp(0, 1)[None]), attribute, settings
            )
        )


def report(run: SavedRun) -> dict[str, float]:
    """Return the seconds of the run's page, and of its tables."""
    from interp_by_design.commands.report import report_run
    from interp_by_design.report.options import ReportOptions

    tables = timed(lambda: [run.table(split) for split in ("train", "test")])
    return {"tables_s": tables, "report_s": timed(lambda: report_run(run, ReportOptions()))}


def timed(action: Callable[[], object]) -> float:
    """Return the seconds that an action takes."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def show(found: dict[str, Any]) -> None:
    """Print the measurements."""
    console = Console()
    table = Table("", *(str(row["case"]) for row in found["rows"]))
    for key, words in COLUMNS.items():
        table.add_row(
            words, *(f"{row[key]:.{0 if key == 'pairs' else 3}f}" for row in found["rows"])
        )
    console.print(table)
    console.print(
        f"{found['images']} test images: {found['forward_per_second']:,.0f} a second "
        "through f alone, "
        f"{found['explained_per_second']:,.0f} explained; ratio {found['throughput_ratio']:.3f}"
    )
    console.print(
        f"The page of {found['run']}: {found['report_s']:.1f} s, and {found['tables_s']:.1f} s "
        "for its tables"
    )


if __name__ == "__main__":
    main()
