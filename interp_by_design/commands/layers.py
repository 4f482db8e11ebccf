"""`interp layers`: which hidden layers a network has, for the options that `interp train` takes.

Imports nothing heavy before it must, so that `--help` answers at once.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from interp_by_design.commands.train import explaining_mistakes
from interp_by_design.run.configs import config_dir

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from interp_by_design.terms import DataFacts

CLASSES = 1000  # ImageNet's, where no data says otherwise


def run_layers(command: str, arguments: Sequence[str]) -> None:
    """`command` is what the user typed before `arguments`."""
    parser = _parser(command)
    options = parser.parse_intermixed_args(arguments)
    if options.classes is not None and options.image is None:
        parser.error("--classes goes with --image; without it, both come from the data.")
    sys.path.append(os.getcwd())  # where classes of the user's own are found too
    explaining_mistakes(lambda: _show(options), command)


def _parser(command: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        command,
        description="The layers of a network that an interpreter can read: names for predictor.hidden_layers, the shape of what "
        "each gives, and how many parameters are inside it.",
        epilog=f"{command} predictor=pretrained predictor.name=resnet18 --image 3x224x224",
    )
    parser.add_argument(
        "overrides",
        nargs="*",
        metavar="OVERRIDE",
        help="options of `train`, such as predictor=resnet20",
    )
    parser.add_argument(
        "--image",
        type=_shape,
        metavar="CxHxW",
        help="shape of an image, such as 3x224x224; else the data is read",
    )
    parser.add_argument(
        "--classes",
        type=int,
        metavar="N",
        help=f"number of classes, with --image; {CLASSES} by default",
    )
    parser.add_argument(
        "--config-dir",
        metavar="DIR",
        help="a folder with options of your own: DIR/predictor/mine.yaml and so on",
    )
    return parser


def _shape(text: str) -> tuple[int, int, int]:
    if not (found := re.fullmatch(r"(\d+)[x,](\d+)[x,](\d+)", text)):
        raise argparse.ArgumentTypeError(
            f"'{text}' is no shape of an image; wanted CxHxW, such as 3x224x224"
        )
    channels, height, width = map(int, found.groups())
    return channels, height, width


def _show(options: argparse.Namespace) -> None:
    config = _composed(options)

    from interp_by_design.predictor import usable_layers
    from interp_by_design.report import layers_table
    from interp_by_design.run.build import build_network, build_preprocessing

    facts = _facts(options, config)
    network = build_network(config, facts)
    shape = build_preprocessing(config, network, facts).input_shape(facts.image_shape)
    layers_table.show(usable_layers(network, shape))


def _composed(options: argparse.Namespace) -> DictConfig:
    """The configuration as `train` would have it, but for what only a run has."""
    from hydra import compose, initialize_config_dir

    more = (
        [f"hydra.searchpath=[file://{os.path.abspath(options.config_dir)}]"]
        if options.config_dir
        else []
    )
    with initialize_config_dir(str(config_dir()), version_base="1.3"):
        return compose("train", [*options.overrides, *more])


def _facts(options: argparse.Namespace, config: DictConfig) -> DataFacts:
    from interp_by_design.run.build import build_data
    from interp_by_design.terms import DataFacts, Normalisation

    if options.image is None:
        return build_data(config).facts
    n_classes = CLASSES if options.classes is None else options.classes
    return DataFacts(
        options.image, tuple(str(number) for number in range(n_classes)), Normalisation()
    )
