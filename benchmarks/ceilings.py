"""The ceiling of fidelity: linear probes of the layers that g reads, for runs by design.

usage: python -m benchmarks.ceilings RUN …

Each RUN is a run folder whose data is available. The probes learn f's soft decisions, as g's head
does, without further constraints: no sparsity, no signs, no image. Post-hoc runs hold the same
scores in their metrics. Runs of one experiment are seeds of one row. Written to
results/ceilings.json.
"""

from __future__ import annotations

from collections import defaultdict

from benchmarks.arguments import ProgramParser
from benchmarks.record import save
from benchmarks.runs import setting_of, spread
from interp_by_design.activations import probe_fidelities
from interp_by_design.run.folder import METRICS
from interp_by_design.run.saved_run import SavedRun, open_run

COLUMNS = (
    "experiment",
    "runs",
    "J",
    "fidelity of g, %",
    "probe of rank J, %",
    "probe of full rank, %",
)
KEYS = ("fidelity", "fidelity_rank_probe", "fidelity_full_probe")
ABOUT = (
    "Test split; mean ± deviation over the runs. Probes of the hidden layers that g reads, pooled "
    "as there, from at most 20,000 train images. A probe of the layer that the class head reads "
    "can miss nothing; one of the published layer can."
)


def main() -> None:
    """Measure, print and write."""
    parser = ProgramParser(__doc__)
    parser.add_runs()
    arguments = parser.parse_args()
    found: dict[tuple[str, int], list[dict[str, float]]] = defaultdict(list)
    for folder in arguments.runs:
        run = open_run(folder)
        key = setting_of(run.folder), run.model.interpreter.n_attributes
        found[key].append(scores_of(run))
        print(*key, found[key][-1], sep="  ", flush=True)
    rows = [
        [
            name,
            len(scores),
            n,
            *(spread([one[key] for one in scores], digits=2, scale=100) for key in KEYS),
        ]
        for (name, n), scores in found.items()
    ]
    content = {
        "title": "The ceiling: linear probes of the same layers",
        "about": ABOUT,
        "columns": COLUMNS,
        "rows": rows,
    }
    save("ceilings", {**content, "command": "python -m benchmarks.ceilings RUN …"})


def scores_of(run: SavedRun) -> dict[str, float]:
    """Return the fidelity of the run, and those of the probes."""
    train, test = run.data.in_order("train"), run.data.in_order("test")
    return {"fidelity": run.folder.read(METRICS)["test/fidelity"]} | probe_fidelities(
        run.model, train, test, run.seed
    )


if __name__ == "__main__":
    main()
