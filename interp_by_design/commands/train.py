"""`interp train`: Hydra's command line around a run."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from interp_by_design.commands.errors import run_reporting_errors

if TYPE_CHECKING:
    from omegaconf import DictConfig

# Hydra parses every argument, --help included.
FOR_HYDRA = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}

app = typer.Typer()


@app.command(
    short_help="Train a classifier together with its interpreter.", context_settings=FOR_HYDRA
)
def train(context: typer.Context) -> None:
    """Train a classifier together with its interpreter."""
    run_training(context.command_path, context.args)


def run_training(command: str, arguments: Sequence[str]) -> None:
    """Train one run, or several, as Hydra reads the arguments.

    The user's own classes are also found in the current folder.

    Args:
        command: What the user typed before the arguments.
        arguments: Overrides of the configuration, and options of Hydra.

    Raises:
        SystemExit: After a user error, and after an interrupt.
    """
    import hydra

    from interp_by_design.run.configs import config_dir

    typed = sys.argv

    def task(config: DictConfig) -> None:
        sys.argv = typed  # provenance records it
        from interp_by_design.run import train  # seconds that --help does not need

        train(config)

    sys.argv = [command.removeprefix("python "), *arguments]
    sys.path.append(os.getcwd())
    os.environ["INTERP_COMMAND"] = command  # for the text of --help
    main = hydra.main(version_base="1.3", config_path=str(config_dir()), config_name="train")(task)
    run_reporting_errors(main, command, hint="\n(debug=true shows where this was raised.)")
