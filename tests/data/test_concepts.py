"""Concepts of rendered images are what their records say."""

import torch

from interp_by_design.data import Digits, Factors
from interp_by_design.data.records import SHAPES, TEXTURES


def test_concepts_name_the_values_that_an_image_has() -> None:
    data = Factors(n_train=60, n_test=20, shortcut="corner_patch")
    data.setup()
    for split in ("train", "val", "test"):
        found, records = data.concepts(split), data.records(split)
        assert len(found.names) == found.present.shape[1] == 10
        assert found.present.shape[0] == len(data.split(split))
        for i in range(len(records)):
            told = {
                name
                for name, there in zip(found.names, found.present[i].tolist(), strict=True)
                if there
            }
            assert {
                f"shape is {SHAPES[records.shape[i]]}",
                f"texture is {TEXTURES[records.texture[i]]}",
            } < told
            assert len(told) == 3


def test_most_data_sets_tell_no_concepts() -> None:
    data = Digits()
    data.setup()
    assert data.concepts("train") is None


def test_concepts_follow_the_order_of_the_split() -> None:
    data = Factors(n_train=40, n_test=5)
    data.setup()
    concepts, labels = data.concepts("train"), data.split("train").labels
    textures = concepts.present[
        :, [concepts.names.index(f"texture is {name}") for name in TEXTURES]
    ]
    assert torch.equal(textures.float().argmax(dim=1), labels // 2)
