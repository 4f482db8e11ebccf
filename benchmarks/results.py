"""Rebuilds docs/results.md from run folders; nothing in it is typed by hand.

usage: python -m benchmarks.results [RUN …]

Each RUN is a run folder, or a folder with run folders somewhere below it. Their numbers are added to results/runs.json, a record
that outlives the folders; a run with the same experiment, options and seed takes the place of the older one. The page is then
written from that record and from the other files in results/.
"""

from __future__ import annotations

import datetime
import json
import statistics
import sys
from collections import defaultdict
from io import StringIO
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf
from rich.console import Console

from benchmarks.measured import sections
from benchmarks.record import RESULTS
from interp_by_design.report.scorecard_table import LOG_WIDTH, show
from interp_by_design.run.folder import RunFolder

PAGE = RESULTS.parent / "docs/results.md"
README = RESULTS.parent / "README.md"
TABLE = "<!-- results: written by make results -->\n", "<!-- end of results -->"
EXAMPLE = "<!-- example: written by make results -->\n", "<!-- end of example -->"
SHORT = (
    "predictor_accuracy",
    "interpreter_accuracy",
    "fidelity",
    "conciseness_abs@5",
    "dead_attributes",
    "within_class_explained",
)
RECORD = RESULTS / "runs.json"
# Options that say where a run reads or writes, or how many threads it has, and so nothing of what it is.
PLACES = (
    "data.root",
    "data.workers",
    "data.classes",
    "predictor.weights",
    "predictor.path",
    "cache",
    "hydra",
    "folder",
    "threads",
    "name",
    "resume",
)
COLUMNS = {
    "predictor_accuracy": "f",
    "interpreter_accuracy": "g",
    "fidelity": "fidelity",
    "fidelity_present_classes": "among present",
    "fidelity_rank_probe": "rank-J probe",
    "fidelity_hard": "fidelity, hard",
    "conciseness@1.5": "CNS@1.5",
    "conciseness@5": "CNS@5",
    "conciseness_abs@5": "abs@5",
    "sufficiency@5": "sufficiency@5",
    "dead_attributes": "dead",
    "exclusive_attributes": "exclusive",
    "reconstruction_mse": "MSE",
    "within_class_explained": "within class",
    "logit_predictability": "predictability",
}
PERCENT = {"predictor_accuracy", "interpreter_accuracy", "fidelity", "fidelity_present_classes", "fidelity_rank_probe"}

# The paper's own table (FLINT, Table 1), in percent; CNS read off its figure.
PUBLISHED = {
    "mnist": {"predictor_accuracy": "98.9 ± 0.2", "interpreter_accuracy": "98.3 ± 0.2", "fidelity": "98.7 ± 0.1"},
    "fashion_mnist": {"predictor_accuracy": "90.5 ± 0.2", "interpreter_accuracy": "86.8 ± 0.4", "fidelity": "91.5 ± 0.1"},
}
CURVES = {
    "mnist": {"conciseness@1.5": "1.0", "conciseness@5": "1.2"},
    "fashion_mnist": {"conciseness@1.5": "1.4", "conciseness@5": "3.0"},
}

Run = dict[str, Any]


def main() -> None:
    """Reads the folders given, adds them to the record, writes the page."""
    runs: dict[str, Run] = json.loads(RECORD.read_text()) if RECORD.is_file() else {}
    for place in map(Path, sys.argv[1:]):
        for metrics in sorted(place.glob("**/metrics.json")):
            run = read(RunFolder.existing(metrics.parent))
            runs[f"{run['setting']} seed={run['seed']}"] = run
    runs = dict(sorted(runs.items()))
    RESULTS.mkdir(exist_ok=True)
    RECORD.write_text(json.dumps(runs, indent=1) + "\n")
    PAGE.parent.mkdir(exist_ok=True)
    groups: dict[str, list[Run]] = defaultdict(list)
    for run in runs.values():
        groups[run["setting"]].append(run)
    PAGE.write_text(page(groups))
    README.write_text(between(between(README.read_text(), TABLE, short_table(groups)), EXAMPLE, example(groups)))
    print(f"Wrote {PAGE.name} and the table in {README.name} from {len(runs)} runs.")


def read(folder: RunFolder) -> Run:
    """What the record keeps of a run."""
    overrides = [str(entry) for entry in OmegaConf.load(folder.path / ".hydra/overrides.yaml")]
    provenance = folder.read("provenance.json")
    experiment = next((entry.partition("=")[2] for entry in overrides if entry.startswith("experiment=")), "digits")
    options = sorted(entry for entry in overrides if not entry.startswith((*PLACES, "experiment=", "seed=")))
    return {
        "setting": " ".join([experiment, *options]),
        "seed": folder.config.seed,
        "n_attributes": folder.config.attributes.n_attributes,
        "date": datetime.date.fromtimestamp((folder.path / "metrics.json").stat().st_mtime).isoformat(),
        "revision": provenance["revision"],
        "machine": provenance["machine"],
        "versions": provenance["versions"],
        "data": provenance["data"]["hash"],
        "metrics": folder.read("metrics.json"),
    }


