"""The command `interp`. Commands import what they need when they run, so that help is fast."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from typer.main import get_group

from interp_by_design.commands import (
    attributes,
    cache,
    compare,
    evaluate,
    explain,
    layers,
    report,
    serve,
    study,
    train,
)

HELP = "Image classifiers that explain themselves. `interp COMMAND --help` explains each command."

COMMANDS = (  # in the order of the help; `cache` has subcommands and follows them
    train,
    report,
    explain,
    evaluate,
    attributes,
    study,
    serve,
    compare,
    layers,
)

app = typer.Typer(
    help=HELP,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
for command in COMMANDS:
    app.add_typer(command.app)
app.add_typer(cache.app, name="cache")


def _print_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version  # half of the time that the help takes

        from interp_by_design.run import FORMAT

        print(f"interp_by_design {version('interp_by_design')} (run format {FORMAT})")
        raise typer.Exit


Version = Annotated[
    bool,
    typer.Option(
        "--version",
        is_eager=True,
        callback=_print_version,
        help="This package, and the format of run folders.",
    ),
]


@app.callback()
def _options(version: Version = False) -> None:
    """Options that precede a command."""


def main() -> None:
    """Run the command that the process was started with."""
    program = "python -m interp_by_design" if Path(sys.argv[0]).name == "__main__.py" else "interp"
    arguments = sys.argv[1:] or ["--help"]
    group = get_group(app)
    known = list(group.commands)
    if not arguments[0].startswith("-") and arguments[0] not in known:
        from interp_by_design.commands.errors import suggestion

        hint = suggestion(arguments[0], known)
        print(
            f"{program}: no command '{arguments[0]}'. Known: {', '.join(known)}.{hint}",
            file=sys.stderr,
        )
        sys.exit(2)
    try:
        group(arguments, prog_name=program)
    except SystemExit as ended:
        if ended.code:
            raise
