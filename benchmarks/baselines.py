"""Published interpreters by design: PrototypeDNN, SENN, and a concept bottleneck.

usage: python -m benchmarks.baselines --root FOLDER [--only WORD …] [--seeds 0 1 2]
       [--folder FOLDER]

Trains each baseline whose name and data hold one of the words on each seed and evaluates it on the
test split. The scores are added to results/baselines.json, where they replace those of the same
baseline, data set and seed, so that they can be run one by one. An interrupted run is resumed, and
a finished one is not trained again, except SENN's.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from omegaconf import DictConfig

from benchmarks import senn
from benchmarks.arguments import ProgramParser
from benchmarks.record import RESULTS, save
from interp_by_design.api import tables_of
from interp_by_design.data import MNIST, FashionMNIST, ImageData
from interp_by_design.run import load, train
from interp_by_design.run.build import build_data
from interp_by_design.run.configs import config_dir
from interp_by_design.run.folder import RunFolder

NAME = "baselines"
UNDRAWN = [
    f"callbacks.{one}=null"
    for one in ("explanations", "relevance_map", "usage", "drift", "attribute_sheets", "report")
]
Scores = dict[str, float]


@dataclass(frozen=True)
class Baseline:
    """A published interpreter on a data set.

    Args:
        name: its name.
        data: the data set.
        options: options of its training.
        published: published accuracy, mean and deviation in percent.
        remark: remark in the table.
    """

    name: str
    data: str
    options: Mapping[str, Any] = field(default_factory=dict)
    published: tuple[float, float] | None = None
    remark: str = ""

    @property
    def key(self) -> str:
        return f"{self.name}, {self.data}"


OWN = "each image's own weights; published CNS@1.5 and @5, read off a figure: "
SHORT = (
    "a LeNet and six to eight epochs with shifts, where 1,500 with elastic deformation were "
    "published"
)

# Where no deviation was published, half of the last digit stands for it.
BASELINES = (
    Baseline(
        "PrototypeDNN",
        "mnist",
        {"experiment": "mnist_prototypes"},
        (99.2, 0.05),
        f"{SHORT}; a tenth of its autoencoder term",
    ),
    Baseline(
        "PrototypeDNN",
        "fashion_mnist",
        {"experiment": "fashion_mnist_prototypes"},
        (90.0, 0.05),
        SHORT,
    ),
    Baseline("SENN", "mnist", {"epochs": 3}, (98.4, 0.1), f"{OWN}6.2 and 18.1"),
    Baseline("SENN", "fashion_mnist", {"epochs": 3}, (84.2, 0.3), f"{OWN}5.6 and 17.0"),
    Baseline(
        "concept bottleneck",
        "factors",
        {"experiment": "factors_concepts"},
        None,
        "is given the planted values: a ceiling",
    ),
)
COLUMNS = (
    "baseline",
    "data",
    "seeds",
    "accuracy of g, %",
    "published, %",
    "reached",
    "fidelity",
    "CNS@1.5",
    "CNS@5",
    "abs@5",
    "sufficiency@5",
    "within class",
    "stability, noise",
    "remarks",
)


def main() -> None:
    """Train, measure, and write the record."""
    parser = ProgramParser(__doc__)
    parser.add_argument(
        "--root", default="data", help="the folder that holds MNIST/raw and FashionMNIST/raw"
    )
    parser.add_argument(
        "--only",
        nargs="*",
        default=[""],
        help="baselines whose name and data hold one of these words",
    )
    parser.add_seeds([0])
    parser.add_argument(
        "--folder", type=Path, default=Path("runs/baselines"), help="where run folders are kept"
    )
    arguments = parser.parse_args()
    runs: dict[str, Any] = recorded()
    for baseline in [
        baseline for baseline in BASELINES if any(word in baseline.key for word in arguments.only)
    ]:
        for seed in arguments.seeds:
            begun = time.perf_counter()
            scores = measured(baseline, arguments.root, seed, arguments.folder)
            taken = round(time.perf_counter() - begun, 1)
            runs[f"{baseline.key}, seed {seed}"] = {
                "seed": seed,
                "options": dict(baseline.options),
                "seconds": taken,
                "scores": scores,
            }
            write(runs)


def recorded() -> dict[str, Any]:
    """Return the runs of the record."""
    file = RESULTS / f"{NAME}.json"
    runs: dict[str, Any] = json.loads(file.read_text())["runs"] if file.is_file() else {}
    return runs


def write(runs: Mapping[str, Any]) -> None:
    """Write the record: a row for each measured baseline, and every run below."""
    about = (
        "Test split; mean ± deviation over seeds where there are several. Reached: no further "
        "below the published mean than its deviation. CNS and abs are conciseness and "
        "conciseness_abs, the number of attributes that an explanation shows. PrototypeDNN and "
        "SENN explain themselves, so that their fidelity is 1 by construction and says nothing."
    )
    rows = [row(baseline, found) for baseline in BASELINES if (found := scores_of(baseline, runs))]
    command = f"python -m benchmarks.{NAME} --root data"  # of all rows, not of the last run
    content = {
        "title": "Other interpreters by design",
        "command": command,
        "about": about,
        "columns": COLUMNS,
        "rows": rows,
    }
    save(NAME, {**content, "runs": dict(runs)})


def scores_of(baseline: Baseline, runs: Mapping[str, Any]) -> list[Scores]:
    """Return the scores of a baseline's seeds."""
    return [run["scores"] for key, run in runs.items() if key.startswith(f"{baseline.key}, seed")]


