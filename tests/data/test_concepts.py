"""Concepts of rendered images are what their scenes say."""

import torch

from interp_by_design.data import Digits, FactorImages
from interp_by_design.data.scenes import SHAPES, TEXTURES


def test_concepts_name_the_values_that_an_image_has() -> None:
    data = FactorImages(n_train=60, n_test=20, shortcut="corner_patch")
    data.setup()
    for split in ("train", "val", "test"):
        found, scenes = data.concepts(split), data.scenes(split)
        assert len(found.names) == found.present.shape[1] == 10
        assert found.present.shape[0] == len(data.split(split))
        for i in range(len(scenes)):
            present = {
                name
                for name, there in zip(found.names, found.present[i].tolist(), strict=True)
                if there
            }
            assert {
                f"shape is {SHAPES[scenes.shape[i]]}",
                f"texture is {TEXTURES[scenes.texture[i]]}",
            } < present
            assert len(present) == 3


def test_most_data_sets_have_no_concepts() -> None:
    data = Digits()
    data.setup()
    assert data.concepts("train") is None


def test_concepts_follow_the_order_of_the_split() -> None:
    data = FactorImages(n_train=40, n_test=5)
    data.setup()
    concepts, labels = data.concepts("train"), data.split("train").labels
    textures = concepts.present[
        :, [concepts.names.index(f"texture is {name}") for name in TEXTURES]
    ]
    assert torch.equal(textures.float().argmax(dim=1), labels // 2)
