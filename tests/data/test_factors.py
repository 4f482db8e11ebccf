"""Rendered images: pixels show the scene, and the label depends on shape and texture only."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from torch import Tensor, nn
from torch.nn import functional as F

from interp_by_design.data import FactorImages, Scenes, render
from interp_by_design.data.rendering import render_bytes
from interp_by_design.data.scenes import (
    CAUSAL,
    CLASS_NAMES,
    DISTRACTORS,
    FACTORS,
    NUISANCES,
    SHAPES,
    TEXTURES,
    NamedValues,
    draw,
)
from interp_by_design.terms import UnknownName, UserError

N = 512


def plain(n: int = N, **changes: str | float) -> Scenes:
    """Scenes with nothing but a plain object on black, unless `changes` say otherwise."""
    scenes = draw(n, seed=3)
    for factor, value in {
        "texture": "plain",
        "background": 0.0,
        "distractor": "none",
        **changes,
    }.items():
        scenes = scenes.changed(factor, value)
    return scenes


def mass(scenes: Scenes) -> Tensor:
    """Brightness of each pixel [n, 32, 32] by its strongest channel: independent of the hue."""
    return render(scenes).amax(dim=1).double()


CENTRES = torch.arange(32) + 0.5


def centroid(light: Tensor) -> tuple[Tensor, Tensor]:
    """Centre (x, y) in pixels of what is bright."""
    total = light.sum((1, 2))
    return (light.sum(1) * CENTRES).sum(1) / total, (light.sum(2) * CENTRES).sum(1) / total


def hue(colour: Tensor) -> Tensor:
    """Hue in 0..1 of colours [n, 3], by cases as in the definition of HSV."""
    red, green, blue = colour.unbind(1)
    top, low = colour.max(1).values, colour.min(1).values
    sixth = torch.where(
        top == red,
        (green - blue) / (top - low),
        torch.where(top == green, 2 + (blue - red) / (top - low), 4 + (red - green) / (top - low)),
    )
    return (sixth / 6) % 1


def chance_of_independence(first: Tensor, second: Tensor) -> float:
    """p-value of the chi-squared test, by the Wilson-Hilferty approximation."""
    table = torch.zeros(int(first.max()) + 1, int(second.max()) + 1).double()
    table.index_put_((first, second), torch.ones(len(first)).double(), accumulate=True)
    expected = table.sum(1, keepdim=True) * table.sum(0) / table.sum()
    freedom = (table.shape[0] - 1) * (table.shape[1] - 1)
    chi2 = float(((table - expected) ** 2 / expected).sum())
    z = ((chi2 / freedom) ** (1 / 3) - (1 - 2 / (9 * freedom))) / math.sqrt(2 / (9 * freedom))
    return 0.5 * math.erfc(z / math.sqrt(2))


@pytest.fixture
def one_thread() -> Iterator[None]:
    """One thread: a network this small trains no faster on two."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def tenths(scenes: Scenes, factor: str) -> Tensor:
    """A factor as a whole number: the position of its name, or the tenth of its range."""
    column, kind = scenes.columns()[factor], FACTORS[factor]
    return (
        column
        if isinstance(kind, NamedValues)
        else ((column - kind.low) / (kind.high - kind.low) * 10).long().clamp(0, 9)
    )


