"""The files in results/ as sections of docs/results.md.

A file with a `title` holds all that its section needs (the others are in SECTIONS):

    {"title": "…", "about": "what was done, in a sentence or several",
     "columns": ["data", "fidelity", …],         headings; or {"heading": "{key:.3f}", …}, formats
                                                 of the row's entries
     "rows": [["mnist", 0.99, …], …],            a list in the order of the columns, or an object
                                                 by heading or by entry
     "command": "python -m benchmarks.…", …}     with machine, versions and date, as
                                                 `benchmarks.record.save` adds them

A cell is text, a whole number, a number (shown with four significant digits; write "98.50" to keep
its digits), a list of a mean and a deviation, true or false, or null for an empty one. Files appear
in the order of their names.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.record import RESULTS


@dataclass(frozen=True)
class Section:
    """A result file as a table.

    Args:
        name: the file's name.
        title: the section's title.
        about: how it was measured; filled from the file's entries.
        columns: a format for the cells under each heading.
    """

    name: str
    title: str
    about: str
    columns: Mapping[str, str]


SECTIONS = (
    Section(
        "training_step",
        "The cost of a joint training step",
        "Batch {batch}; a bare and a joint step in turn for {seconds:.0f} s a case; medians, and "
        "the median of the neighbours' ratios. Memory: how far three steps lift the resident set "
        "of a process.",
        {
            "case": "{case}",
            "f alone, ms": "{bare_ms:.1f}",
            "f and g, ms": "{joint_ms:.1f}",
            "ratio": "{ratio:.2f}",
            "f alone, MiB": "{bare_mib:.0f}",
            "f and g, MiB": "{joint_mib:.0f}",
            "ratio of memory": "{memory_ratio:.2f}",
        },
    ),
    Section(
        "start",
        "How long a person waits",
        "Medians of {repeats}.",
        {"what": "{what}", "seconds": "{seconds:.1f}"},
    ),
    Section(
        "checkpointing",
        "What checkpoints cost",
        "The run of {repeats} whose share is in the middle.",
        {
            "case": "{case}",
            "checkpoints": "{checkpoints:.0f}",
            "MB each": "{megabytes:.1f}",
            "seconds in them": "{seconds:.2f}",
            "seconds of fitting": "{fit_seconds:.1f}",
            "share": "{share:.2%}",
        },
    ),
    Section(
        "image_folder",
        "What a loader of image files costs",
        "{images} photographs to {size} x {size}, batches of {batch}, {workers} workers, against "
        "as many processes that only decode; a row a round; the median ratio is {ratio:.2f}.",
        {
            "decoding, images/s": "{decoding_per_second:.0f}",
            "loader, images/s": "{loader_per_second:.0f}",
        },
    ),
    Section(
        "post_hoc",
        "What a post-hoc fit saves by its cache, and what that costs",
        "Batch {batch}; a step that runs the network and one that reads its pass from disk, in "
        "turn; medians. Reading: against a plain copy of the same bytes, in the order of training, "
        "warm. Writing: against the passes alone. Memory: the most that writing and reading take, "
        "for N images and four times as many.",
        {
            "case": "{case}",
            "step with the network, ms": "{network_ms:.0f}",
            "from the cache, ms": "{cached_ms:.1f}",
            "faster": "{ratio:.1f}x",
            "without the decoder": "{undecoded_ratio:.1f}x",
            "reading / copy": "{reading_ratio:.2f}",
            "writing / passes": "{writing_ratio:.2f}",
            "MiB at N": "{rss_mib:.0f}",
            "at 4 N": "{rss_4_mib:.0f}",
        },
    ),
)


def sections() -> Iterator[str]:
    """Yield a section for each result file."""
    listed = {section.name for section in SECTIONS}
    for path in sorted(RESULTS.glob("*.json")):
        found = json.loads(path.read_text())
        if path.stem not in listed and isinstance(found.get("rows"), list) and "title" in found:
            yield titled(found)
    for section in SECTIONS:
        path = RESULTS / f"{section.name}.json"
        if path.is_file():
            yield _formatted_section(section, json.loads(path.read_text()))


def titled(found: Mapping[str, Any]) -> str:
    """Return the section of a file with its own title, columns and rows.

    Args:
        found: the content of the file.
    """
    columns = found["columns"]
    about = " ".join(str(found.get("about", "")).split())
    lines = [
        f"## {found['title']}",
        "",
        " ".join(filter(None, [f"`{found['command']}`:", about, _origin(found)])),
        "",
        f"| {' | '.join(_cell(heading) for heading in columns)} |",
        "|---" * len(columns) + "|",
    ]
    return "\n".join(
        [*lines, *(f"| {' | '.join(_cells(row, columns))} |" for row in found["rows"]), ""]
    )


def _cells(
    row: Mapping[str, Any] | Sequence[Any], columns: Mapping[str, str] | Sequence[str]
) -> list[str]:
    if not isinstance(row, Mapping):
        return [_cell(value) for value in row]
    if isinstance(columns, Mapping):
        return [_formatted(form, row) for form in columns.values()]
    return [_cell(row.get(heading)) for heading in columns]


def _formatted(form: str, row: Mapping[str, Any]) -> str:
    """Return a formatted cell; empty where the row lacks an entry."""
    try:
        return _escaped(form.format(**row))
    except KeyError:
        return ""


def _cell(value: Any) -> str:
    r"""Return a value as a table shows it.

    >>> [_cell(value) for value in (None, 3, 0.98765, [0.5, 0.0123], "a|b", True)]
    ['', '3', '0.9877', '0.5 ± 0.0123', 'a\\|b', 'yes']
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        return " ± ".join(map(_cell, value))
    return _escaped(str(value))


def _escaped(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def _formatted_section(section: Section, found: Mapping[str, Any]) -> str:
    lines = [
        f"## {section.title}",
        "",
        f"`{found['command']}`: {section.about.format(**found)} {_origin(found)}",
        "",
        f"| {' | '.join(section.columns)} |",
        "|---" * len(section.columns) + "|",
    ]
    rows = (
        " | ".join(cell.format(**row) for cell in section.columns.values()) for row in found["rows"]
    )
    return "\n".join([*lines, *(f"| {row} |" for row in rows), ""])


def _origin(found: Mapping[str, Any]) -> str:
    """Return machine, versions and date of a result file, in a line."""
    machine = found["machine"]
    where = machine["gpu"] or machine["processor"]
    threads = f"{machine['threads']} threads of {machine['cores']}"
    return f"{where}, {threads}, torch {found['versions']['torch']}, {found['date']}."
