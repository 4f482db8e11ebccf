"""Fidelity of LIME and VIBI to f, next to g's: the fidelity columns of FLINT's table 1.

usage: python -m benchmarks.fidelity_baselines RUN … [--images 500] [--chunk 4] [--k 4 12]
       [--beta 0.01] [--epochs 3] [--seeds 1] [--keep]

Each RUN is a run folder whose data is available; its f is the black box that all methods imitate.
Runs of the same data set and network are seeds of one row: mean and standard deviation over them,
and over `--seeds` draws of each baseline. LIME explains `--images` random test images, and g the
same ones; VIBI, learned on the train images, and g decide on all.

A row is compared with the paper's own figure; every variant is a row of its own. The methods are
described in benchmarks/lime.py and benchmarks/vibi.py. Written to results/fidelity_baselines.json;
`--keep` keeps that file's rows of other data sets and networks.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from omegaconf import OmegaConf
from rich.console import Console
from rich.table import Table

from benchmarks import lime, vibi
from benchmarks.arguments import ProgramParser
from benchmarks.image_chunks import ImageChunks
from benchmarks.record import RESULTS, save
from interp_by_design.predictor import evaluating
from interp_by_design.run.saved_run import SavedRun, open_run
from interp_by_design.terms import Images, Indices, Logits, UserError

NAME = "fidelity_baselines"
TITLE = "Fidelity of LIME, VIBI and g to the same f"
HEADINGS = ("data", "f", "method", "runs", "images", "fidelity, %", "deviation", "sampling error")
COLUMNS = (*HEADINGS, "published, %", "difference", "verdict", "seconds")
WIDTH = 180  # characters of the printed table

# FLINT, table 1, in percent: mean and deviation.
PUBLISHED: Mapping[str, Mapping[str, tuple[float, float]]] = {
    "mnist": {"LIME": (95.6, 0.4), "VIBI": (96.6, 0.7), "g": (98.7, 0.1)},
    "fashion_mnist": {"LIME": (67.3, 1.3), "VIBI": (88.4, 0.3), "g": (91.5, 0.1)},
    "cifar10": {"LIME": (31.5, 0.9), "VIBI": (65.5, 0.3), "g": (93.2, 0.2)},
    "quickdraw": {"LIME": (76.3, 0.1), "VIBI": (78.6, 0.4), "g": (90.8, 0.4)},
}
QUICKDRAW = "ant, apple, banana, carrot, cat, cow, dog, frog, grapes, lion"


@dataclass(frozen=True)
class Settings:
    """Options of the baselines.

    Args:
        images: test images for LIME, at most.
        chunk: pixels on a side of a chunk.
        k: numbers of selected chunks.
        beta: weights of VIBI's prior.
        epochs: passes of VIBI over the train images.
        seeds: draws of the baselines for each run.
    """

    images: int = 500
    chunk: int = 4
    k: tuple[int, ...] = (4, 12)
    beta: tuple[float, ...] = (0.01,)
    epochs: int = 3
    seeds: int = 1


@dataclass(frozen=True)
class Found:
    """The fidelity of a method to the f of a run.

    Args:
        data: the data set.
        network: the class of the network.
        method: the method and its variant.
        images: number of test images.
        fidelity: share on which it decides as f does, in percent.
        seconds: time that it took.
    """

    data: str
    network: str
    method: str
    images: int
    fidelity: float
    seconds: float


class BlackBox:
    """The f of a run, and its and g's decisions on the test images, [n] each.

    Args:
        run: the run.
        settings: options of the baselines.
    """

    def __init__(self, run: SavedRun, settings: Settings) -> None:
        table = run.table("test")
        self.run, self.test, self.n_classes = run, run.data.split("test"), table.predictor.shape[1]
        self.decided, self.explained = (
            table.predictor.argmax(dim=1),
            table.interpreter.argmax(dim=1),
        )
        self.chunks = ImageChunks(*self.test.image_shape[1:], settings.chunk)
        self.data, self.network = data_name(run), type(run.model.predictor.network).__name__

    def __call__(self, images: Images) -> Logits:
        logits: Logits = self.run.model.predictor(images).logits
        return logits

    def found(self, method: str, classes: Indices, rows: Indices, seconds: float = 0.0) -> Found:
        """Return the fidelity of a method that decides `classes` on the test images `rows`."""
        share = 100 * float((classes == self.decided[rows]).float().mean())
        return Found(self.data, self.network, method, len(rows), share, seconds)


def main() -> None:
    """Run the baselines on every run, print the table and save it."""
    arguments = _arguments()
    settings = Settings(
        arguments.images,
        arguments.chunk,
        tuple(arguments.k),
        tuple(arguments.beta),
        arguments.epochs,
        arguments.seeds,
    )
    runs = [open_run(path) for path in arguments.runs]
    classes = {data_name(run): ", ".join(run.data.facts.class_names) for run in runs}
    found = [each for run in runs for each in measured(run, settings)]
    if arguments.keep:
        earlier, known = kept(settings, found, RESULTS / f"{NAME}.json")
        found, classes = [*earlier, *found], known | classes
    content = {
        "title": TITLE,
        "about": about(settings, classes),
        "columns": list(COLUMNS),
        "rows": table_rows(found),
    }
    show(content)
    raw = {"classes": classes, "found": [asdict(each) for each in found]}
    Console().print(f"Written to {save(NAME, asdict(settings) | content | raw)}")


def _arguments() -> argparse.Namespace:
    parser, default = ProgramParser(__doc__), Settings()
    parser.add_runs()
    for name, kind, help_ in (
        ("images", int, "test images for LIME, at most"),
        ("chunk", int, "pixels on a side of a chunk"),
        ("epochs", int, "passes of VIBI over the train images"),
        ("seeds", int, "draws of the baselines for each run"),
    ):
        parser.add_argument(f"--{name}", type=kind, default=getattr(default, name), help=help_)
    parser.add_argument(
        "--k", type=int, nargs="+", default=default.k, help="selected chunks, a row each"
    )
    parser.add_argument(
        "--beta", type=float, nargs="+", default=default.beta, help="VIBI's prior, a row each"
    )
    parser.add_argument(
        "--keep", action="store_true", help="keep the rows of other data sets and networks"
    )
    return parser.parse_args()


def measured(run: SavedRun, settings: Settings) -> Iterator[Found]:
    """Yield the fidelity of each method to the f of one run, with the draws of each seed."""
    box = BlackBox(run, settings)
    with evaluating(run.model), torch.no_grad():
        for seed in (1000 * run.seed + draw for draw in range(settings.seeds)):
            yield from lime_found(box, settings, seed)
            yield from vibi_found(box, settings, seed)


def lime_found(box: BlackBox, settings: Settings, seed: int) -> Iterator[Found]:
    """Yield LIME by both losses, with all chunks and with few; and g on its images."""
    rows = torch.randperm(len(box.test), generator=torch.Generator().manual_seed(seed))[
        : settings.images
    ]
    kinds = [lime.Kind(loss, k) for loss in lime.LOSSES for k in (None, *settings.k)]
    start = time.perf_counter()
    decisions = lime.decisions(box, box.test.batch(rows).images, box.chunks, kinds, seed)
    seconds = time.perf_counter() - start
    for kind, classes in decisions.items():
        used = "all chunks" if kind.k is None else f"{kind.k} chunks"
        yield box.found(f"LIME, {kind.loss}, {used}", classes, rows, seconds)
    yield box.found("g, LIME's images", box.explained[rows], rows)


def vibi_found(box: BlackBox, settings: Settings, seed: int) -> Iterator[Found]:
    """Yield VIBI, f on the chunks that it selects, and g, on all test images."""
    everywhere = torch.arange(len(box.test))
    answers = box.run.table("train").predictor.argmax(dim=1)
    for chosen in (
        vibi.VibiSettings(k, beta, epochs=settings.epochs)
        for k in settings.k
        for beta in settings.beta
    ):
        start = time.perf_counter()
        learned = vibi.learned(
            box.run.data.split("train"), answers, box.n_classes, box.chunks, chosen, seed
        )
        approximated, rationale = vibi.decisions(learned, box, box.test)
        seconds = time.perf_counter() - start
        used = f"{chosen.k} chunks, beta {chosen.beta:g}"
        yield box.found(f"VIBI, {used}", approximated, everywhere, seconds)
        yield box.found(f"VIBI's chunks to f, {used}", rationale, everywhere, seconds)
    yield box.found("g, all test images", box.explained, everywhere)


def data_name(run: SavedRun) -> str:
    """Return the paper's name of the data set if the experiment begins with it, else its own."""
    entries = [str(entry) for entry in OmegaConf.load(run.folder.path / ".hydra/overrides.yaml")]
    name = next(
        (entry.partition("=")[2] for entry in entries if entry.startswith("experiment=")), "digits"
    )
    return next((known for known in PUBLISHED if name.startswith(known)), name)


