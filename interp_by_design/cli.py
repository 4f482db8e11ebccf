"""The installed command `interp`. What a command needs is imported when it is given, so that `--help` answers at once."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

HELP = """Image classifiers that explain themselves.

usage: {program} train [experiment=NAME] [key=value] ...             train a classifier together with its interpreter
       {program} layers [predictor=NAME] [--image CxHxW] ...         the hidden layers that an interpreter can read
       {program} compare RUN ... [--all] [--csv FILE] [--html FILE]  runs beside one another
       {program} cache ls|verify|rm [KEY ...] [--root FOLDER]        what post-hoc fits keep on disk
       {program} --version                                           this package, and the format of its run folders

`{program} train --help`, and so on, say more."""

COMMANDS = {  # and where the function is that takes what the user typed: the command, and a list of arguments
    "train": ("interp_by_design.run.command", "run_training"),
    "layers": ("interp_by_design.run.layers", "run_layers"),
    "compare": ("interp_by_design.cli", "compare_runs"),
    "cache": ("interp_by_design.run.cache_command", "run_cache"),
}


def main() -> None:
    """Runs the command that the process was started with."""
    program = "python -m interp_by_design" if Path(sys.argv[0]).name == "__main__.py" else "interp"
    name, *arguments = sys.argv[1:] or ["--help"]
    if name in ("--help", "-h"):
        print(HELP.format(program=program))
    elif name == "--version":
        from interp_by_design.run import FORMAT

        print(f"interp_by_design {version('interp_by_design')} (run format {FORMAT})")
    elif name in COMMANDS:
        module, function = COMMANDS[name]
        getattr(import_module(module), function)(f"{program} {name}", arguments)
    else:
        from interp_by_design.run.command import nearest

        hint = nearest(name, [*COMMANDS, "--help", "--version"])
        print(f"{program}: no command '{name}'. Known: {', '.join(COMMANDS)}.{hint}", file=sys.stderr)
        sys.exit(2)


def compare_runs(command: str, arguments: Sequence[str]) -> None:
    """`command` is what the user typed before `arguments`."""
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
