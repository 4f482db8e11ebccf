"""The gain of a post-hoc fit from the activation cache, and the cache's cost.

usage: python -m benchmarks.post_hoc [--seconds 30] [--batch 128] [--only WORD] [--folder FOLDER]

Step: one of g from the cache, and one that runs f first, in turn, so that other load slows both;
the median of the neighbours' ratios counts. Without a decoder it is dictionary and head alone.
Reading: an epoch in the loader's order, with pages in memory, against a plain copy of the bytes
that it yields; and as stored, without floats of images, against a copy of those. Writing: recording
to disk, with checksums and fsync, against a bare pass in the same batches. Memory: the highest
anonymous and whole resident set of a fresh process that records and reads N or 4 N images, above
its level after one warm run.

Weights and images are random.
"""

from __future__ import annotations

import resource
import shutil
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table

from benchmarks.arguments import ProgramParser
from benchmarks.record import save
from benchmarks.synthetic import CASES, Case, SyntheticData, synthetic
from interp_by_design.activations import CachedData, CacheSettings, cached_activations
from interp_by_design.data.pass_size import images_per_pass
from interp_by_design.learning import Objective
from interp_by_design.model import InterpretableModel
from interp_by_design.predictor import Predictor, evaluating
from interp_by_design.terms import Batch, BatchWithActivations

COLUMNS = {
    "network_ms": "step, f run, ms",
    "cached_ms": "from cache, ms",
    "ratio": "ratio",
    "undecoded_ratio": "no decoder",
}
COLUMNS |= {
    "reading_ratio": "reading / copy",
    "stored_ratio": "as stored",
    "writing_ratio": "writing / pass",
}
COLUMNS |= {
    "anon_mib": "anonymous MiB, N",
    "anon_4_mib": "anonymous MiB, 4 N",
    "rss_mib": "resident MiB, N",
}
COLUMNS |= {"rss_4_mib": "resident MiB, 4 N"}


def main() -> None:
    """Measure every case, print the table and save it."""
    parser = ProgramParser(__doc__)
    parser.add_argument(
        "--seconds",
        type=float,
        default=30,
        help="for the steps of one case; the rest takes a few minutes",
    )
    parser.add_batch()
    parser.add_only()
    parser.add_argument(
        "--folder",
        type=Path,
        help="where caches are written; by default with the temporary files",
    )
    arguments = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory(dir=arguments.folder) as scratch:
        for case in [case for case in CASES if arguments.only in case.name]:
            # Memory first: a process inherits the peak of the one that starts it.
            peaks = memory(case, Path(scratch))
            rows.append(
                {
                    "case": case.name,
                    **measure(case, Path(scratch), arguments.seconds, arguments.batch),
                    **peaks,
                }
            )
    console = Console()
    for row in rows:
        table = Table("", str(row["case"]))
        for key, heading in COLUMNS.items():
            table.add_row(heading, f"{row[key]:.{0 if 'mib' in key else 2}f}")
        console.print(table)
    path = save("post_hoc", {"batch": arguments.batch, "seconds": arguments.seconds, "rows": rows})
    console.print(f"Written to {path}")


def measure(case: Case, scratch: Path, seconds: float, batch: int) -> dict[str, float]:
    """Measure steps, reading and writing of one case."""
    data, model = synthetic(case, case.n, batch)
    found = writing(case, data, model.predictor, scratch)
    passes = cached_activations(model.predictor, data, on_disk(scratch / "cache"))
    if passes is None:
        raise RuntimeError("a cache on disk was asked for")
    found |= steps(model, data, passes, seconds)
    found |= reading(passes)
    shutil.rmtree(scratch / "cache")
    return found


def steps(
    model: InterpretableModel, data: SyntheticData, passes: CachedData, seconds: float
) -> dict[str, float]:
    """Return medians of steps in milliseconds and of the neighbours' ratios."""
    model.predictor.requires_grad_(False)
    optimizer = torch.optim.AdamW(model.interpreter.parameters(), lr=3e-3, fused=True)
    whole, undecoded = Objective(gamma=2.0), Objective(gamma=0.0)
    live, kept = endless(data), endless(passes)
    start = time.perf_counter()
    taken: list[tuple[float, ...]] = []
    while len(taken) < 5 or time.perf_counter() - start < seconds:
        pairs = [(source, objective) for objective in (whole, undecoded) for source in (live, kept)]
        taken.append(
            tuple(
                timed(partial(step, model, source, objective, optimizer))
                for source, objective in pairs
            )
        )
    taken = taken[2:]  # the first are slower
    return {
        "network_ms": 1e3 * statistics.median(times[0] for times in taken),
        "cached_ms": 1e3 * statistics.median(times[1] for times in taken),
        "ratio": statistics.median(times[0] / times[1] for times in taken),
        "undecoded_network_ms": 1e3 * statistics.median(times[2] for times in taken),
        "undecoded_cached_ms": 1e3 * statistics.median(times[3] for times in taken),
        "undecoded_ratio": statistics.median(times[2] / times[3] for times in taken),
        "steps": len(taken),
    }


