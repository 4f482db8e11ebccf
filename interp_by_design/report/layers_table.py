"""The layers of a network as a table on the screen."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from interp_by_design.predictor import Layer

MAX_WIDTH = 10_000  # characters, where the output is no terminal
KIND_SUFFIX = {
    "map": "",
    "vector": "",
    "tokens": " (tokens)",
    "prefix": " (class and register tokens)",
}


def show(layers: Sequence[Layer], console: Console | None = None) -> None:
    """Print layers in the order of the network.

    Rows are whole where the output is no terminal, so that names can be searched for.

    Args:
        layers: The layers.
        console: Where to print; the standard output where None.
    """
    console = console or Console()
    table = layers_table(layers)
    if not console.is_terminal:
        console.width = MAX_WIDTH
        console.width = console.measure(table).maximum
    console.print(table)


def layers_table(layers: Sequence[Layer]) -> Table:
    """Build a table with one row a layer: name, shape of the output, number of parameters.

    Args:
        layers: The layers.

    Returns:
        The table; stages are bold.
    """
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("layer", overflow="fold")
    table.add_column("output", no_wrap=True)
    table.add_column("parameters", justify="right", no_wrap=True)
    for layer in layers:
        style = "bold" if layer.is_stage else ""
        table.add_row(layer.name, shape_text(layer), f"{layer.parameters:,}", style=style)
    return table


def shape_text(layer: Layer) -> str:
    """Format the shape of a layer's output.

    Args:
        layer: The layer.

    Returns:
        Sizes with their kind.

    >>> shape_text(Layer("blocks.5", (192, 14, 14), 444_864, "tokens"))
    '192 x 14 x 14 (tokens)'
    """
    return " x ".join(map(str, layer.shape)) + KIND_SUFFIX[layer.kind]
