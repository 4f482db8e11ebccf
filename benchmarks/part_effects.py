"""Explanations of an image's parts against what f loses when a part is not rendered.

usage: python -m benchmarks.part_effects RUN … [--images 300]

RUN is a run of experiment=factors_fine. For image x with decided class c and part p, the truth is
f_c(x) - f_c(x without p). A number added to all logits changes no decision, so that f_c is the
logit less the mean of all classes', and contributions `φ_j (w_jc - mean of w_j)` likewise. The
explanation of a part by heat: positive contributions, each by the share of its attribute's heat
that lies in the part's square; by removal: the loss of all contributions together without the
square. Spearman over all pairs of image and part, and its mean within images; and the same of the
raw logits. For comparison, a frozen random Ψ with the h that follows f best. Written to
results/part_effects.json.
"""

from __future__ import annotations

import torch
from scipy.stats import spearmanr  # type: ignore[import-untyped]
from torch import Tensor

from benchmarks.arguments import ProgramParser
from benchmarks.record import save
from interp_by_design.api.negative_controls import FROZEN_RANDOM, fitted_controls
from interp_by_design.data.fine_factor_images import (
    PARTS,
    FineFactorImages,
    PartScenes,
    render_parts,
)
from interp_by_design.explain.heat_maps import heatmaps
from interp_by_design.explain.removal import without
from interp_by_design.model import InterpretableModel
from interp_by_design.run.saved_run import open_run
from interp_by_design.terms import UserError

GOAL = 0.8
COLUMNS = (
    "run",
    "interpreter",
    "said",
    "accuracy of f",
    "fidelity",
    "Spearman",
    "within images",
    "of raw logits",
    "images",
)


def main() -> None:
    """Measure, print and write."""
    parser = ProgramParser(__doc__)
    parser.add_runs()
    parser.add_argument("--images", type=int, default=300)
    arguments = parser.parse_args()
    rows: list[list[object]] = []
    for number, folder in enumerate(arguments.runs):
        run = open_run(folder)
        if not isinstance(run.data, FineFactorImages):
            raise UserError(
                f"{folder} is no run on data=factors_fine, whose parts can be removed. Give one."
            )
        scenes = run.data.scenes("test").take(slice(arguments.images))
        control = fitted_controls(run.model, run.data, run.seed)[FROZEN_RANDOM]
        for name, model in (("trained", run.model), (FROZEN_RANDOM, control)):
            for way, figures in measured(model, scenes).items():
                rows.append([number, name, way, *figures])
                print(*rows[-1], sep="  ", flush=True)
    about = (
        "Test split. Truth: what f's decided logit, less the mean of all classes', loses where the "
        "image is rendered without the part. Said by heat: positive contributions, each shared out "
        "by the heat of its attribute; by removal: what all contributions lose together where the "
        "part's square is blurred. Of raw logits: the same without taking off the mean."
    )
    command = "python -m benchmarks.part_effects " + "RUN " * len(arguments.runs)
    content = {
        "title": "Parts of an image, and what f loses without them",
        "about": about,
        "command": command.strip(),
    }
    save("part_effects", {**content, "goal": GOAL, "columns": COLUMNS, "rows": rows})


def measured(model: InterpretableModel, scenes: PartScenes) -> dict[str, list[float]]:
    """Return by kind of explanation: accuracy of f, fidelity, three correlations, and images."""
    images, places = render_parts(scenes), scenes.places()
    with torch.no_grad():
        seen = model(images, reconstruct=False)
        decided = seen.predictor.argmax(dim=1, keepdim=True)
        lost = [
            seen.predictor - model.predictor(render_parts(scenes.without(p))).logits
            for p in range(len(PARTS))
        ]
        every = model.interpreter.head.weights.detach()
    raw = torch.cat([changes.gather(1, decided) for changes in lost], dim=1)
    truth = raw - torch.stack([changes.mean(dim=1) for changes in lost], dim=1)
    weights = every[decided[:, 0]] - every.mean(dim=0)
    right, agreed = (
        decided[:, 0] == scenes.labels(),
        decided[:, 0] == seen.interpreter.argmax(dim=1),
    )
    shares = [float(share.float().mean()) for share in (right, agreed)]
    figures: dict[str, list[float]] = {}
    for way, explain in {"by heat": by_heat, "by removal": by_removal}.items():
        said, said_raw = (
            explain(model, images, seen.attributes, taken, places)
            for taken in (weights, every[decided[:, 0]])
        )
        found = [*shares, *correlations(said, truth), correlations(said_raw, raw)[0]]
        figures[way] = [*(round(figure, 3) for figure in found), len(scenes)]
    return figures


def correlations(said: Tensor, truth: Tensor) -> tuple[float, float]:
    """Return Spearman's correlation over all pairs, and its mean within images.

    Args:
        said: the explanation of each part, [n, parts].
        truth: the loss of f without it, [n, parts].
    """
    within = [
        spearmanr(a, b).statistic for a, b in zip(said, truth, strict=True) if len(a.unique()) > 1
    ]
    return float(spearmanr(said.flatten(), truth.flatten()).statistic), float(sum(within)) / max(
        1, len(within)
    )


def by_heat(
    model: InterpretableModel, images: Tensor, phi: Tensor, weights: Tensor, places: Tensor
) -> Tensor:
    """Return positive contributions by the share of heat in each part's square: [n, parts]."""
    contributions = (phi * weights).clamp(min=0)
    rows, attributes = contributions.nonzero(as_tuple=True)
    maps = heatmaps(model, images[rows], attributes).maps
    heat = (maps[:, None] * places[rows]).sum(dim=(2, 3)) / maps.sum(dim=(1, 2)).clamp(min=1e-12)[
        :, None
    ]
    return torch.zeros(len(images), len(PARTS)).index_add_(
        0, rows, heat * contributions[rows, attributes][:, None]
    )


def by_removal(
    model: InterpretableModel, images: Tensor, phi: Tensor, weights: Tensor, places: Tensor
) -> Tensor:
    """Return the loss of all contributions without each part's square: [n, parts]."""
    with torch.no_grad():
        after = [
            model(without(images, places[:, part].bool()), reconstruct=False).attributes
            for part in range(len(PARTS))
        ]
    return torch.stack([((phi - blurred) * weights).sum(dim=1) for blurred in after], dim=1)


if __name__ == "__main__":
    main()
