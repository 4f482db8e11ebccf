"""Augmentations against loops over images and pixels."""

from __future__ import annotations

import pytest
import torch

from interp_by_design.data import Chain, Digits, RandomErase, RandomFlip, RandomShift
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
                    torch.stack(
                        [
                            before[:, min(max(i - down, 0), 4), min(max(j - right, 0), 5)]
                            for j in range(6)
                        ],
                        1,
                    )
                    for i in range(5)
                ],
                1,
            )
            for down in range(-2, 3)
            for right in range(-2, 3)
        ]
        assert any(torch.equal(after, way) for way in ways)


def test_an_erased_image_lacks_one_rectangle_and_nothing_else() -> None:
    erased = RandomErase(share=0.6, largest=0.5)(IMAGES, draws())
    areas: list[int] = []
    for before, after in zip(IMAGES, erased, strict=True):
        changed = (before != after).any(dim=0)
        places = changed.nonzero()
        if len(places) == 0:
            continue
        (top, left), (bottom, right) = places.amin(dim=0).tolist(), places.amax(dim=0).tolist()
        within = after[:, top : bottom + 1, left : right + 1]
        assert torch.equal(
            within, before.flatten(1).median(dim=1).values[:, None, None].expand_as(within)
        )
        assert bottom - top < 3
        assert right - left < 3
        areas.append(within[0].numel())
    assert 90 < len(areas) < 150
    assert len(set(areas)) > 3


def test_an_erasure_keeps_bytes_and_refuses_what_is_no_share() -> None:
    bytes_ = (IMAGES * 255).to(torch.uint8)
    erased = RandomErase(share=1)(bytes_, draws())
    assert erased.dtype == torch.uint8
    assert not torch.equal(erased, bytes_)
    assert torch.equal(RandomErase(share=0)(IMAGES, draws()), IMAGES)
    for wrong in ({"share": 1.5}, {"largest": 0.0}, {"largest": 2.0}):
        with pytest.raises(UserError, match="RandomErase"):
            RandomErase(**wrong)


def test_a_chain_applies_each_in_turn_with_the_same_draws() -> None:
    generator = draws()
    expected = RandomShift(1)(RandomFlip()(IMAGES, generator), generator)
    assert torch.equal(Chain((RandomFlip(), RandomShift(1)))(IMAGES, draws()), expected)


def test_a_list_is_a_chain() -> None:
    assert Digits(augmentation=[RandomFlip(), RandomShift(1)]).augmentation == Chain(
        (RandomFlip(), RandomShift(1))
    )
    assert Digits(augmentation=[RandomFlip()]).augmentation == RandomFlip()
    assert Digits(augmentation=[]).augmentation is None
    for wrong in ("flip", [RandomFlip(), 3]):
        with pytest.raises(UserError, match=r"augmentation=.* is no augmentation"):
            Digits(augmentation=wrong)