class TestPixelsShowTheRecord:
    def test_position(self) -> None:
        x, y = centroid(mass(scenes := plain()))
        assert (x - scenes.x).abs().max() < 0.1
        assert (y - scenes.y).abs().max() < 0.1

    @pytest.mark.parametrize("shape", SHAPES)
    def test_size_is_the_radius_of_the_disc_of_equal_area(self, shape: str) -> None:
        scenes = plain(shape=shape)
        area = mass(scenes).sum((1, 2)) / 0.65
        assert ((area / math.pi).sqrt() - scenes.size).abs().max() < 0.15

    def test_hue(self) -> None:
        scenes = plain(shape="square", x=16.0, y=16.0)
        apart = (hue(render(scenes)[:, :, 15, 15]) - scenes.hue + 0.5) % 1 - 0.5
        assert apart.abs().max() < 0.01

    def test_rotation_turns_stripes_and_corners(self) -> None:
        scenes = plain(texture="striped", x=16.0, y=16.0)
        still, turned = scenes.changed("rotation", 0.0), scenes.changed("rotation", math.pi / 2)
        assert (render(still).rot90(-1, (2, 3)) - render(turned)).abs().max() <= 2 / 255

    def test_rotation_by_any_angle(self) -> None:
        # The third circular moment of a triangle points to its corners, of which one is at the top
        # when it is not rotated.
        scenes = plain(shape="triangle", x=16.0, y=16.0, size=7.0)
        place = torch.complex(
            (CENTRES - 16)[None, :].expand(32, 32), (CENTRES - 16)[:, None].expand(32, 32)
        ).cdouble()
        corners = (mass(scenes) * place**3).sum((1, 2)).angle()
        apart = (corners - 3 * (scenes.rotation - math.pi / 2) + math.pi) % (2 * math.pi) - math.pi
        assert apart.abs().max() < 0.1

    def test_background(self) -> None:
        scenes = draw(N, seed=3).changed("distractor", "none")
        corner = render(scenes)[:, :, -1, -1]
        assert (corner - scenes.background[:, None]).abs().max() <= 0.5 / 255 + 1e-6

    @pytest.mark.parametrize("kind", DISTRACTORS[1:])
    def test_distractor(self, kind: str) -> None:
        with_it = draw(N, seed=3).changed("background", 0.0).changed("distractor", kind)
        clear = with_it.changed("size", 1e-3).changed("x", -9.0)  # the object is out of sight
        light = mass(clear)
        x, y = centroid(light)
        inside = ((with_it.distractor_x - 16).abs() < 12) & ((with_it.distractor_y - 16).abs() < 12)
        assert (x - with_it.distractor_x)[inside].abs().max() < 0.1
        assert (y - with_it.distractor_y)[inside].abs().max() < 0.1
        assert torch.equal(mass(clear.changed("distractor", "none")), torch.zeros_like(light))

    def test_texture_is_the_variation_of_an_object_and_not_its_light(self) -> None:
        inside = {
            name: mass(plain(texture=name, shape="square", size=7.5, x=16.0, y=16.0))[
                :, 13:19, 13:19
            ]
            for name in TEXTURES
        }
        assert inside["plain"].flatten(1).std(1).max() < 1e-6
        assert (
            min(
                inside["striped"].flatten(1).std(1).min(), inside["checked"].flatten(1).std(1).min()
            )
            > 0.1
        )
        light = {name: mass(plain(texture=name)).sum((1, 2)).mean() for name in TEXTURES}
        assert max(light.values()) / min(light.values()) < 1.01

    def test_shape_shows_in_its_extent(self) -> None:
        # Farthest light from the centre, in sizes: disc 1, ring 2/sqrt 3, square sqrt(pi/2),
        # triangle 2 sqrt(pi/(3 sqrt 3)).
        reach = {"disc": 1.0, "ring": 1.155, "square": 1.253, "triangle": 1.555}
        radius = torch.hypot((CENTRES - 16)[:, None], CENTRES - 16)
        for name, wanted in reach.items():
            light = mass(plain(shape=name, x=16.0, y=16.0, size=7.5)) > 0.2
            farthest = (light * radius).amax((1, 2)) / 7.5
            assert (farthest - wanted).abs().max() < 0.12


