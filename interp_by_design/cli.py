"""The installed command `interp`. What a command needs is imported when it is given, so that `--help` answers at once."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, final

import typer
from typer.core import TyperCommand

HELP = (
    "Image classifiers that explain themselves. `interp COMMAND --help` says more of each command."
)
RAW: dict[str, Any] = {
    "help_option_names": []
}  # of commands that read their arguments themselves, --help among them

app = typer.Typer(
    help=HELP,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)

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
        "--trust", help="Accept a run whose config names classes that are not this package's."
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
        metavar="KEY=VALUE", help="Changes the run's data, as data.root=FOLDER. Can be given again."
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


@final
class Untouched(TyperCommand):
    """A command that gets its arguments as they were typed, for the parser of its own."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        ctx.args = list(args)
        return []


def main() -> None:
    """Runs the command that the process was started with."""
    program = "python -m interp_by_design" if Path(sys.argv[0]).name == "__main__.py" else "interp"
    arguments = sys.argv[1:] or ["--help"]
    known = [
        command.name or command.callback.__name__
        for command in app.registered_commands
        if command.callback
    ]
    if not arguments[0].startswith("-") and arguments[0] not in known:
        from interp_by_design.commands.train import nearest

        hint = nearest(arguments[0], known)
        print(
            f"{program}: no command '{arguments[0]}'. Known: {', '.join(known)}.{hint}",
            file=sys.stderr,
        )
        sys.exit(2)
    try:
        app(arguments, prog_name=program)
    except SystemExit as ended:
        if ended.code:
            raise


def _explaining(command: Callable[..., None]) -> Callable[..., None]:
    """A command that tells how it goes; a user's mistake ends it with a line or two."""

    @wraps(command)
    def explaining(*given: Any, **options: Any) -> None:
        import logging

        from interp_by_design.commands.train import explaining_mistakes

        logging.basicConfig(format="%(message)s")
        logging.getLogger("interp_by_design").setLevel(logging.INFO)
        explaining_mistakes(lambda: command(*given, **options), "interp")

    return explaining


def _told_version(asked: bool) -> None:
    if asked:
        from interp_by_design.run import FORMAT

        print(f"interp_by_design {version('interp_by_design')} (run format {FORMAT})")
        raise typer.Exit


@app.callback()
def _options(
    told: Annotated[
        bool,
        typer.Option(
            "--version",
            is_eager=True,
            callback=_told_version,
            help="This package, and the format of run folders.",
        ),
    ] = False,
) -> None:
    """What goes before a command."""


def _add(name: str, module: str, function: str, told: str) -> None:
    """A command whose arguments `function` reads, of what the user typed before them and a list."""

    def command(context: typer.Context) -> None:
        getattr(import_module(module), function)(context.command_path, context.args)

    app.command(name, cls=Untouched, context_settings=RAW, help=told)(command)


_add(
    "train",
    "interp_by_design.commands.train",
    "run_training",
    "Train a classifier together with its interpreter.",
)


@app.command(short_help="Write report.html: all about a run's attributes.")
@_explaining
def report(  # noqa: PLR0913  # an option is an argument
    run: Run,
    split: Split = "test",
    samples: Annotated[int, typer.Option(metavar="N", help="Images to show one by one.")] = 200,
    starts: Annotated[
        int,
        typer.Option(metavar="N", help="Images that maximization starts from, for each attribute."),
    ] = 3,
    maximize: Maximize = True,
    figures: Annotated[bool, typer.Option(help="Also file the figures, one by one.")] = True,
    tau: Tau = 5.0,
    seed: Seed = 0,
    data: Data = None,
    checkpoint: Checkpoint = None,
    trust: Trust = False,
    predictor: Predictor = None,
) -> None:
    """Writes report.html in the run folder: one page that opens from disk, with everything about the run's attributes."""
    from interp_by_design.commands.report import report_run
    from interp_by_design.report.options import ReportOptions
    from interp_by_design.run.saved_run import open_run

    options = ReportOptions(split, samples, starts, maximize, tau, seed, figures)
    print(
        f"Written: {report_run(open_run(run, checkpoint, trust, predictor, data or ()), options)}"
    )


@app.command(short_help="Why the model decides as it does on image files.")
@_explaining
def explain(  # noqa: PLR0913
    run: Run,
    images: Annotated[
        list[Path],
        typer.Argument(metavar="IMAGE...", help="Image files of any size, or folders of them."),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Write a figure of each there, explanations.csv and explanations.json.",
        ),
    ] = None,
    tau: Tau = 5.0,
    checkpoint: Checkpoint = None,
    trust: Trust = False,
    predictor: Predictor = None,
) -> None:
    """Says why the model decides as it does on images that it has never seen. Of a folder, writes a table too."""
    from interp_by_design.commands.explain import explain_files
    from interp_by_design.run.saved_run import open_run

    if not explain_files(open_run(run, checkpoint, trust, predictor), images, tau, out):
        raise SystemExit(1)


