"""Heat maps and interventions against planted causes: images whose factors are on record, and networks that learned to use them.

Two networks see the same kind of image. One is taught texture and outline, with a white patch in
the corner of one class; the other is taught what lies behind the object, so that heat which always
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

N_TRAIN, N_TEST, J, TOP = 4000, 800, 16, 30
SHORTCUT = "corner_patch"


@dataclass(frozen=True)
class World:
    """A model, test images with the factors behind them, and what the model makes of them."""

    model: InterpretableModel
    scenes: Scenes
    images: Tensor
    seen: Interpretation

    def matching(self, flag: Tensor) -> list[int]:
        """The attributes whose `TOP` most activating images nearly all have what `flag` tells."""
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
        """The pointing game: how often the hottest pixel is in `region` [n, h, w], where attributes are most active."""
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
    """A small network and its interpreter, trained together on `train` with these labels."""
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
    """Taught the rule of the data set, and offered a shortcut to the first class."""
    train = draw(N_TRAIN, 0, part=0, shortcut=SHORTCUT)
    return world(
        train, draw(N_TEST, 1, part=1, shortcut=SHORTCUT), train.labels(), CLASS_NAMES, epochs=6
    )


@pytest.fixture(scope="module")
def distractors() -> World:
    """Taught what lies behind the object: nothing, a spot or a bar."""
    train = draw(N_TRAIN, 0)
    return world(train, draw(N_TEST, 1, part=1), train.distractor, DISTRACTORS, epochs=4)


def differing(scenes: Scenes, factor: str, values: Sequence[str | float]) -> Tensor:
    """The pixels that show a factor, and those next to them, [n, h, w]."""
    one, other = (render(scenes.changed(factor, value)) for value in values)
    return F.max_pool2d((one != other).any(dim=1, keepdim=True).float(), 3, 1, 1)[:, 0] > 0


def test_what_matches_a_texture_looks_inside_the_object(objects: World) -> None:
    outline = differing(objects.scenes, "hue", [0.0, 0.5])  # the object alone has a colour
    for texture in ("striped", "checked"):
        attributes = objects.matching(objects.scenes.texture == TEXTURES.index(texture))
        assert len(attributes) >= 2
        assert objects.pointing(attributes, outline) >= 0.8
        assert objects.pointing(attributes, outline, method="evidence") >= 0.7
        assert (
            objects.pointing(attributes, outline, shuffled=True) <= 0.45
        )  # outlines are a quarter of the image


def test_what_matches_the_shortcut_looks_into_the_corner(objects: World) -> None:
    corner = torch.zeros(N_TEST, 32, 32, dtype=torch.bool)
    corner[:, : PATCH + 1, : PATCH + 1] = True
    attributes = objects.matching(objects.scenes.shortcut > 0)
    assert attributes
    assert objects.pointing(attributes, corner) >= 0.9
    assert objects.pointing(attributes, corner, method="evidence") >= 0.9
    assert objects.pointing(attributes, corner, shuffled=True) <= 0.2


def test_what_matches_a_distractor_looks_at_it_and_not_at_the_object(distractors: World) -> None:
    place = differing(distractors.scenes, "distractor", ["none", "spot"]) | differing(
        distractors.scenes, "distractor", ["none", "bar"]
    )
    for distractor in ("spot", "bar"):
        attributes = distractors.matching(
            distractors.scenes.distractor == DISTRACTORS.index(distractor)
        )
        assert len(attributes) >= 2
        assert distractors.pointing(attributes, place) >= 0.8
        assert distractors.pointing(attributes, place, method="evidence") >= 0.6
        assert distractors.pointing(attributes, place, shuffled=True) <= 0.25


def test_deleting_where_an_attribute_looks_deletes_it(objects: World) -> None:
    attributes = objects.matching(objects.scenes.shortcut > 0)[:1]
    rows = objects.seen.attributes[:, attributes[0]].topk(TOP).indices
    which = torch.full((TOP,), attributes[0])
    found = heatmaps(objects.model, objects.images[rows], which)
    check = deletion_check(objects.model, objects.images[rows], which, found.maps)
    assert check.drop.mean() >= 0.8
    assert check.random.mean() <= 0.3


def test_zeroing_an_attribute_changes_the_decision_as_the_rule_says(objects: World) -> None:
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


def test_f_needs_what_is_shown_more_than_what_is_not(objects: World) -> None:
    batch = Batch(objects.images[:300], objects.scenes.labels()[:300], torch.arange(300))
    found = faithfulness(objects.model, [batch], seed=0, tau=2)
    assert len(found.shown) >= 100
    assert found.shown.mean() >= found.random.mean() + 0.1


def test_attributes_differ_in_what_they_do_to_f_as_g_says(objects: World) -> None:
    batch = Batch(objects.images[:300], objects.scenes.labels()[:300], torch.arange(300))
    found = effects(objects.model, [batch], seed=0, tau=2)
    assert len(found.measured) >= 100
    assert found.agreement >= 0.25
    order = torch.randperm(len(found.measured), generator=torch.Generator().manual_seed(0))
    assert abs(cosine(found.measured, found.predicted[order])) <= 0.1
