"""Augmentations against loops over images and pixels."""

from __future__ import annotations

import pytest
import torch

from interp_by_design.data import Chain, Digits, RandomFlip, RandomShift
from interp_by_design.terms import UserError


def draws(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


IMAGES = torch.rand(200, 3, 5, 6, generator=draws())


def test_a_flip_mirrors_about_half_of_the_images_and_nothing_else() -> None:
    flipped = RandomFlip()(IMAGES, draws())
    turned = 0
    for before, after in zip(IMAGES.tolist(), flipped.tolist(), strict=True):
        mirrored = [[row[::-1] for row in channel] for channel in before]
        assert after in (before, mirrored)
        turned += after == mirrored
    assert 70 < turned < 130


def test_a_flip_of_none_or_all() -> None:
    assert torch.equal(RandomFlip(0)(IMAGES, draws()), IMAGES)
    assert torch.equal(RandomFlip(1)(IMAGES, draws()), IMAGES.flip(3))
    with pytest.raises(UserError, match="no probability"):
        RandomFlip(1.5)


def test_a_shift_moves_all_channels_of_an_image_by_the_same_pixels() -> None:
    shifted = RandomShift(2)(IMAGES, draws())
    for before, after in zip(IMAGES[:20], shifted, strict=False):
        ways = [
            torch.stack(
                [
                    torch.stack([before[:, min(max(i - down, 0), 4), min(max(j - right, 0), 5)] for j in range(6)], 1)
                    for i in range(5)
                ],
                1,
            )
            for down in range(-2, 3)
            for right in range(-2, 3)
        ]
        assert any(torch.equal(after, way) for way in ways)


def test_a_chain_applies_each_in_turn_with_the_same_draws() -> None:
    generator = draws()
    expected = RandomShift(1)(RandomFlip()(IMAGES, generator), generator)
    assert torch.equal(Chain((RandomFlip(), RandomShift(1)))(IMAGES, draws()), expected)


def test_a_list_is_a_chain() -> None:
    assert Digits(augmentation=[RandomFlip(), RandomShift(1)]).augmentation == Chain((RandomFlip(), RandomShift(1)))
    assert Digits(augmentation=[RandomFlip()]).augmentation == RandomFlip()
    assert Digits(augmentation=[]).augmentation is None
    for wrong in ("flip", [RandomFlip(), 3]):
        with pytest.raises(UserError, match=r"augmentation=.* is none"):
            Digits(augmentation=wrong)
