"""The shortcut audit on planted shortcuts: findings, false alarms, and g with them removed.

usage: python -m benchmarks.shortcut_audit [--seeds 0 1 2] [--worlds shortcut clean]
       [--images 4000] [--epochs 6]

Trains a small network with its interpreter on data=factors for each seed and world. The
measurements are added to results/shortcut_audit.json, where they replace those of the same seed and
world.
"""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import pytorch_lightning as pl
import torch

from benchmarks.arguments import ProgramParser
from benchmarks.record import RESULTS, save
from interp_by_design.attributes import TopKDictionary
from interp_by_design.data import TensorData
from interp_by_design.data.factor_images import NORMALISATION
from interp_by_design.data.rendering import render, render_bytes
from interp_by_design.data.scenes import CLASS_NAMES, SHORTCUT_CLASS, Scenes, draw
from interp_by_design.explain.intervention import Intervention
from interp_by_design.explain.shortcut_audit import Audit
from interp_by_design.explain.shortcut_audit import audit as audited
from interp_by_design.interpreter import DenseDecoder, LinearHead, LinearInterpreter
from interp_by_design.learning import ByDesign, Objective, one_cycle
from interp_by_design.model import InterpretableModel
from interp_by_design.predictor import LeNet, Predictor

NAME = "shortcut_audit"
N_ATTRIBUTES = 16
N_ACTIVE = 3  # attributes
N_AUDIT = 1000  # images
N_TEST = 2000  # images
SHORTCUT = "shortcut"
CLEAN = "clean"
COLUMNS = (
    "world",
    "seed",
    "pairs tested",
    "shortcuts named",
    "largest moved",
    "right",
    "g, no patch",
    "g, patch swapped",
    "g mended, no patch",
    "g mended, patch swapped",
)


def main() -> None:
    """Train, audit, mend, and write."""
    parser = ProgramParser(__doc__)
    parser.add_seeds([0, 1, 2])
    parser.add_argument("--worlds", nargs="*", default=[SHORTCUT, CLEAN], choices=[SHORTCUT, CLEAN])
    parser.add_argument("--images", type=int, default=4000)
    parser.add_argument("--epochs", type=int, default=6)
    arguments = parser.parse_args()
    file = RESULTS / f"{NAME}.json"
    runs: dict[str, Any] = json.loads(file.read_text())["runs"] if file.is_file() else {}
    for seed in arguments.seeds:
        for world in arguments.worlds:
            row, particulars = measured(world, seed, arguments.images, arguments.epochs)
            print(*row, *particulars, sep="  ", flush=True)
            settings = {"images": arguments.images, "epochs": arguments.epochs}
            runs[f"{world}, seed {seed}"] = {"row": row, "shortcuts": particulars, **settings}
            write(runs)


def write(runs: dict[str, Any]) -> None:
    """Write the record of all runs."""
    about = (
        "A LeNet with 16 attributes, trained on images of data=factors, plain or with white 3 x 3 "
        "pixels in the upper left of 95 % of class 0. The audit gets 1,000 other images and no "
        "labels. Right: it names class 0 and a square in the upper left and nothing else, or "
        "nothing in the clean world. The last four columns are g's accuracy on test images of the "
        "clean world, and on the same with the patch on all classes but 0; mended: with the "
        "attributes that the audit names at 0."
    )
    content = {
        "title": "Is there a shortcut?",
        "about": about,
        "columns": COLUMNS,
        "rows": [run["row"] for run in runs.values()],
    }
    save(NAME, {**content, "runs": runs})


def measured(world: str, seed: int, images: int, epochs: int) -> tuple[list[Any], list[Any]]:
    """Return the figures of a row, and the shortcuts that the audit names."""
    shortcut = "corner_patch" if world == SHORTCUT else None
    model = trained(draw(images, seed, part=0, shortcut=shortcut), seed, epochs)
    found = audited(model, render(draw(N_AUDIT, seed, part=2, shortcut=shortcut)))
    plain = draw(N_TEST, seed, part=1)
    swapped = plain.changed("shortcut", (plain.labels() != SHORTCUT_CLASS).long())
    accuracies = [
        accuracy(model, scenes, edit)
        for edit in (Intervention(), found.mending())
        for scenes in (plain, swapped)
    ]
    largest = max((one.moved for one in found.suspects), default=0.0)
    named = [
        [one.class_, one.attribute, one.top, one.left, round(one.moved, 3)]
        for one in found.shortcuts
    ]
    row = [
        world,
        seed,
        len(found.suspects),
        len(found.shortcuts),
        round(largest, 3),
        right(found, world),
        *accuracies,
    ]
    return row, named


def right(found: Audit, world: str) -> bool:
    """Return whether the audit names exactly what was planted."""
    if world == CLEAN:
        return not found.shortcuts
    return bool(found.shortcuts) and all(
        one.class_ == SHORTCUT_CLASS and max(one.top, one.left) < one.side
        for one in found.shortcuts
    )


def accuracy(model: InterpretableModel, scenes: Scenes, edit: Intervention) -> float:
    """Return g's accuracy under an intervention."""
    with torch.no_grad():
        phi = torch.cat(
            [model(some, reconstruct=False).attributes for some in torch.split(render(scenes), 256)]
        )
        logits = edit.attributes(phi) @ edit.head(model.interpreter.head.weights).T
    return round(float((logits.argmax(dim=1) == scenes.labels()).float().mean()), 3)


def trained(scenes: Scenes, seed: int, epochs: int) -> InterpretableModel:
    """Train a small network and its interpreter together."""
    data = TensorData(
        render_bytes(scenes),
        scenes.labels(),
        CLASS_NAMES,
        test=0.1,
        normalisation=NORMALISATION,
        batch_size=64,
    )
    data.setup()
    facts = data.facts
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = LeNet(facts.image_shape, facts.n_classes, channels=(12, 32), width=64)
        predictor = Predictor(network, ["conv2", "fc1"], facts)
        dictionary = TopKDictionary(predictor.hidden_shapes, N_ATTRIBUTES, k=N_ACTIVE)
        interpreter = LinearInterpreter(
            dictionary,
            LinearHead(N_ATTRIBUTES, facts.n_classes),
            DenseDecoder(N_ATTRIBUTES, facts.image_shape, 32),
        )
        model = InterpretableModel(predictor, interpreter, facts)
        module = ByDesign(
            model,
            Objective(),
            partial(torch.optim.AdamW, lr=5e-3),
            partial(one_cycle, pct_start=0.3),
        )
        _trainer(epochs).fit(module, data.train_dataloader(), data.val_dataloader())
    return model.eval()


def _trainer(epochs: int) -> pl.Trainer:
    return pl.Trainer(
        accelerator="cpu",
        devices=1,
        max_epochs=epochs,
        limit_val_batches=0,
        num_sanity_val_steps=0,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )


if __name__ == "__main__":
    main()
