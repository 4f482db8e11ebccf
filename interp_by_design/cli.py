"""The installed command `interp`. What a command needs is imported when it is given, so that `--help` answers at once."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

HELP = """Image classifiers that explain themselves.

usage: {program} train [experiment=NAME] [key=value] ...             train a classifier together with its interpreter
       {program} compare RUN ... [--all] [--csv FILE] [--html FILE]  runs beside one another
       {program} --version                                           this package, and the format of its run folders

`{program} train --help` and `{program} compare --help` say more."""


def main() -> None:
    """Runs the command that the process was started with."""
    program = "python -m interp_by_design" if Path(sys.argv[0]).name == "__main__.py" else "interp"
    name, *arguments = sys.argv[1:] or ["--help"]
    if name in ("--help", "-h"):
        print(HELP.format(program=program))
    elif name == "--version":
        from interp_by_design.run import FORMAT

        print(f"interp_by_design {version('interp_by_design')} (run format {FORMAT})")
    elif name == "train":
        from interp_by_design.run.command import run_training

        run_training(f"{program} train", arguments)
    elif name == "compare":
        _compare(f"{program} compare", arguments)
    else:
        from interp_by_design.run.command import nearest

        hint = nearest(name, ["train", "compare", "--help", "--version"])
        print(f"{program}: no command '{name}'. Known: train, compare.{hint}", file=sys.stderr)
        sys.exit(2)


def _compare(command: str, arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(
        command, description="Shows in which options runs differ, and their numbers. * marks the best; seeds are averaged."
    )
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="a run folder, or a folder with some below it: a sweep")
    parser.add_argument("--all", action="store_true", help="print all numbers, not only the main ones")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="also write all numbers to FILE, as a table")
    parser.add_argument("--html", type=Path, metavar="FILE", help="also write them to FILE, as a page that opens from disk")
    options = parser.parse_args(arguments)

    from interp_by_design.run.command import explaining_mistakes

    explaining_mistakes(lambda: _show(options), command)


def _show(options: argparse.Namespace) -> None:
    from interp_by_design.report import comparison_page, comparison_table
    from interp_by_design.report.comparison import compare
    from interp_by_design.run.records import read_runs

    records, problems = read_runs(options.runs)
    for problem in problems:
        print(f"Left out: {problem}", file=sys.stderr)
    comparison = compare(records)
    comparison_table.show(comparison if options.all else comparison.main)
    if options.csv:
        comparison_table.write_csv(comparison, options.csv)
    if options.html:
        comparison_page.write(comparison, options.html)
