"""`interp explain`: why a run's model decides as it does on image files, on the screen and in files. Trains nothing."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from interp_by_design.commands.terminal_text import plain
from interp_by_design.files import replacing, write_text
from interp_by_design.run.image_file import Pixels, image_files
from interp_by_design.run.saved_run import SavedRun
from interp_by_design.terms import Explanation, UserError

PLACE = "explanations"  # in the run folder, where nothing else is named
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
class Explained:
    """What came of a file: what is told of it, or the error; and the figure's file, where there is one."""

    file: Path
    told: dict[str, Any]
    error: str = ""
    figure: str = ""


def explain_files(
    run: SavedRun, places: Sequence[Path], tau: float, out: Path | None = None
) -> bool:
    """Explains the files in `places`, one after another: those that cannot be read are told, and the others go on.

    With `out`, a folder, a figure of each is written there, and explanations.csv and .json; without it, a table for each folder
    among `places`, in the run folder. Returns whether all could be read. Raises `UserError` where there is nothing to explain,
    and where a file cannot be written.
    """
    reader, done, taken = run.reader, list[Explained](), set[str]()
    for file in image_files(places):
        try:
            image = reader.read(file)
        except UserError as error:
            print(f"{error}\n", file=sys.stderr)
            done.append(Explained(file, {}, str(error)))
            continue
        explanation = run.model.explain(image, tau)
        told = explanation.as_dict(run.model.facts.class_names, run.names)
        print(f"{as_text(str(file), told)}\n")
        figure = (
            _draw(run, image, explanation, file.name, out / _unique(file.stem, taken))
            if out
            else ""
        )
        done.append(Explained(file, told, figure=figure))
    for path in _filed(run, places, done, out):
        print(f"Written: {path}")
    return not any(one.error for one in done)


def as_text(title: str, told: dict[str, Any]) -> str:
    """An explanation as lines: the statement, which tells both decisions, and a line for each attribute that is shown."""
    width = max((len(shown["label"]) for shown in told["shown"]), default=0)
    lines = [
        title,
        f"  {told['statement']}",
        *(
            f"    {shown['label']:{width}}  relevance {shown['relevance']:+.2f}  contribution {shown['contribution']:+8.2f}  "
            f"φ {shown['activation']:.2f}"
            for shown in told["shown"]
        ),
    ]
    return "\n".join(plain(line) for line in lines)


def as_csv(done: Sequence[Explained]) -> str:
    """A row for each file."""
    table = io.StringIO()
    writer = csv.DictWriter(table, FIELDS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(_row(one) for one in done)
    return table.getvalue()


def as_json(done: Sequence[Explained]) -> str:
    """All that is told of each file."""
    entries = [
        {"file": str(one.file), **(one.told or {"error": one.error}), **_figure(one)}
        for one in done
    ]
    return json.dumps(entries, indent=2, ensure_ascii=False) + "\n"


def _row(one: Explained) -> dict[str, Any]:
    if not one.told:
        return {"file": one.file, "error": one.error}
    f, g = one.told["predictor"], one.told["interpreter"]
    return {
        "file": one.file,
        "f": f["class"],
        "f_probability": round(f["probability"], 6),
        "g": g["class"],
        "g_probability": round(g["probability"], 6),
        "shown": "; ".join(
            f"{shown['label']} {shown['relevance']:+.2f}" for shown in one.told["shown"]
        ),
        **{key: one.told[key] for key in ("agrees", "sufficient", "statement")},
    }


def _figure(one: Explained) -> dict[str, str]:
    return {"figure": one.figure} if one.figure else {}


def _filed(
    run: SavedRun, places: Sequence[Path], done: Sequence[Explained], out: Path | None
) -> list[Path]:
    if out:
        write_text(out / "explanations.csv", as_csv(done))
        write_text(out / "explanations.json", as_json(done))
        return [out]
    paths = []
    for place in places:
        if place.is_dir():
            paths.append(run.folder.path / PLACE / f"{place.resolve().name}.csv")
            write_text(paths[-1], as_csv([one for one in done if one.file.is_relative_to(place)]))
    return paths


def _draw(run: SavedRun, image: Pixels, explanation: Explanation, over: str, file: Path) -> str:
    from interp_by_design.visualize import LIGHT, local_figure  # a second, where nothing is drawn

    figure = local_figure(image, explanation, run.model.facts.class_names, run.names, LIGHT, over)
    with replacing(file) as stream:
        figure.savefig(stream, format="png", dpi=150)
    return file.name


def _unique(stem: str, taken: set[str]) -> str:
    """A name for a figure that no other file of this command has: images of one name may lie in several folders."""
    name, number = f"{stem}.png", 1
    while name in taken:
        number += 1
        name = f"{stem}-{number}.png"
    taken.add(name)
    return name
