"""Tables of runs: one for each data set with a row a setting, and the origin of each row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchmarks.pages.published import PUBLISHED, Figure
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
    """Return a table for each data set: a row a setting, and the paper's own row.

    Runs of f alone are left out: they have no g.

    Args:
        groups: runs by setting.
    """
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
    """Return the data set of a setting: that of its group, else what its experiment begins with.

    Args:
        setting: an experiment and its options.
    """
    experiment = setting.split(" ")[0]
    named = {group.setting.split(" ")[0]: group for group in GROUPS if group.track != "post_hoc"}
    if experiment in named:
        return named[experiment].data
    return next((data for data in DATA if experiment.startswith(f"{data}_")), experiment)


def cell(key: str, runs: Sequence[Run]) -> str:
    """Return mean ± deviation of a test score, in percent where that is customary.

    Args:
        key: the score's key, without `test/`.
        runs: runs of one setting.
    """
    digits = 4 if key == "reconstruction_mse" else 2
    return spread(values(runs, f"test/{key}"), digits, _scale(key))


def seconds(runs: Sequence[Run]) -> str:
    """Return mean ± deviation of the seconds of a fit.

    Args:
        runs: runs of one setting.
    """
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
    """Return the origin of each row: command, seeds, dates, machine, revision.

    Args:
        groups: runs by setting.
    """
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
        cells = [
            f"`{command(setting)}`",
            ", ".join(str(run["seed"]) for run in runs),
            " ".join(sorted({run["date"] for run in runs})),
            " ".join(sorted({str(run["revision"]) for run in runs})),
            f"{machine['gpu'] or machine['processor']}, "
            f"{machine['threads']} threads of {machine['cores']}",
            runs[0]["versions"]["torch"],
        ]
        yield f"| `{setting}` | " + " | ".join(cells) + " |"
