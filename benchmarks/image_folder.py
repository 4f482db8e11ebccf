"""The cost of loading image files: workers of a loader against as many processes that decode.

usage: python -m benchmarks.image_folder [FOLDER] [--size 224] [--workers 2] [--batch 64] [--rounds
5]

FOLDER holds photographs, a folder a class; without one, photographs are synthesised. Decoding turns
a file into bytes [3, size, size]; a loader also sends them to another process and converts them to
floats. Both run in turn on the same files, so that other load slows both; the median of the
neighbours' ratios counts.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from multiprocessing import get_context
from multiprocessing.pool import Pool
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from rich.console import Console
from rich.table import Table

from benchmarks.arguments import ProgramParser
from benchmarks.record import save
from interp_by_design.data.class_folders import class_files, class_names
from interp_by_design.data.files import FileSplit
from interp_by_design.data.loader import Batches, Loader
from interp_by_design.data.order import Shuffled
from interp_by_design.data.picture import Picture
from interp_by_design.terms import Indices

N_SYNTHETIC = 600  # images


def main() -> None:
    """Measure every round, print the table and save it."""
    parser = ProgramParser(__doc__)
    parser.add_argument("folder", type=Path, nargs="?")
    for option, value in (("size", 224), ("workers", 2), ("batch", 64), ("rounds", 5)):
        parser.add_argument(f"--{option}", type=int, default=value)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as scratch:
        folder = arguments.folder or make_up(Path(scratch))
        split = class_files(folder, class_names(folder), Picture(arguments.size))
        rounds = measure(split, arguments.workers, arguments.batch, arguments.rounds)
    table = Table("decoding, images/s", "loader, images/s", "ratio")
    for decoding, loading in rounds:
        table.add_row(f"{decoding:.0f}", f"{loading:.0f}", f"{loading / decoding:.2f}")
    ratio = statistics.median(loading / decoding for decoding, loading in rounds)
    console = Console()
    console.print(table, f"Median ratio {ratio:.2f} on {len(split)} images")
    rows = [
        {"decoding_per_second": decoding, "loader_per_second": loading}
        for decoding, loading in rounds
    ]
    options = {name: getattr(arguments, name) for name in ("size", "workers", "batch")}
    made_up = arguments.folder is None
    path = save(
        "image_folder",
        {**options, "images": len(split), "made_up": made_up, "ratio": ratio, "rows": rows},
    )
    console.print(f"Written to {path}")


def make_up(folder: Path) -> Path:
    """Write images of 500 x 375 in two classes: smooth shapes with a little grain, as JPEG."""
    draws = np.random.default_rng(0)
    for i in range(N_SYNTHETIC):
        coarse = Image.fromarray(draws.integers(0, 256, (12, 16, 3), dtype=np.uint8)).resize(
            (500, 375), Image.Resampling.BICUBIC
        )
        grainy = np.asarray(coarse) + draws.normal(0, 6, (375, 500, 1))
        target = folder / f"class {i % 2}" / f"{i}.jpg"
        target.parent.mkdir(exist_ok=True)
        Image.fromarray(grainy.clip(0, 255).astype(np.uint8)).save(target, quality=90)
    return folder


def measure(split: FileSplit, workers: int, batch: int, rounds: int) -> list[tuple[float, float]]:
    """Return images a second of decoding and of loading, for each round after a warm one."""
    loader = Loader(Batches(split), Shuffled(len(split), batch, seed=0), workers)
    with get_context("fork").Pool(workers, torch.set_num_threads, (1,)) as pool:
        return [(decoded(pool, split, workers, batch), loaded(loader)) for _ in range(rounds + 1)][
            1:
        ]


def decoded(pool: Pool, split: FileSplit, workers: int, batch: int) -> float:
    """Return images a second of processes that only decode."""
    shares = [
        (split, torch.arange(len(split))[worker::workers], batch) for worker in range(workers)
    ]
    start = time.perf_counter()
    pool.starmap(decode, shares, chunksize=1)
    return len(split) / (time.perf_counter() - start)


def decode(split: FileSplit, share: Indices, batch: int) -> None:
    """Decode a share of the images, batch by batch."""
    for indices in torch.split(share, batch):
        split.pixels(indices)


def loaded(loader: Loader) -> float:
    """Return images a second of one pass through the loader."""
    start = time.perf_counter()
    images = sum(len(batch.labels) for batch in loader)
    return images / (time.perf_counter() - start)


if __name__ == "__main__":
    main()