def kept(
    settings: Settings, fresh: Sequence[Found], path: Path
) -> tuple[list[Found], dict[str, str]]:
    """Return a file's rows of other data sets and networks, and its classes.

    Args:
        settings: options of the baselines.
        fresh: the new rows.
        path: the file.

    Raises:
        UserError: the file was made with other options.
    """
    before = json.loads(path.read_text()) if path.is_file() else {}
    asked = json.loads(json.dumps(asdict(settings)))  # tuples as lists
    if before and any(before.get(key) != value for key, value in asked.items()):
        raise UserError(
            f"{path.name} was made with other options than these, {asked}. Give the same ones, or "
            "leave out --keep."
        )
    measured_now = {(each.data, each.network) for each in fresh}
    earlier = [Found(**each) for each in before.get("found", [])]
    return [each for each in earlier if (each.data, each.network) not in measured_now], before.get(
        "classes", {}
    )


def table_rows(found: Sequence[Found]) -> list[list[Any]]:
    """Return a row a method, those of one data set and network together."""
    groups: dict[tuple[str, str], dict[str, list[Found]]] = defaultdict(lambda: defaultdict(list))
    for each in found:
        groups[each.data, each.network][each.method].append(each)
    return [row(same) for methods in groups.values() for same in methods.values()]


