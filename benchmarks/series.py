"""Train the runs of the results page: every group of `benchmarks/tracks.py`, one by one.

usage: python -m benchmarks.series [NAME …] [--seeds N] [--threads N] [--out FOLDER]
       [--data-root [EXPERIMENT=]FOLDER …] …

NAME is a setting of the list, a track of it, a data set, or any other experiment of conf/; without
one, all that are listed. A run lies in OUT/<setting>/<kind>-<seed>; a finished one is skipped, an
interrupted one is resumed. A run that fails is reported, and the next one begins. After a group's
runs, the similarity of its attributes across seeds is added to results/seeds.json.
`python -m benchmarks.pages OUT` then writes the page.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks import seeds
from benchmarks.arguments import ProgramParser
from benchmarks.record import RESULTS
from benchmarks.runs import UNDRAWN, setting_of
from benchmarks.tracks import BARE, CONTROLS, DATA, FLINT, GROUPS, TRACKS, Group, with_options
from interp_by_design.run.folder import METRICS, RunFolder
from interp_by_design.terms import UnknownName, UserError

HOME = RESULTS.parent
EXPERIMENTS = HOME / "conf/experiment"
SEEDS = 5
OUT = Path("runs/series")


@dataclass(frozen=True)
class Options:
    """The options of every run of a series.

    Args:
        seeds: number of seeds.
        threads: threads of each run; None for torch's choice.
        out: folder of the run folders.
        roots: folders of data by experiment or data set; "" for all others.
        predictor: file with the weights of the network that is interpreted post hoc.
        more: further options, as on train.py.
    """

    seeds: int
    threads: int | None
    out: Path
    roots: dict[str, str]
    predictor: str | None = None
    more: tuple[str, ...] = ()


@dataclass(frozen=True)
class Planned:
    """A run to train.

    Args:
        setting: an experiment and its options.
        seed: the run's seed.
        folder: the run's folder.
        places: further options, of where it reads its data.
    """

    setting: str
    seed: int
    folder: Path
    places: tuple[str, ...] = ()

    @property
    def is_finished(self) -> bool:
        """Whether the folder holds the run with its numbers.

        Raises:
            UserError: the folder holds another run.
        """
        folder = RunFolder(self.folder)
        if not folder.is_begun:
            return False
        there = f"{setting_of(folder)} seed={folder.config.seed}"
        if there != f"{self.setting} seed={self.seed}":
            raise UserError(
                f"{self.folder} holds '{there}', and wanted is "
                f"'{self.setting} seed={self.seed}'. Move it away."
            )
        return folder.has(METRICS)

    @property
    def command(self) -> list[str]:
        """The command that trains the run, from its beginning or its last checkpoint."""
        experiment, *options = self.setting.split(" ")
        where = f"hydra.run.dir={_quoted(self.folder)}"
        if RunFolder(self.folder).is_claimed:
            where = f"resume={_quoted(self.folder)}"
        given = [
            f"experiment={experiment}",
            *options,
            f"seed={self.seed}",
            *UNDRAWN,
            *self.places,
            where,
        ]
        return [sys.executable, "train.py", *given]


def main() -> None:
    """Train missing runs, and report failures at the end."""
    names, options = _asked()
    try:
        groups = [group for name in names for group in named(name)] or list(GROUPS)
    except UserError as error:
        sys.exit(str(error))
    failed = [line for group in dict.fromkeys(groups) for line in made(group, options)]
    print("\n".join(["", "Failed:", *failed] if failed else ["", "Everything is there."]))
    sys.exit(bool(failed))


def named(name: str) -> list[Group]:
    """Return the groups that a name means.

    Args:
        name: a setting, track, data set or experiment.

    Raises:
        UnknownName: the name is none of these.
    """
    listed = [group for group in GROUPS if name in (group.setting, group.track, group.data)]
    exact = [group for group in listed if group.setting == name]
    if listed:
        return exact or listed
    experiment = name.split(" ")[0]
    if not (EXPERIMENTS / f"{experiment}.yaml").is_file():
        known = [
            *TRACKS,
            FLINT,
            *DATA,
            *(group.setting for group in GROUPS),
            *sorted(file.stem for file in EXPERIMENTS.glob("*.yaml")),
        ]
        raise UnknownName.among("group or experiment", name, dict.fromkeys(known))
    return [Group(with_options(name), experiment, "", controls=True)]


def planned(group: Group, options: Options) -> Iterator[Planned]:
    """Yield the runs of a group: ours and f alone for each seed, then the first seed's controls.

    Args:
        group: the group.
        options: the options of every run.
    """
    experiment = group.setting.split(" ")[0]
    root = next(
        (options.roots[name] for name in (experiment, group.data, "") if name in options.roots),
        None,
    )
    places = [f"threads={options.threads}"] if options.threads else []
    places += [f"data.root={_quoted(root)}"] if root else []
    places += (
        [f"predictor.path={_quoted(options.predictor)}"]
        if group.predictor and options.predictor
        else []
    )
    shared = with_options(group.setting, *options.more)
    kinds = [("ours", shared)] + ([("bare", with_options(shared, *BARE))] if group.bare else [])
    wanted = [(kind, setting, seed) for seed in range(options.seeds) for kind, setting in kinds]
    if group.controls:
        wanted += [
            (control.partition("=")[2], with_options(shared, control), 0) for control in CONTROLS
        ]
    for kind, setting, seed in wanted:
        folder = options.out / re.sub(r"[^\w.+-]+", "_", shared) / f"{kind}-{seed}"
        yield Planned(setting, seed, folder, tuple(places))


def made(group: Group, options: Options) -> list[str]:
    """Train the missing runs of a group and add their scores together.

    Args:
        group: the group.
        options: the options of every run.

    Returns:
        A line for each failure.
    """
    if not (EXPERIMENTS / f"{group.setting.split(' ')[0]}.yaml").is_file():
        return [f"{group.setting}: conf/experiment has no such file (yet)."]
    if group.predictor and not options.predictor:
        return [f"{group.setting}: needs the network's weights: --predictor FILE."]
    runs, failed = list(planned(group, options)), []
    for run in runs:
        if reason := _make(run):
            failed.append(f"{run.setting} seed={run.seed}: {reason}")
    setting = runs[0].setting
    ours = [
        run.folder for run in runs if run.setting == setting and RunFolder(run.folder).has(METRICS)
    ]
    if len(ours) > 1:
        try:
            print(f"{setting}: {seeds.add(setting, ours)}", flush=True)
        except UserError as error:
            failed.append(f"{setting}: stability across the seeds: {error}")
    return failed


def _make(run: Planned) -> str | None:
    """Train a run that is not finished; return what went wrong, if anything."""
    try:
        if run.is_finished:
            print(f"{run.setting} seed={run.seed}: there already", flush=True)
            return None
    except UserError as error:
        return str(error)
    print(f"{run.setting} seed={run.seed} -> {run.folder}", flush=True)
    start = time.perf_counter()
    code = subprocess.run(run.command, cwd=HOME, check=False).returncode
    print(f"{run.setting} seed={run.seed}: {time.perf_counter() - start:.0f} s", flush=True)
    return f"train.py ended with {code}; see {run.folder / 'train.log'}" if code else None


def _asked() -> tuple[list[str], Options]:
    about = (__doc__ or "").split("\n\n")
    parser = ProgramParser(about[0] + "\n\n" + about[2])
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument(
        "--seeds", type=int, default=SEEDS, help=f"so many, from 0 up; default {SEEDS}"
    )
    parser.add_argument("--threads", type=int, help="of each run; by default torch's choice")
    parser.add_argument("--out", type=Path, default=OUT, help=f"default {OUT}")
    parser.add_argument(
        "--data-root",
        action="append",
        default=[],
        metavar="[NAME=]FOLDER",
        help="data.root of all runs, or of an experiment or data set; can be given again",
    )
    parser.add_argument(
        "--predictor", metavar="FILE", help="weights of the network that is interpreted post hoc"
    )
    parser.add_argument(
        "--option",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="one more for every run, as on train.py",
    )
    given = parser.parse_args()
    if given.seeds < 1:
        parser.error(f"--seeds must be at least 1, not {given.seeds}")
    roots = {
        name: str(Path(folder).resolve())
        for name, _, folder in (_split(entry) for entry in given.data_root)
    }
    predictor = str(Path(given.predictor).resolve()) if given.predictor else None
    options = Options(given.seeds, given.threads, given.out.resolve(), roots, predictor)
    return given.names, replace(options, more=tuple(given.option))


def _split(entry: str) -> tuple[str, str, str]:
    name, equals, folder = entry.partition("=")
    return (name, equals, folder) if equals and re.fullmatch(r"\w+", name) else ("", "", entry)


def _quoted(path: str | Path) -> str:
    """Return a path, quoted for Hydra where it must be."""
    text = str(path)
    return (
        text
        if re.fullmatch(r"[\w./+-]+", text)
        else "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
    )


if __name__ == "__main__":
    main()