def page(groups: dict[str, list[Run]]) -> str:
    """The whole page, from the record and the other result files."""
    return "\n".join([INTRODUCTION, scores_section(groups), runs_section(groups), *sections()])


INTRODUCTION = """# Results

Written by `make results` from run folders (`python -m benchmarks.results RUN …`) and `results/*.json`; nothing here is typed by
hand but the paper's own numbers. Mean ± standard deviation over seeds, on the test split; accuracy and fidelity in percent. What
each column means: `interp_by_design/metrics/scorecard.py`; CNS and abs are its `conciseness` and `conciseness_abs`. Seconds of
fitting are wall-clock; runs of one thread shared the machine with others.
"""


def between(text: str, marks: tuple[str, str], content: str) -> str:
    """`text` with what stands between the marks replaced."""
    before, _, rest = text.partition(marks[0])
    return before + marks[0] + content + "\n" + marks[1] + rest.partition(marks[1])[2]


def short_table(groups: dict[str, list[Run]]) -> str:
    """The README's table: experiments without further options, a few columns."""
    lines = [
        "| experiment | seeds | " + " | ".join(COLUMNS[key] for key in SHORT) + " | fit, s |",
        "|---" * (len(SHORT) + 3) + "|",
    ]
    for setting, runs in groups.items():
        if " " not in setting:
            cells = " | ".join(spread(key, runs) for key in SHORT)
            lines.append(f"| `{setting}` | {len(runs)} | {cells} | {over(runs, 'train/seconds', 0)} |")
    return "\n".join(lines)


def example(groups: dict[str, list[Run]]) -> str:
    """What the default job prints at its end."""
    screen = StringIO()
    run = groups["digits"][0]
    show(run["metrics"], run["n_attributes"], Console(file=screen, width=LOG_WIDTH))
    return "```text\n" + "\n".join(line.rstrip() for line in screen.getvalue().splitlines()) + "\n```"


def scores_section(groups: dict[str, list[Run]]) -> str:
    """A table for each data set: a row a setting, and the paper's own row where there is one."""
    lines = []
    for data in sorted({setting.split()[0].removesuffix("_flint") for setting in groups}):
        runs_here = [run for setting, runs in groups.items() if _is_of(setting, data) for run in runs]
        keys = [key for key in COLUMNS if any(f"test/{key}" in run["metrics"] for run in runs_here)]
        lines += [
            f"## {data}",
            "",
            "| setting | seeds | " + " | ".join(COLUMNS[key] for key in keys) + " | fit, s |",
            "|---" * (len(keys) + 3) + "|",
        ]
        if data in PUBLISHED:
            told = PUBLISHED[data] | CURVES[data]
            lines.append("| *the paper's* | ? | " + " | ".join(told.get(key, "") for key in keys) + " | |")
        for setting, runs in groups.items():
            if _is_of(setting, data):
                cells = [spread(key, runs) for key in keys]
                lines.append(f"| `{setting}` | {len(runs)} | " + " | ".join(cells) + f" | {over(runs, 'train/seconds', 0)} |")
        lines.append("")
    return "\n".join(lines)


def _is_of(setting: str, data: str) -> bool:
    return setting.split()[0].removesuffix("_flint") == data


def spread(key: str, runs: list[Run]) -> str:
    """Mean ± deviation of a test score, in percent where that is the custom."""
    return over(
        runs, f"test/{key}", 2 if key in PERCENT else 4 if key == "reconstruction_mse" else 2, 100 if key in PERCENT else 1
    )


def over(runs: list[Run], key: str, digits: int, scale: float = 1) -> str:
    """Mean ± standard deviation over runs; the mean alone for one."""
    values = [scale * run["metrics"][key] for run in runs if key in run["metrics"]]
    if not values:
        return ""
    mean = f"{statistics.mean(values):.{digits}f}"
    return mean if len(values) < 2 else f"{mean} ± {statistics.stdev(values):.{digits}f}"


def runs_section(groups: dict[str, list[Run]]) -> str:
    """Where each row comes from: command, seeds, dates, machine, revision."""
    lines = ["## Where they come from", "", "| setting | command | seeds | date | revision | machine | torch |", "|---" * 7 + "|"]
    for setting, runs in groups.items():
        experiment, *options = setting.split(" ")
        command = " ".join(["python train.py", *([f"experiment={experiment}"] if experiment != "digits" else []), *options])
        machine = runs[0]["machine"]
        told = [
            f"`{command}`",
            ", ".join(str(run["seed"]) for run in runs),
            " ".join(sorted({run["date"] for run in runs})),
            " ".join(sorted({str(run["revision"]) for run in runs})),
            f"{machine['gpu'] or machine['processor']}, {machine['threads']} threads of {machine['cores']}",
            runs[0]["versions"]["torch"],
        ]
        lines.append(f"| `{setting}` | " + " | ".join(told) + " |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    main()
