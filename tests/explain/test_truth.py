"""Tests of heat maps and interventions on images with known factors.

Two networks see the same kind of image. One learns texture and outline, with a white patch in the
corner of one class; the other learns the distractor behind the object, so that heat which always
falls on the object would fail there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import pytest
import pytorch_lightning as pl
import torch
import torch.nn.functional as F
from torch import Tensor

from interp_by_design.attributes import TopKDictionary
from interp_by_design.data import Scenes, TensorData
from interp_by_design.data.factor_images import NORMALISATION
from interp_by_design.data.rendering import PATCH, render, render_bytes
from interp_by_design.data.scenes import CLASS_NAMES, DISTRACTORS, TEXTURES, draw
from interp_by_design.explain.deletion import deletion_check
from interp_by_design.explain.effects import cosine, effects
from interp_by_design.explain.faithfulness import faithfulness
from interp_by_design.explain.heat_maps import heatmaps
from interp_by_design.explain.intervention import Intervention
from interp_by_design.interpreter import DenseDecoder, LinearHead, LinearInterpreter
from interp_by_design.learning import ByDesign, Objective, one_cycle
from interp_by_design.model import InterpretableModel
from interp_by_design.predictor import LeNet, Predictor
from interp_by_design.terms import Batch, Interpretation

pytestmark = pytest.mark.slow

N_TRAIN = 4000  # images
N_TEST = 800  # images
J = 16  # attributes
TOP = 30  # most activating images of an attribute
SHORTCUT = "corner_patch"


@dataclass(frozen=True)
class World:
    """A model, test images with their factors, and their interpretation."""

    model: InterpretableModel
    scenes: Scenes
    images: Tensor
    seen: Interpretation

    def matching(self, flag: Tensor) -> list[int]:
        """Return the attributes whose `TOP` most activating images nearly all have `flag`."""
        top = self.seen.attributes.topk(TOP, dim=0).indices
        return [
            j
            for j in range(J)
            if flag[top[:, j]].float().mean() >= 0.95 and self.seen.attributes[top[-1, j], j] > 0
        ]

    def pointing(
        self,
        attributes: Sequence[int],
        region: Tensor,
        shuffled: bool = False,
        method: str = "auto",
    ) -> float:
        """Return the score of the pointing game on the most activating images.

        It is the share of images whose hottest pixel is in `region` [n, h, w].
        """
        rows = torch.cat([self.seen.attributes[:, j].topk(TOP).indices for j in attributes])
        maps = heatmaps(
            self.model, self.images[rows], torch.tensor(attributes).repeat_interleave(TOP), method
        ).maps.flatten(1)
        if shuffled:
            draws = torch.Generator().manual_seed(0)
            maps = torch.stack([row[torch.randperm(len(row), generator=draws)] for row in maps])
        return float(
            region[rows].flatten(1).gather(1, maps.argmax(dim=1, keepdim=True)).float().mean()
        )


def world(train: Scenes, test: Scenes, labels: Tensor, names: Sequence[str], epochs: int) -> World:
    """Train a small network and its interpreter by design on `train` with these labels."""
    data = TensorData(
        render_bytes(train), labels, names, test=0.1, normalisation=NORMALISATION, batch_size=64
    )
    data.setup()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = LeNet(data.facts.image_shape, data.facts.n_classes, channels=(12, 32), width=64)
        predictor = Predictor(network, ["conv2", "fc1"], data.facts)
        decoder = DenseDecoder(J, data.facts.image_shape, 32)
        interpreter = LinearInterpreter(
            TopKDictionary(predictor.hidden_shapes, J, k=3),
            LinearHead(J, data.facts.n_classes),
            decoder,
        )
        model = InterpretableModel(predictor, interpreter, data.facts)
        module = ByDesign(
            model,
            Objective(),
            partial(torch.optim.AdamW, lr=5e-3),
            partial(one_cycle, pct_start=0.3),
        )
        quiet = {
            "logger": False,
            "enable_checkpointing": False,
            "enable_progress_bar": False,
            "enable_model_summary": False,
        }
        fit = pl.Trainer(
            **quiet,
            accelerator="cpu",
            devices=1,
            max_epochs=epochs,
            limit_val_batches=0,
            num_sanity_val_steps=0,
        )  # type: ignore[arg-type]
        fit.fit(module, data.train_dataloader(), data.val_dataloader())
    images = render(test)
    with torch.no_grad():
        return World(model.eval(), test, images, model(images, reconstruct=False))


@pytest.fixture(scope="module")
def objects() -> World:
    """Trained on the classes of the data set, with a shortcut for the first class."""
    train = draw(N_TRAIN, 0, part=0, shortcut=SHORTCUT)
    return world(
        train, draw(N_TEST, 1, part=1, shortcut=SHORTCUT), train.labels(), CLASS_NAMES, epochs=6
    )


@pytest.fixture(scope="module")
def distractors() -> World:
    """Trained on the distractor behind the object: none, a spot or a bar."""
    train = draw(N_TRAIN, 0)
    return world(train, draw(N_TEST, 1, part=1), train.distractor, DISTRACTORS, epochs=4)


def differing(scenes: Scenes, factor: str, values: Sequence[str | float]) -> Tensor:
    """Return the pixels that show a factor, and their neighbours, [n, h, w]."""
    one, other = (render(scenes.changed(factor, value)) for value in values)
    return F.max_pool2d((one != other).any(dim=1, keepdim=True).float(), 3, 1, 1)[:, 0] > 0


def test_heat_of_texture_attributes_is_inside_the_object(objects: World) -> None:
    outline = differing(objects.scenes, "hue", [0.0, 0.5])  # the object alone has a colour
    for texture in ("striped", "checked"):
        attributes = objects.matching(objects.scenes.texture == TEXTURES.index(texture))
        assert len(attributes) >= 2
        assert objects.pointing(attributes, outline) >= 0.8
        assert objects.pointing(attributes, outline, method="evidence") >= 0.7
        # Outlines cover a quarter of the image.
        assert objects.pointing(attributes, outline, shuffled=True) <= 0.45


def test_heat_of_shortcut_attributes_is_in_the_corner(objects: World) -> None:
    corner = torch.zeros(N_TEST, 32, 32, dtype=torch.bool)
    corner[:, : PATCH + 1, : PATCH + 1] = True
    attributes = objects.matching(objects.scenes.shortcut > 0)
    assert attributes
    assert objects.pointing(attributes, corner) >= 0.9
    assert objects.pointing(attributes, corner, method="evidence") >= 0.9
    assert objects.pointing(attributes, corner, shuffled=True) <= 0.2


def test_heat_of_distractor_attributes_is_on_the_distractor(distractors: World) -> None:
    region = differing(distractors.scenes, "distractor", ["none", "spot"]) | differing(
        distractors.scenes, "distractor", ["none", "bar"]
    )
    for distractor in ("spot", "bar"):
        attributes = distractors.matching(
            distractors.scenes.distractor == DISTRACTORS.index(distractor)
        )
        assert len(attributes) >= 2
        assert distractors.pointing(attributes, region) >= 0.8
        assert distractors.pointing(attributes, region, method="evidence") >= 0.6
        assert distractors.pointing(attributes, region, shuffled=True) <= 0.25


def test_deleting_the_hottest_pixels_removes_the_attribute(objects: World) -> None:
    attributes = objects.matching(objects.scenes.shortcut > 0)[:1]
    rows = objects.seen.attributes[:, attributes[0]].topk(TOP).indices
    which = torch.full((TOP,), attributes[0])
    found = heatmaps(objects.model, objects.images[rows], which)
    check = deletion_check(objects.model, objects.images[rows], which, found.maps)
    assert check.drop.mean() >= 0.8
    assert check.random.mean() <= 0.3


def test_zeroing_an_attribute_changes_the_decision_by_the_planted_rule(objects: World) -> None:
    scenes, weights = objects.scenes, objects.model.interpreter.head.weights.detach()
    causes = {
        "shortcut": (scenes.shortcut > 0, [0]),
        "striped": (scenes.texture == 1, [2, 3]),
        "checked": (scenes.texture == 2, [4, 5]),
    }
    for flag, classes in causes.values():
        zeroing = Intervention.zeroing(*objects.matching(flag))
        before, after = (
            (attributes @ weights.T).softmax(dim=1)[:, classes].sum(dim=1)
            for attributes in (objects.seen.attributes, zeroing.attributes(objects.seen.attributes))
        )
        decided = before > 0.5
        assert (before - after)[flag & decided].mean() >= 0.3
        assert (after - before)[~flag].abs().mean() <= 0.05


def test_f_depends_more_on_shown_attributes_than_on_others(objects: World) -> None:
    batch = Batch(objects.images[:300], objects.scenes.labels()[:300], torch.arange(300))
    found = faithfulness(objects.model, [batch], seed=0, tau=2)
    assert len(found.shown) >= 100
    assert found.shown.mean() >= found.random.mean() + 0.1


def test_measured_effects_agree_with_those_of_g(objects: World) -> None:
    batch = Batch(objects.images[:300], objects.scenes.labels()[:300], torch.arange(300))
    found = effects(objects.model, [batch], seed=0, tau=2)
    assert len(found.measured) >= 100
    assert found.agreement >= 0.25
    order = torch.randperm(len(found.measured), generator=torch.Generator().manual_seed(0))
    assert abs(cosine(found.measured, found.predicted[order])) <= 0.1