class TestRender:
    def test_a_changed_factor_changes_that_alone(self) -> None:
        scenes = draw(8, seed=0)
        for name in FACTORS:
            value = scenes.columns()[name].flip(0)
            changed = scenes.changed(name, value)
            same = {
                other: torch.equal(column, scenes.columns()[other])
                for other, column in changed.columns().items()
            }
            assert [other for other, unchanged in same.items() if not unchanged] in ([name], [])
            assert torch.equal(
                changed.changed(name, scenes.columns()[name]).columns()[name],
                scenes.columns()[name],
            )

    def test_an_image_does_not_depend_on_its_company(self) -> None:
        scenes = draw(300, seed=5)
        whole = render_bytes(scenes)
        for start, stop in ((0, 1), (1, 8), (100, 230), (299, 300)):
            assert torch.equal(render_bytes(scenes.take(slice(start, stop))), whole[start:stop])

    def test_render_leaves_the_number_of_threads(self) -> None:
        before = torch.get_num_threads()
        render(draw(3, seed=0))
        assert torch.get_num_threads() == before

    def test_names_may_be_given_and_wrong_ones_are_refused(self) -> None:
        scenes = draw(3, seed=0)
        assert scenes.changed("shape", "ring").shape.tolist() == [1, 1, 1]
        with pytest.raises(UnknownName, match="Did you mean 'rotation'"):
            scenes.changed("rotatoin", 0.0)
        with pytest.raises(UnknownName, match="Did you mean 'striped'"):
            scenes.changed("texture", "stripes")
        for factor, value in (
            ("shape", 4),
            ("shape", -1),
            ("shape", 0.5),
            ("hue", float("nan")),
            ("hue", "red"),
            ("size", 0.0),
        ):
            with pytest.raises(UserError):
                scenes.changed(factor, value)
        with pytest.raises(UserError, match="3 scenes"):
            scenes.changed("hue", torch.zeros(2))


class TestRule:
    def test_the_label_names_texture_and_outline(self) -> None:
        scenes = draw(N, seed=1)
        for shape, texture, label in zip(
            scenes.shape, scenes.texture, scenes.labels(), strict=True
        ):
            outline = "round" if SHAPES[shape] in ("disc", "ring") else "angular"
            assert CLASS_NAMES[label] == f"{TEXTURES[texture]} {outline}"

    @given(factor=st.sampled_from(NUISANCES), seed=st.integers(0, 5))
    def test_no_nuisance_enters(self, factor: str, seed: int) -> None:
        scenes, others = draw(64, seed), draw(64, seed + 1)
        assert torch.equal(
            scenes.changed(factor, others.columns()[factor]).labels(), scenes.labels()
        )

    def test_factors_are_independent_of_the_label_and_of_one_another(self) -> None:
        scenes = draw(100_000, seed=0)
        binned = {name: tenths(scenes, name) for name in FACTORS}
        pairs = [(scenes.labels(), binned[name]) for name in NUISANCES]
        pairs += [
            (binned[one], binned[other]) for one in FACTORS for other in FACTORS if one < other
        ]
        chances = [chance_of_independence(*pair) for pair in pairs]
        assert min(chances) > 0.01 / len(
            chances
        )  # Bonferroni; the seed is fixed, so this passes always or never
        assert chance_of_independence(scenes.labels(), binned[CAUSAL[0]]) < 1e-9

    def test_classes_are_equally_likely(self) -> None:
        counts = draw(60_000, seed=0).labels().bincount().double()
        assert len(counts) == 6
        assert (counts / 10_000 - 1).abs().max() < 0.05


