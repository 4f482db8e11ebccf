"""Pictures: channels, heat, the hottest pixels and the line around them."""

from __future__ import annotations

import matplotlib
import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

from interp_by_design.terms import UserError
from interp_by_design.visualize.tiles import draw_picture, hottest, outlined, overlaid, picture

VIRIDIS = matplotlib.colormaps["viridis"]


def test_grey_colour_and_other_images_become_rgb() -> None:
    grey, colour = torch.rand(1, 3, 4), torch.rand(3, 3, 4)
    assert np.allclose(picture(grey), np.stack([grey[0].numpy()] * 3, axis=2))
    assert np.allclose(picture(colour)[1, 2], colour[:, 1, 2].numpy())
    assert np.allclose(
        picture(torch.cat([colour, torch.zeros(1, 3, 4)])), picture(colour)
    )  # opacity is left out
    five = torch.rand(5, 3, 4)
    assert np.allclose(picture(five)[0, 0], [float(five[:, 0, 0].mean())] * 3)


def test_pixels_beyond_the_range_are_cut() -> None:
    assert picture(torch.tensor([[[-1.0, 2.0, float("nan"), float("inf")]]]))[0, :, 0].tolist() == [
        0,
        1,
        0,
        1,
    ]


def test_a_batch_is_no_picture() -> None:
    with pytest.raises(UserError, match="one image"):
        picture(torch.rand(2, 1, 3, 4))


def test_heat_takes_the_image_over_where_it_is_hot() -> None:
    base = np.full((2, 2, 3), 0.5, dtype=np.float32)
    cold, hot = overlaid(base, np.zeros((2, 2)), VIRIDIS), overlaid(base, np.ones((2, 2)), VIRIDIS)
    assert np.allclose(cold, cold[..., :1])  # grey
    assert np.linalg.norm(hot[0, 0] - np.array(VIRIDIS(1.0)[:3])) < 0.2


def test_the_hottest_tenth_is_that_of_sorting() -> None:
    heat = np.random.default_rng(0).random((20, 15))
    chosen = hottest(heat)
    assert chosen.sum() == 30
    assert sorted(heat[chosen]) == sorted(heat.ravel())[-30:]


def test_of_equal_pixels_the_first_are_the_hottest_and_of_none_none() -> None:
    assert hottest(np.ones((4, 5))).ravel().nonzero()[0].tolist() == [0, 1]
    assert not hottest(np.zeros((4, 5))).any()
    one = np.zeros((4, 5))
    one[3, 4] = 0.1
    assert hottest(one).sum() == 1


def test_the_line_runs_around_the_chosen_pixels_and_nowhere_else() -> None:
    base, chosen = np.full((8, 8, 3), 0.5, dtype=np.float32), np.zeros((8, 8), dtype=bool)
    chosen[2:4, 5] = True
    found = outlined(base, chosen)
    times = found.shape[0] // 8
    white, black = (found == 1).all(axis=2), (found == 0).all(axis=2)
    inside = np.kron(chosen, np.ones((times, times), dtype=bool))
    for y in range(found.shape[0]):
        for x in range(found.shape[1]):
            around = inside[max(0, y - 1) : y + 2, max(0, x - 1) : x + 2]
            assert white[y, x] == (inside[y, x] and not around.all())
            assert black[y, x] == (not inside[y, x] and around.any())


@pytest.mark.parametrize(
    ("shape", "taken"), [((8, 8), (2.0, 2.0)), ((30, 90), (2.0, 2 / 3)), ((90, 30), (2 / 3, 2.0))]
)
def test_pictures_keep_their_shape(shape: tuple[int, int], taken: tuple[float, float]) -> None:
    axes = Figure().add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, 5), ylim=(5, 0))
    assert draw_picture(
        axes, np.zeros((*shape, 3), dtype=np.float32), 1.0, 1.0, 2.0
    ) == pytest.approx(taken)
    left, right, bottom, top = axes.images[0].get_extent()
    assert ((left + right) / 2, (bottom + top) / 2) == pytest.approx((2.0, 2.0))
    assert top < bottom  # the image stands upright where y runs down
    assert axes.get_xlim() == (0, 5)


def test_few_pixels_are_drawn_as_squares() -> None:
    axes = Figure().add_axes((0, 0, 1, 1))
    for side in (8, 28, 224):
        draw_picture(axes, np.zeros((side, side, 3), dtype=np.float32), 0, 0, 1)
    assert [image.get_interpolation() for image in axes.images] == [
        "nearest",
        "nearest",
        "antialiased",
    ]