def row(baseline: Baseline, found: Sequence[Scores]) -> list[str]:
    """Return a baseline's row of the table."""
    accuracy = [
        100 * scores.get("interpreter_accuracy", scores["predictor_accuracy"]) for scores in found
    ]
    published = "" if baseline.published is None else "{:g} ± {:g}".format(*baseline.published)
    keys = (
        "fidelity",
        "conciseness@1.5",
        "conciseness@5",
        "conciseness_abs@5",
        "sufficiency@5",
        "within_class_explained",
    )
    cells = [
        spread([scores[key] for scores in found if key in scores])
        for key in (*keys, "stability_noise")
    ]
    remark = baseline.remark
    if all("concepts_found" in scores for scores in found):
        remark += (
            f"; finds {spread([100 * scores['concepts_found'] for scores in found])} % of them"
        )
    return [
        baseline.name,
        baseline.data,
        str(len(found)),
        spread(accuracy),
        published,
        reached(baseline, accuracy),
        *cells,
        remark,
    ]


def reached(baseline: Baseline, accuracy: Sequence[float]) -> str:
    """Return whether the published figure is reached, and the difference to it."""
    if baseline.published is None:
        return ""
    mean, deviation = baseline.published
    beyond = statistics.mean(accuracy) - mean
    return f"{'yes' if beyond >= -deviation else 'no'}, {beyond:+.2f}"


def spread(values: Sequence[float]) -> str:
    """Return mean ± deviation; the mean alone for one value, nothing for none."""
    if not values:
        return ""
    mean = f"{statistics.mean(values):.2f}"
    return mean if len(values) < 2 else f"{mean} ± {statistics.stdev(values):.2f}"


def measured(baseline: Baseline, root: str, seed: int, folder: Path) -> Scores:
    """Return the test scores of one training."""
    if baseline.name == "SENN":
        return by_own_loop(baseline, root, seed)
    place = folder.resolve() / f"{baseline.options['experiment']}-{seed}"
    config = composed(place, baseline, root, seed)
    scores = {
        key.removeprefix("test/"): value
        for key, value in train(config).items()
        if key.startswith("test/")
    }
    if baseline.data == "factors":
        scores["concepts_found"] = concepts_found(place, config)
    return scores


def composed(folder: Path, baseline: Baseline, root: str, seed: int) -> DictConfig:
    """Return the config of a run, without figures."""
    options = [
        f"experiment={baseline.options['experiment']}",
        f"folder={folder}",
        f"name={folder.name}",
        f"seed={seed}",
        *UNDRAWN,
    ]
    if RunFolder(folder).is_begun:
        options.append(f"resume={folder}")
    if baseline.data != "factors":
        options.append(f"data.root={root}")
    with initialize_config_dir(str(config_dir()), version_base="1.3"):
        return compose("train", options)


def by_own_loop(baseline: Baseline, root: str, seed: int) -> Scores:
    """Return the test scores of SENN, which has its own loop."""
    sets: Mapping[str, Callable[..., ImageData]] = {"mnist": MNIST, "fashion_mnist": FashionMNIST}
    data = sets[baseline.data](root=root, validation=5000, seed=seed)
    data.setup()
    return {
        "fidelity": 1.0,
        **senn.scores_of(senn.trained(data, baseline.options["epochs"], seed), data, "test", seed),
    }


def concepts_found(folder: Path, config: DictConfig) -> float:
    """Return the share of concepts, present or absent, that attributes above 1/2 predict."""
    data = build_data(config)
    table, concepts = tables_of(load(folder), data, ("test",))["test"], data.concepts("test")
    if concepts is None:
        raise RuntimeError(f"{config.data._target_} has no concepts.")
    return float(((table.attributes > 0.5) == concepts.present).double().mean())


if __name__ == "__main__":
    main()
