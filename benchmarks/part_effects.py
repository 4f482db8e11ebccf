"""Do explanations order an image's parts by what f loses without them? Images of four parts, rendered again without each.

usage: python -m benchmarks.part_effects RUN … [--images 300]

RUN is a run of experiment=factors_fine. For image x with decided class c and part p, the truth is f_c(x) - f_c(x without p), of
logits. What is said of the part is the positive contributions `φ_j w_jc`, each shared out by the heat of φ_j: the share of its
heat in the part's square. Spearman over all pairs of image and part, and its mean within images. Beside it a frozen random Ψ with
the h that follows f best. Written to results/part_effects.json.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from scipy.stats import spearmanr  # type: ignore[import-untyped]
from torch import Tensor

from benchmarks.record import save
from interp_by_design.data.factors_fine import PARTS, Assembled, FactorsFine, render_parts
from interp_by_design.explain.heatmaps import heatmaps
from interp_by_design.explain.removal import without
from interp_by_design.fit.controls import FROZEN_RANDOM, fitted_controls
from interp_by_design.model import InterpretableModel
from interp_by_design.run.opened_run import open_run
from interp_by_design.terms import UserError

GOAL = 0.8
COLUMNS = ("run", "interpreter", "said", "accuracy of f", "fidelity", "Spearman", "within images", "images")


def main() -> None:
    """Measures, prints and writes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--images", type=int, default=300)
    arguments = parser.parse_args()
    rows: list[list[object]] = []
    for number, folder in enumerate(arguments.runs):
        run = open_run(folder)
        if not isinstance(run.data, FactorsFine):
            raise UserError(f"{folder} is no run on data=factors_fine, whose parts can be taken away. Give one.")
        records = run.data.records("test").take(slice(arguments.images))
        control = fitted_controls(run.model, run.data, run.seed)[FROZEN_RANDOM]
        for name, model in (("trained", run.model), (FROZEN_RANDOM, control)):
            for way, figures in measured(model, records).items():
                rows.append([number, name, way, *figures])
                print(*rows[-1], sep="  ", flush=True)
    about = (
        "Test split. Truth: what f's decided logit loses where the image is rendered without the part. Said by heat: positive "
        "contributions, each shared out by the heat of its attribute; by removal: what all contributions lose together where the "
        "part's square is blurred. Goal: 0.8."
    )
    command = "python -m benchmarks.part_effects " + "RUN " * len(arguments.runs)
    content = {"title": "Parts of an image, and what f loses without them", "about": about, "command": command.strip()}
    save("part_effects", {**content, "goal": GOAL, "columns": COLUMNS, "rows": rows})


def measured(model: InterpretableModel, records: Assembled) -> dict[str, list[float]]:
    """By way of saying it: accuracy of f, fidelity, the two correlations, and of how many images."""
    images, places = render_parts(records), records.places()
    with torch.no_grad():
        seen = model(images, reconstruct=False)
        decided = seen.predictor.argmax(dim=1, keepdim=True)
        before = seen.predictor.gather(1, decided)
        lost = [before - model.predictor(render_parts(records.without(p))).logits.gather(1, decided) for p in range(len(PARTS))]
        weights = model.interpreter.head.weights[decided[:, 0]]
    truth, right = torch.cat(lost, dim=1), decided[:, 0] == records.labels()
    shares = [float(share.float().mean()) for share in (right, decided[:, 0] == seen.interpreter.argmax(dim=1))]
    told = {
        "by heat": by_heat(model, images, (seen.attributes * weights).clamp(min=0), places),
        "by removal": by_removal(model, images, weights, places, seen.attributes),
    }
    figures = {way: [*shares, *correlations(said, truth)] for way, said in told.items()}
    return {way: [*(round(figure, 3) for figure in found), len(records)] for way, found in figures.items()}


def correlations(told: Tensor, truth: Tensor) -> tuple[float, float]:
    """Spearman's over all pairs of image and part, and the mean of those within an image, of [n, parts]."""
    within = [spearmanr(a, b).statistic for a, b in zip(told, truth, strict=True) if len(a.unique()) > 1]
    return float(spearmanr(told.flatten(), truth.flatten()).statistic), float(sum(within)) / max(1, len(within))


def by_heat(model: InterpretableModel, images: Tensor, contributions: Tensor, places: Tensor) -> Tensor:
    """Contributions, each by the share of its heat in the part's square: [n, parts]."""
    rows, attributes = contributions.nonzero(as_tuple=True)
    maps = heatmaps(model, images[rows], attributes).maps
    heat = (maps[:, None] * places[rows]).sum(dim=(2, 3)) / maps.sum(dim=(1, 2)).clamp(min=1e-12)[:, None]
    return torch.zeros(len(images), len(PARTS)).index_add_(0, rows, heat * contributions[rows, attributes][:, None])


def by_removal(model: InterpretableModel, images: Tensor, weights: Tensor, places: Tensor, before: Tensor) -> Tensor:
    """What the contributions lose together without the pixels of the part's square: [n, parts]."""
    with torch.no_grad():
        after = [model(without(images, places[:, part].bool()), reconstruct=False).attributes for part in range(len(PARTS))]
    return torch.stack([((before - phi) * weights).sum(dim=1) for phi in after], dim=1)


if __name__ == "__main__":
    main()
