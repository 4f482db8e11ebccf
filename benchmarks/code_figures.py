"""Figures of the code base: sizes, comments, documentation, and what breaks a rule.

`python -m benchmarks.code_figures` prints the figures and the number of problems in each package;
`python -m benchmarks.code_figures PACKAGE` lists every problem in a package, its tests and its
configurations; with `--check` it lists all of them, and fails where there are any.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import Counter
from statistics import median, quantiles

from benchmarks.code_rules import MAX_WIDTH, RULES, Problem
from benchmarks.source_files import PACKAGE, modules


def figures() -> dict[str, str]:
    """Return the figures of the package, by name."""
    package = [module for module in modules() if module.path.startswith(f"{PACKAGE}/")]
    lines = [line for module in package for line in module.text.splitlines()]
    sizes = [len(module.text.splitlines()) for module in package]
    code = [len(module.code) for module in package]
    lengths = sorted(length for module in package for _, length in module.functions())
    constants = [name for module in package for name, _ in module.constants()]
    p99 = quantiles(lengths, n=100)[98]
    wide = 100 * sum(len(line) > MAX_WIDTH for line in lines) / len(lines)
    return {
        "files / lines": f"{len(package)} / {len(lines):,}",
        "file median / max": f"{median(sizes):.0f} / {max(sizes)}",
        "file median / max, code alone": f"{median(code):.0f} / {max(code)}",
        "function median / p99 / max": f"{median(lengths):.0f} / {p99:.0f} / {max(lengths)}",
        "comments per 100 code lines": f"{100 * sum(m.comments for m in package) / sum(code):.1f}",
        "lines over 100 characters": f"{wide:.1f} %",
        "`Args:` sections": _counted(r"^\s*Args:$", lines),
        "`>>>` examples": _counted(r"^\s*>>> ", lines),
        "lines on what is not known": _counted(r"[Kk]nows? nothing |[Dd]oes not know", lines),
        "MIN_/MAX_/BATCH_ constants": _counted(r"^_?(MIN|MAX|BATCH)_", constants),
        "FEWEST/LEAST/MOST/AT_ONCE constants": _counted(
            r"(^|_)(FEWEST|LEAST|MOST|AT_ONCE)(_|$)", constants
        ),
    }


def _counted(pattern: str, lines: list[str]) -> str:
    return f"{sum(bool(re.search(pattern, line)) for line in lines):,}"


def problems() -> dict[str, list[Problem]]:
    """Return the places that break each rule, by the rule's name."""
    return {name: list(rule()) for name, rule in RULES.items()}


def _owner(path: str) -> str:
    """Return the package that a file belongs to: interp_by_design/data, tests/data, conf/data."""
    parts = path.split("/")
    folder = parts[1] if len(parts) > 2 else parts[0]
    return folder if parts[0] in (PACKAGE, "tests", "conf") else parts[0]


def _print_counts(found: dict[str, list[Problem]]) -> None:
    counts = {name: Counter(_owner(path) for path, *_ in places) for name, places in found.items()}
    owners = sorted({owner for count in counts.values() for owner in count})
    for name, count in counts.items():
        print(f"\n{name}: {count.total()}")
        print("  " + ", ".join(f"{owner} {count[owner]}" for owner in owners if count[owner]))


def main() -> None:
    """Print the figures, or the problems of one package, or every problem."""
    parser = argparse.ArgumentParser(description="Figures of the code base.")
    parser.add_argument("package", nargs="?", help="list the problems of this package alone")
    parser.add_argument("--check", action="store_true", help="list all, and fail if there are any")
    options = parser.parse_args()
    package = "" if options.check else options.package
    found = problems()
    if package is None:
        for name, figure in figures().items():
            print(f"{name:38}{figure}")
        _print_counts(found)
        return
    for places in found.values():
        for path, line, what in places:
            if _owner(path) == package or path.startswith(package):
                print(f"{path}:{line}: {what}")
    if options.check and any(found.values()):
        sys.exit(1)


if __name__ == "__main__":
    main()