def row(found: Sequence[Found]) -> list[Any]:
    """Return the cells of a method on a data set, over runs and draws."""
    first, fidelity = found[0], [each.fidelity for each in found]
    mean = statistics.mean(fidelity)
    deviation = round(statistics.stdev(fidelity), 2) if len(fidelity) > 1 else None
    error = math.sqrt(mean * (100 - mean) / first.images)  # of a share among so many images drawn
    cells = [
        first.data,
        first.network,
        first.method,
        len(fidelity),
        first.images,
        round(mean, 2),
        deviation,
        round(error, 2),
    ]
    published = PUBLISHED.get(first.data, {}).get(first.method.partition(",")[0])
    against: list[Any] = [None, None, ""]
    if published is not None:
        against = [
            f"{published[0]} ± {published[1]}",
            round(mean - published[0], 2),
            verdict(mean, *published),
        ]
    return [*cells, *against, round(statistics.mean(each.seconds for each in found), 1)]


def verdict(mean: float, published: float, deviation: float) -> str:
    """Return whether a mean is within one published deviation, else the distance beyond it."""
    beyond = abs(mean - published) - deviation
    if beyond <= 1e-9:
        return "within one deviation"
    return f"{'above' if mean > published else 'misses'} by {beyond:.2f} more than one deviation"


def about(settings: Settings, classes: Mapping[str, str]) -> str:
    """Return the text above the table."""
    side = settings.chunk
    lines = [
        "Share of test images on which a method decides the class that f decides, by chunks of "
        f"{side} x {side} pixels.",
        "LIME: a linear surrogate of each image, from 1000 neighbours in which each chunk is black "
        "with probability 1/2, and its decision on the whole image; on "
        f"{settings.images} test images at most. VIBI: an explainer selects k chunks, and an "
        f"approximator that sees only those decides; {settings.epochs} epochs on the train images. "
        "VIBI's chunks to f: the decision of f itself where it sees only those. The published code "
        "of VIBI has LIME with all chunks and with as many as VIBI selects, 4 on MNIST; FLINT "
        "states neither its protocol nor the number. Sampling error: the standard error of a share "
        f"among so many images. Mean and deviation are over runs, {settings.seeds} draw(s) of the "
        "baselines for each.",
    ]
    if "quickdraw" in classes:
        lines.append(
            f"Classes of quickdraw here: {classes['quickdraw']}; in the paper: {QUICKDRAW}."
        )
    return " ".join(lines)


def show(content: Mapping[str, Any]) -> None:
    """Print the table."""
    table = Table(*content["columns"], title=content["title"])
    for cells in content["rows"]:
        table.add_row(*("" if cell is None else str(cell) for cell in cells))
    Console(width=WIDTH).print(table)


if __name__ == "__main__":
    main()