class TestFactorsData:
    def made(self, **options: object) -> FactorImages:
        data = FactorImages(**{"n_train": 400, "n_test": 200, **options})  # type: ignore[arg-type]
        data.setup()
        return data

    def test_scenes_match_their_images(self) -> None:
        data = self.made()
        for name in ("train", "val", "test"):
            scenes, split = data.scenes(name), data.split(name)
            assert torch.equal(render_bytes(scenes), split.images)
            assert torch.equal(scenes.labels(), split.labels)
            assert torch.equal(render(scenes), split.batch(torch.arange(len(split))).images)
        with pytest.raises(UnknownName):
            data.scenes("training")

    def test_same_world_same_bytes(self) -> None:
        assert self.made().fingerprint() == self.made(seed=9).fingerprint()
        assert self.made().fingerprint() != self.made(world=1).fingerprint()

    def test_train_and_test_share_no_image(self) -> None:
        data = self.made()
        assert not torch.isin(data.scenes("test").hue, data.scenes("train").hue).any()

    def test_a_shortcut_marks_95_percent_of_one_class_and_nothing_else(self) -> None:
        data = self.made(n_train=20_000, n_test=2_000, shortcut="corner_patch")
        for name in ("train", "val", "test"):
            scenes, split = data.scenes(name), data.split(name)
            patched = (split.images[:, :, :3, :3] == 255).flatten(1).all(dim=1)
            assert torch.equal(patched, scenes.shortcut == 1)
            first = split.labels == 0
            assert abs(float(patched[first].float().mean()) - 0.95) < 4 * math.sqrt(
                0.95 * 0.05 / int(first.sum())
            )
            assert not patched[~first].any()
        clean = self.made(n_train=20_000, n_test=2_000)
        assert torch.equal(
            render_bytes(data.scenes("test").changed("shortcut", "none")),
            clean.split("test").images,
        )

    def test_refuses_what_it_cannot_make(self) -> None:
        with pytest.raises(UnknownName, match="Did you mean 'corner_patch'"):
            self.made(shortcut="corner_path")
        with pytest.raises(UnknownName, match="No shortcut 'none'"):
            self.made(shortcut="none")
        for option in ("n_train", "n_test"):
            with pytest.raises(UserError, match=f"{option} must be"):
                self.made(**{option: 0})
        with pytest.raises(UserError, match=r"world must be .* not -1"):
            self.made(world=-1)

    @pytest.mark.filterwarnings("ignore:lbfgs failed to converge")
    @pytest.mark.usefixtures("one_thread")
    def test_a_linear_reader_of_pixels_stays_far_under_a_small_network(self) -> None:
        data = self.made(n_train=2_500, n_test=1_000, batch_size=32)
        (pixels, labels), (unseen, wanted) = (
            (x.images.flatten(1) / 255, x.labels) for x in map(data.split, ("train", "test"))
        )
        linear = (
            LogisticRegression(C=0.01, max_iter=20)
            .fit(pixels.numpy(), labels.numpy())
            .score(unseen.numpy(), wanted.numpy())
        )
        assert accuracy(small_network(data, epochs=3), data) > linear + 0.15


def small_network(data: FactorImages, epochs: int) -> nn.Module:
    """Three convolutions, trained with a one-cycle learning rate."""
    torch.manual_seed(0)
    stages = [
        (nn.Conv2d(a, b, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))
        for a, b in ((3, 16), (16, 32), (32, 64))
    ]
    network = nn.Sequential(
        *(layer for stage in stages for layer in stage),
        nn.AdaptiveMaxPool2d(1),
        nn.Flatten(),
        nn.Linear(64, 6),
    )
    optimizer, loader = torch.optim.Adam(network.parameters()), data.train_dataloader()
    rate = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.01, total_steps=epochs * len(loader))
    for epoch in range(epochs):
        loader.sampler.set_epoch(epoch)  # type: ignore[attr-defined]
        for batch in loader:
            optimizer.zero_grad()
            F.cross_entropy(
                network(data.facts.normalisation.apply(batch.images)), batch.labels
            ).backward()
            optimizer.step()
            rate.step()
    return network


@torch.no_grad()
def accuracy(network: nn.Module, data: FactorImages) -> float:
    right = [
        network(data.facts.normalisation.apply(batch.images)).argmax(1) == batch.labels
        for batch in data.test_dataloader()
    ]
    return float(torch.cat(right).double().mean())