@app.command(short_help="The scorecard again, or on other images.")
@_explaining
def evaluate(  # noqa: PLR0913
    run: Run,
    data: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FOLDER|KEY=VALUE",
            help="Other images of the model's classes, a folder a class; or a change of the run's data, as data.root=FOLDER. Can "
            "be given again.",
        ),
    ] = None,
    json: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write the numbers to FILE.")
    ] = None,
    controls: Annotated[
        bool, typer.Option(help="Show beside them what two controls score that explain nothing.")
    ] = True,
    refit: Annotated[
        bool,
        typer.Option("--refit-controls", help="Fit the controls although their scores are kept."),
    ] = False,
    write: Annotated[
        bool, typer.Option("--write", help="Put the numbers in the run's metrics.json.")
    ] = False,
    checkpoint: Checkpoint = None,
    trust: Trust = False,
    predictor: Predictor = None,
) -> None:
    """Computes the scorecard again, on the run's own data or on other images of the same classes.

    Beside the run's own data stand the scores of its two controls; they are kept in RUN/controls.json.
    """
    from interp_by_design.commands.evaluate import EvaluateOptions, evaluate_run, parted
    from interp_by_design.run.saved_run import open_run

    folder, changes = parted(data or ())
    options = EvaluateOptions(controls, refit, write)
    evaluate_run(open_run(run, checkpoint, trust, predictor, changes), folder, json, options)


@app.command(short_help="What each attribute speaks for, as a table.")
@_explaining
def attributes(  # noqa: PLR0913
    run: Run,
    split: Split = "test",
    tau: Tau = 5.0,
    csv: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write the table to FILE.")
    ] = None,
    data: Data = None,
    checkpoint: Checkpoint = None,
    trust: Trust = False,
    predictor: Predictor = None,
) -> None:
    """Lists the attributes: how often each is active, and which classes it speaks for and against."""
    from interp_by_design.commands.attributes import show_attributes
    from interp_by_design.run.saved_run import open_run

    show_attributes(open_run(run, checkpoint, trust, predictor, data or ()), split, tau, csv)


@app.command(short_help="Ask people what they read in attributes.")
@_explaining
def study(  # noqa: PLR0913
    run: Run,
    answers: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE", help="Score these answers, and make no page. Can be given again."
        ),
    ] = None,
    more: Annotated[
        list[Path] | None, typer.Argument(metavar="[FILE...]", help="More files, after --answers.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Where the study is; by default RUN/study."),
    ] = None,
    n: Annotated[int, typer.Option("--attributes", metavar="N", help="Sheets on the page.")] = 10,
    wrong: Annotated[
        float, typer.Option(metavar="SHARE", help="Share of descriptions that are wrong.")
    ] = 0.4,
    split: Split = "test",
    maximize: Maximize = True,
    tau: Tau = 5.0,
    seed: Seed = 0,
    json: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="With --answers: also write the numbers to FILE."),
    ] = None,
    data: Data = None,
    checkpoint: Checkpoint = None,
    trust: Trust = False,
    predictor: Predictor = None,
) -> None:
    """Asks people whether they read in the attributes what is said of them: a page to send, and the score of the answers."""
    from interp_by_design.commands.study import PLACE, StudyOptions, make_study, score_study

    if answers:
        score_study(out or run / PLACE, [*answers, *(more or [])], json)
        return
    if more or json:
        raise typer.BadParameter("FILE and --json go with --answers.")
    from interp_by_design.run.saved_run import open_run

    make_study(
        open_run(run, checkpoint, trust, predictor, data or ()),
        StudyOptions(split, n, wrong, maximize, tau, seed),
        out,
    )


@app.command(short_help="The report from this machine, with live images.")
@_explaining
def serve(  # noqa: PLR0913
    run: Run,
    port: Annotated[
        int, typer.Option(metavar="N", help="Where to listen; 0 takes any port that is free.")
    ] = 8000,
    host: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            help="Another address than this machine's own lets others look, without a password.",
        ),
    ] = "127.0.0.1",
    show: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
    tau: Tau = 5.0,
    checkpoint: Checkpoint = None,
    trust: Trust = False,
    predictor: Predictor = None,
) -> None:
    """Serves the report from this machine, with a page that explains images as they are given. Ctrl-C ends it."""
    from interp_by_design.run.saved_run import open_run
    from interp_by_design.serve.live_explanations import serve as serve_run

    serve_run(lambda: open_run(run, checkpoint, trust, predictor), host, port, show, tau)


@app.command(short_help="Runs beside one another.")
@_explaining
def compare(  # noqa: PLR0913
    runs: Annotated[
        list[Path],
        typer.Argument(
            metavar="RUN...", help="Run folders, or a folder with some below it: a sweep."
        ),
    ],
    everything: Annotated[
        bool, typer.Option("--all", help="Print all numbers, not only the main ones.")
    ] = False,
    csv: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Also write all numbers to FILE, as a table."),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Also write them as a page that opens from disk."),
    ] = None,
    random: Annotated[
        bool,
        typer.Option(
            "--random", help="Also stability_seeds of random dictionaries: takes the data."
        ),
    ] = False,
    data: Data = None,
    trust: Trust = False,
) -> None:
    """Shows in which options runs differ, and their numbers. * marks the best; seeds are averaged, and compared."""
    from interp_by_design.commands.compare import compare_runs
    from interp_by_design.run.seed_stability import SeedScores

    compare_runs(runs, everything, csv, html, SeedScores(random, tuple(data or ()), trust))


_add(
    "layers",
    "interp_by_design.commands.layers",
    "run_layers",
    "The layers of a network that can be read.",
)
_add(
    "cache",
    "interp_by_design.commands.cache",
    "run_cache",
    "ls, verify and rm: what post-hoc fits keep on disk.",
)
