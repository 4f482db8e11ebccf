from io import StringIO

from rich.console import Console

from interp_by_design.predictor import Layer
from interp_by_design.report.layers_table import shape_text, show

LONG = "features.denseblock4.denselayer16.norm2.with.a.very.long.name.that.must.not.be.cut.off"


def test_each_layer_is_a_whole_row_in_the_networks_order() -> None:
    written = StringIO()
    show(
        [Layer("conv1", (128, 28, 28), 0, "map"), Layer(LONG, (512,), 1_234_567, "vector")],
        Console(file=written, width=20),
    )
    rows = [line.split() for line in written.getvalue().splitlines()]
    assert rows == [
        ["layer", "output", "parameters"],
        ["conv1", "128", "x", "28", "x", "28", "0"],
        [LONG, "512", "1,234,567"],
    ]


def test_tokens_are_marked() -> None:
    assert shape_text(Layer("blocks.5", (192, 14, 14), 0, "tokens")) == "192 x 14 x 14 (tokens)"
    assert (
        shape_text(Layer("blocks.5:prefix", (192,), 0, "prefix"))
        == "192 (class and register tokens)"
    )