def step(
    model: InterpretableModel,
    source: Iterator[Batch | BatchWithActivations],
    objective: Objective,
    optimizer: torch.optim.Optimizer,
) -> None:
    """Take a step of g on the next batch, with every term but the prediction."""
    given = next(source)
    if isinstance(given, BatchWithActivations):
        batch, seen = given
    else:
        batch = given
        with torch.no_grad():
            seen = model.predictor(batch.images)
    factors = objective.factors(1e6) | {"prediction": 0.0}
    optimizer.zero_grad(set_to_none=True)
    terms = objective.terms(
        model.interpret(seen, reconstruct=factors["input_fidelity"] > 0), batch, factors
    )
    objective.total(terms, factors).backward()  # type: ignore[no-untyped-call]  # torch's
    optimizer.step()


def endless(source: SyntheticData | CachedData) -> Iterator[Any]:
    """Yield training batches, epoch after epoch."""
    loader: Any = source.train_dataloader()
    epoch = 0
    while True:
        loader.sampler.set_epoch(epoch)
        yield from loader
        epoch += 1


def reading(passes: CachedData, rounds: int = 9) -> dict[str, float]:
    """Return medians of reading an epoch against copying its bytes, as floats and as stored."""
    loader = passes.train_dataloader()
    stored = [loader.store.shard(number).clone() for number in range(loader.store.layout.n_shards)]
    handed = [
        part.clone()
        for given in loader
        for part in (*given.batch, given.seen.logits, *given.seen.hidden)
    ]

    def copied(parts: Sequence[torch.Tensor], into: Sequence[torch.Tensor]) -> Callable[[], None]:
        return lambda: [there.copy_(part) for part, there in zip(parts, into, strict=True)].clear()

    def through(batches: Callable[[], Iterator[Any]]) -> None:
        for _ in batches():
            pass

    read: list[Callable[[], None]] = [
        copied(handed, [torch.zeros_like(part) for part in handed]),
        lambda: through(loader.__iter__),
        copied(stored, [torch.zeros_like(part) for part in stored]),
        lambda: through(loader.as_kept),
    ]
    taken = [tuple(map(timed, read)) for _ in range(rounds)][1:]
    return {
        "reading_ratio": statistics.median(batches / plain for plain, batches, *_ in taken),
        "stored_ratio": statistics.median(kept / plain for *_, plain, kept in taken),
        "read_gb_per_second": statistics.median(
            sum(part.nbytes for part in handed) / times[1] / 1e9 for times in taken
        ),
    }


def writing(
    case: Case, data: SyntheticData, predictor: Predictor, scratch: Path, rounds: int = 4
) -> dict[str, float]:
    """Return the median ratio of recording to disk to a bare pass over the same batches."""
    taken = []
    for number in range(rounds):
        folder = scratch / f"writing{number}"
        passed = timed(lambda: bare_pass(data, predictor))
        passes = cached_activations(predictor, data, on_disk(folder))
        if passes is None:
            raise RuntimeError("a cache on disk was asked for")
        taken.append((passed, passes.seconds))
        shutil.rmtree(folder)
    return {
        "pass_s": statistics.median(passed for passed, _ in taken[1:]),
        "writing_s": statistics.median(wrote for _, wrote in taken[1:]),
        "writing_ratio": statistics.median(wrote / passed for passed, wrote in taken[1:]),
    }


def bare_pass(data: SyntheticData, predictor: Predictor) -> None:
    """Run all three splits through the predictor."""
    with evaluating(predictor), torch.no_grad():
        for name in ("train", "val", "test"):
            split = data.split(name)
            batch_size = images_per_pass(split.image_shape)
            for rows in torch.split(torch.arange(len(split)), batch_size):
                predictor(split.batch(rows).images)


def memory(case: Case, scratch: Path) -> dict[str, float]:
    """Return peaks in MiB of recording and reading N and 4 N images, in fresh processes."""
    found = {}
    for times, name in ((1, ""), (4, "_4")):
        with ProcessPoolExecutor(1, get_context("spawn"), max_tasks_per_child=1) as pool:
            found[f"anon{name}_mib"], found[f"rss{name}_mib"] = pool.submit(
                peak, case, times, str(scratch / f"peak{times}")
            ).result()
    return found


def peak(case: Case, times: int, folder: str) -> tuple[float, float]:
    """Return the rise of the anonymous and whole resident set by recording and two epochs."""
    data, model = synthetic(case, case.n // 4, 128)
    cached_activations(
        model.predictor, data, on_disk(Path(folder) / "warm", case.shard_bytes)
    )  # what torch keeps once it has run
    data = SyntheticData(case, case.n * times, 128)
    data.setup()
    before, whole = resident("RssAnon"), resident("VmRSS")
    heights = [before]
    done = threading.Event()

    def look() -> None:
        while not done.wait(0.005):
            heights.append(resident("RssAnon"))

    watch = threading.Thread(target=look)
    watch.start()
    passes = cached_activations(
        model.predictor, data, on_disk(Path(folder) / "cache", case.shard_bytes)
    )
    if passes is None:
        raise RuntimeError("a cache on disk was asked for")
    for _ in range(2):
        for _ in passes.train_dataloader():
            pass
    done.set()
    watch.join()
    shutil.rmtree(folder)
    highest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return max(heights) - before, highest - whole


def resident(what: str) -> float:
    """Return MiB of this process's memory of a kind, as Linux counts it."""
    return int(Path("/proc/self/status").read_text().partition(f"{what}:")[2].split()[0]) / 1024


def on_disk(folder: Path, shard_bytes: int = CacheSettings.shard_bytes) -> CacheSettings:
    """Return settings of a cache in `folder`."""
    return CacheSettings("disk", folder, shard_bytes=shard_bytes)


def timed(action: Callable[[], None]) -> float:
    """Return the seconds that an action takes."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
