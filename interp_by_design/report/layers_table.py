"""The layers of a network as a table on the screen. Does not know how they were found."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from interp_by_design.predictor import Layer

WIDEST = 10_000  # columns, where nobody's screen sets a limit
SAID_OF_KIND = {
    "map": "",
    "vector": "",
    "tokens": " (tokens)",
    "prefix": " (class and register tokens)",
}


def show(layers: Sequence[Layer], console: Console | None = None) -> None:
    """Prints the layers in the network's order; whole rows where the output is no terminal, so that names can be searched for."""
    console = console or Console()
    table = layers_table(layers)
    if not console.is_terminal:
        console.width = WIDEST
        console.width = console.measure(table).maximum
    console.print(table)


def layers_table(layers: Sequence[Layer]) -> Table:
    """A row a layer: its name, the shape of its output, and how many parameters are inside it. Stages stand out."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("layer", overflow="fold")
    table.add_column("output", no_wrap=True)
    table.add_column("parameters", justify="right", no_wrap=True)
    for layer in layers:
        style = "bold" if layer.is_stage else ""
        table.add_row(layer.name, shape_text(layer), f"{layer.parameters:,}", style=style)
    return table


def shape_text(layer: Layer) -> str:
    """The output's shape as people write it.

    >>> shape_text(Layer("blocks.5", (192, 14, 14), 444_864, "tokens"))
    '192 x 14 x 14 (tokens)'
    """
    return " x ".join(map(str, layer.shape)) + SAID_OF_KIND[layer.kind]
