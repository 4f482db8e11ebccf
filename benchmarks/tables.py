"""The page's tables of runs, goals aside: a table for each data set with a row a setting, and where each row comes from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchmarks.published import PUBLISHED, Figure
from benchmarks.runs import Groups, Run, spread, values
from benchmarks.tracks import DATA, GROUPS, command, is_bare

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
PERCENT = {
    "predictor_accuracy",
    "interpreter_accuracy",
    "fidelity",
    "fidelity_present_classes",
    "fidelity_rank_probe",
}


def scores_section(groups: Groups) -> str:
    """A table for each data set: a row a setting, and the paper's own row where there is one. f alone has none: it has no g."""
    lines = []
    explained = {setting: runs for setting, runs in groups.items() if not is_bare(setting)}
    for data in sorted({data_of(setting) for setting in explained}):
        there = {setting: runs for setting, runs in explained.items() if data_of(setting) == data}
        keys = [
            key for key in COLUMNS if any(values(runs, f"test/{key}") for runs in there.values())
        ]
        lines += [
            f"## {data}",
            "",
            "| setting | seeds | " + " | ".join(COLUMNS[key] for key in keys) + " | fit, s |",
            "|---" * (len(keys) + 3) + "|",
        ]
        if data in PUBLISHED:
            lines.append(
                "| *the paper's* | ? | "
                + " | ".join(_published(data, key) for key in keys)
                + " | |"
            )
        for setting, runs in there.items():
            cells = " | ".join(cell(key, runs) for key in keys)
            lines.append(f"| `{setting}` | {len(runs)} | {cells} | {seconds(runs)} |")
        lines.append("")
    return "\n".join(lines)


def data_of(setting: str) -> str:
    """The data set of a setting: as the list of groups has it, else as its experiment begins."""
    experiment = setting.split(" ")[0]
    named = {group.setting.split(" ")[0]: group for group in GROUPS if group.track != "post_hoc"}
    if experiment in named:
        return named[experiment].data
    return next((data for data in DATA if experiment.startswith(f"{data}_")), experiment)


def cell(key: str, runs: Sequence[Run]) -> str:
    """Mean ± deviation of a test score, in percent where that is the custom."""
    digits = 4 if key == "reconstruction_mse" else 2
    return spread(values(runs, f"test/{key}"), digits, _scale(key))


def seconds(runs: Sequence[Run]) -> str:
    """What a fit took."""
    return spread(values(runs, "train/seconds"), 0)


def _published(data: str, key: str) -> str:
    figure: Figure | None = PUBLISHED[data].get(key)
    if figure is None:
        return ""
    deviation = "" if figure.deviation is None else f" ± {_scale(key) * figure.deviation:.1f}"
    return f"{_scale(key) * figure.mean:.1f}{deviation}"


def _scale(key: str) -> float:
    return 100 if key in PERCENT else 1


def runs_section(groups: Groups) -> str:
    """Where each row comes from: command, seeds, dates, machine, revision."""
    head = [
        "## Where they come from",
        "",
        "| setting | command | seeds | date | revision | machine | torch |",
        "|---" * 7 + "|",
    ]
    return "\n".join([*head, *_origins(groups), ""])


def _origins(groups: Groups) -> Iterator[str]:
    for setting, runs in groups.items():
        machine = runs[0]["machine"]
        told = [
            f"`{command(setting)}`",
            ", ".join(str(run["seed"]) for run in runs),
            " ".join(sorted({run["date"] for run in runs})),
            " ".join(sorted({str(run["revision"]) for run in runs})),
            f"{machine['gpu'] or machine['processor']}, {machine['threads']} threads of {machine['cores']}",
            runs[0]["versions"]["torch"],
        ]
        yield f"| `{setting}` | " + " | ".join(told) + " |"
