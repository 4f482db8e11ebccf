"""`interp layers`: which hidden layers a network has, for the options of `interp train`."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from interp_by_design.commands.errors import reports_errors

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from interp_by_design.terms import DataFacts

N_CLASSES = 1000  # ImageNet's, where no data gives another number

Overrides = Annotated[
    list[str] | None,
    typer.Argument(metavar="OVERRIDE", help="Options of `train`, such as predictor=resnet20."),
]
ImageShape = Annotated[
    str | None,
    typer.Option(
        metavar="CxHxW", help="Shape of an image, such as 3x224x224; else the data is read."
    ),
]
Classes = Annotated[
    int | None,
    typer.Option(metavar="N", help=f"Number of classes, with --image; {N_CLASSES} by default."),
]
ConfigDir = Annotated[
    str | None,
    typer.Option(
        metavar="DIR", help="A folder with options of your own: DIR/predictor/mine.yaml and so on."
    ),
]

app = typer.Typer()


@app.command(short_help="The layers of a network that can be read.")
@reports_errors
def layers(
    overrides: Overrides = None,
    image: ImageShape = None,
    classes: Classes = None,
    config_dir: ConfigDir = None,
) -> None:
    """List the layers of a network that an interpreter can read.

    The table has names for predictor.hidden_layers, the shape of each output, and the number of
    parameters inside. For example:

    interp layers predictor=pretrained predictor.name=resnet18 --image 3x224x224
    """
    if classes is not None and image is None:
        raise typer.BadParameter(
            "--classes goes with --image; without it, both come from the data."
        )
    shape = None if image is None else parse_shape(image)
    sys.path.append(os.getcwd())  # the user's own classes are found there too
    config = _composed(overrides or [], config_dir)

    from interp_by_design.predictor import usable_layers
    from interp_by_design.report import layers_table
    from interp_by_design.run.build import build_network, build_preprocessing

    facts = _facts(config, shape, N_CLASSES if classes is None else classes)
    network = build_network(config, facts)
    shape = build_preprocessing(config, network, facts).input_shape(facts.image_shape)
    layers_table.show(usable_layers(network, shape))


def parse_shape(text: str) -> tuple[int, int, int]:
    """Parse the shape of an image.

    Args:
        text: The shape as CxHxW.

    Returns:
        Channels, height and width.

    Raises:
        BadParameter: For any other text.

    Examples:
        >>> parse_shape("3x224x224")
        (3, 224, 224)
    """
    if not (found := re.fullmatch(r"(\d+)[x,](\d+)[x,](\d+)", text)):
        raise typer.BadParameter(
            f"'{text}' is no shape of an image; wanted CxHxW, such as 3x224x224",
            param_hint="--image",
        )
    channels, height, width = map(int, found.groups())
    return channels, height, width


def _composed(overrides: Sequence[str], folder: str | None) -> DictConfig:
    """Return the configuration that `train` would have, without the entries of a run."""
    from hydra import compose, initialize_config_dir

    from interp_by_design.run.configs import config_dir

    search = [f"hydra.searchpath=[file://{os.path.abspath(folder)}]"] if folder else []
    with initialize_config_dir(str(config_dir()), version_base="1.3"):
        return compose("train", [*overrides, *search])


def _facts(config: DictConfig, shape: tuple[int, int, int] | None, n_classes: int) -> DataFacts:
    from interp_by_design.run.build import build_data
    from interp_by_design.terms import DataFacts, Normalisation

    if shape is None:
        return build_data(config).facts
    return DataFacts(shape, tuple(str(number) for number in range(n_classes)), Normalisation())
