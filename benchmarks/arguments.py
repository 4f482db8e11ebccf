"""The arguments of the programs: one parser, and the options that several programs share."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path


class ProgramParser(argparse.ArgumentParser):
    """A parser that prints a module's docstring as its help.

    Args:
        doc: the docstring of the program.
    """

    def __init__(self, doc: str | None) -> None:
        super().__init__(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)

    def add_runs(self, at_least: int = 1) -> None:
        """Add the run folders, `runs`.

        Args:
            at_least: 0 where none may be given, else 1.
        """
        self.add_argument("runs", nargs="+" if at_least else "*", type=Path, help="run folders")

    def add_seeds(self, default: Sequence[int]) -> None:
        """Add `--seeds`.

        Args:
            default: the seeds without the option.
        """
        self.add_argument("--seeds", nargs="*", type=int, default=list(default))

    def add_repeats(self) -> None:
        """Add `--repeats`, how often a time is measured."""
        self.add_argument("--repeats", type=int, default=3)

    def add_batch(self) -> None:
        """Add `--batch`, the images of a training step."""
        self.add_argument("--batch", type=int, default=128)

    def add_only(self) -> None:
        """Add `--only`, a word that chooses among the cases."""
        self.add_argument("--only", default="", help="the cases whose name holds this")
