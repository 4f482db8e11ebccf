"""Stability across seeds, of run folders that differ in the seed alone."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, final

from interp_by_design.activations import load_table
from interp_by_design.metrics.seed_stability import stability_seeds
from interp_by_design.report.comparison.table import RunRecord
from interp_by_design.run.folder import TABLES
from interp_by_design.terms import UserError

if TYPE_CHECKING:
    from interp_by_design.api.seed_stability import Seeded

SPLIT = "test"


def stability_of(folders: Sequence[Path]) -> dict[str, float]:
    """Compute `test/stability_seeds` from stored tables; neither model nor data is needed.

    Args:
        folders: The run folders.

    Returns:
        The score by its key.

    Raises:
        UserError: Where a run has no table, or where the runs cannot be compared.
    """
    tables = []
    for folder in folders:
        place = folder / TABLES / SPLIT
        if not place.is_dir():
            raise UserError(
                f"{folder} keeps no table of its {SPLIT} images; "
                f"interp attributes {folder} makes it."
            )
        tables.append(load_table(place))
    return {f"{SPLIT}/stability_seeds": stability_seeds(tables)}


def random_stability_of(
    folders: Sequence[Path], data: Sequence[str] = (), trust: bool = False
) -> dict[str, float]:
    """Compute `test/stability_seeds_random`, of dictionaries with random weights.

    Args:
        folders: The run folders.
        data: Changes of the options of the data, such as `data.root=FOLDER`.
        trust: Whether configs may name classes from outside this package.

    Returns:
        The score by its key.

    Raises:
        UserError: Where a run's model or data cannot be loaded, or it has no dictionary.
    """
    from interp_by_design.api.seed_stability import Seeded, stability_seeds_random
    from interp_by_design.run.saved_run import open_run

    def opened() -> Iterator[Seeded]:
        for folder in folders:
            run = open_run(folder, trust=trust, data=data)
            yield Seeded(run.model, run.data, run.seed)

    return {f"{SPLIT}/stability_seeds_random": stability_seeds_random(opened(), SPLIT)}


@final
@dataclass(frozen=True)
class SeedScores:
    """Computes the scores of several runs together; one that fails is reported and left out.

    Args:
        random: Whether to compute the score of random dictionaries too.
        data: Changes of the options of the data.
        trust: Whether configs may name classes from outside this package.
    """

    random: bool = False
    data: tuple[str, ...] = ()
    trust: bool = False

    def __call__(self, group: Sequence[RunRecord]) -> dict[str, float]:
        folders = [record.folder for record in group if record.folder is not None]
        wanted: list[Callable[[], dict[str, float]]] = [lambda: stability_of(folders)]
        if self.random:
            wanted.append(lambda: random_stability_of(folders, self.data, self.trust))
        scores: dict[str, float] = {}
        for score in wanted:
            try:
                scores |= score()
            except UserError as error:
                print(
                    f"Left out: stability across the seeds of {group[0].name} "
                    f"and its repetitions: {error}",
                    file=sys.stderr,
                )
        return scores
