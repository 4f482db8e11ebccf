"""Explanations of image files as text, CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from interp_by_design.report.terminal_text import printable

FIELDS = (
    "file",
    "f",
    "f_probability",
    "g",
    "g_probability",
    "agrees",
    "sufficient",
    "shown",
    "statement",
    "error",
)


@final
@dataclass(frozen=True)
class ExplainedFile:
    """The explanation of one image file.

    Args:
        file: The file.
        values: What `Explanation.as_dict` gives; empty where the file cannot be read.
        error: Why it cannot be read.
        figure: The name of the figure's file; empty without a figure.
    """

    file: Path
    values: dict[str, Any]
    error: str = ""
    figure: str = ""


def as_text(title: str, values: dict[str, Any]) -> str:
    """Format an explanation as lines: both decisions, then each attribute that is shown.

    Args:
        title: The first line.
        values: What `Explanation.as_dict` gives.

    Returns:
        Text that is safe to print on a terminal.
    """
    width = max((len(shown["label"]) for shown in values["shown"]), default=0)
    lines = [
        title,
        f"  {values['statement']}",
        *(
            f"    {shown['label']:{width}}  relevance {shown['relevance']:+.2f}  "
            f"contribution {shown['contribution']:+8.2f}  φ {shown['activation']:.2f}"
            for shown in values["shown"]
        ),
    ]
    return "\n".join(printable(line) for line in lines)


def as_csv(done: Sequence[ExplainedFile]) -> str:
    """Format explanations as a table for other programs.

    Args:
        done: The files, explained.

    Returns:
        CSV text, a row a file.
    """
    table = io.StringIO()
    writer = csv.DictWriter(table, FIELDS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(_row(one) for one in done)
    return table.getvalue()


def as_json(done: Sequence[ExplainedFile]) -> str:
    """Format explanations with all their values.

    Args:
        done: The files, explained.

    Returns:
        JSON text, an object a file.
    """
    entries = [
        {"file": str(one.file), **(one.values or {"error": one.error}), **_figure(one)}
        for one in done
    ]
    return json.dumps(entries, indent=2, ensure_ascii=False) + "\n"


def _row(one: ExplainedFile) -> dict[str, Any]:
    if not one.values:
        return {"file": one.file, "error": one.error}
    f, g = one.values["predictor"], one.values["interpreter"]
    return {
        "file": one.file,
        "f": f["class"],
        "f_probability": round(f["probability"], 6),
        "g": g["class"],
        "g_probability": round(g["probability"], 6),
        "shown": "; ".join(
            f"{shown['label']} {shown['relevance']:+.2f}" for shown in one.values["shown"]
        ),
        **{key: one.values[key] for key in ("agrees", "sufficient", "statement")},
    }


def _figure(one: ExplainedFile) -> dict[str, str]:
    return {"figure": one.figure} if one.figure else {}
