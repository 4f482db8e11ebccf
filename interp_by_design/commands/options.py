"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Run = Annotated[
    Path,
    typer.Argument(
        metavar="RUN", help="The folder of a run, as the training printed it.", show_default=False
    ),
]
Checkpoint = Annotated[
    str | None,
    typer.Option(
        metavar="best|last", help="Weights to read; by default those that the run evaluated."
    ),
]
Trust = Annotated[
    bool,
    typer.Option(
        "--trust", help="Accept a run whose config names classes from outside this package."
    ),
]
Predictor = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="The network's weights, for a post-hoc run whose file has moved."
    ),
]
Data = Annotated[
    list[str] | None,
    typer.Option(
        metavar="KEY=VALUE", help="Changes the run's data, as data.root=FOLDER. Can be repeated."
    ),
]
Split = Annotated[str, typer.Option(metavar="train|val|test", help="Images to look at.")]
Tau = Annotated[
    float, typer.Option(metavar="TAU", help="Attributes are shown where |relevance| > 1/TAU.")
]
Seed = Annotated[int, typer.Option(metavar="N", help="Decides everything random.")]
Maximize = Annotated[
    bool,
    typer.Option(help="Also draw images that maximize attributes; this takes most of the time."),
]
CsvFile = Annotated[Path | None, typer.Option(metavar="FILE", help="Also write the table to FILE.")]
