"""Objects of four parts: their rule, their pixels, and what is left when a part is removed."""

import pytest
import torch

from interp_by_design.data.fine_factor_images import (
    CLASS_NAMES,
    KINDS,
    N_CLASSES,
    PARTS,
    FineFactorImages,
    PartScenes,
    assemble,
    render_parts,
)
from interp_by_design.data.scene_factors import factors_of, split_shape
from interp_by_design.data.scenes import draw
from interp_by_design.terms import UserError


def all_kinds() -> PartScenes:
    kinds = torch.cartesian_prod(*[torch.arange(len(KINDS))] * len(PARTS))
    still = torch.zeros(len(kinds), dtype=torch.int64)
    return PartScenes(kinds, still, still, torch.full((len(kinds),), 0.1))


def test_there_are_enough_classes_and_each_looks_different() -> None:
    scenes = all_kinds()
    assert N_CLASSES == len(scenes) == len(set(CLASS_NAMES)) >= 50
    assert sorted(scenes.labels().tolist()) == list(range(N_CLASSES))
    assert len({image.numpy().tobytes() for image in render_parts(scenes)}) == N_CLASSES


def test_the_name_of_a_class_says_its_parts() -> None:
    scenes = assemble(20, seed=0)
    for kinds, label in zip(scenes.kinds.tolist(), scenes.labels().tolist(), strict=True):
        assert CLASS_NAMES[label] == " ".join(KINDS[kind] for kind in kinds)


@pytest.mark.parametrize("part", range(len(PARTS)))
def test_a_removed_part_changes_its_place_only(part: int) -> None:
    scenes = assemble(50, seed=1)
    changed = (render_parts(scenes) != render_parts(scenes.without(part)))[:, 0]
    assert changed.flatten(1).any(dim=1).all()
    assert not (changed & ~scenes.places()[:, part]).any()
    assert (scenes.kinds[:, part] >= 0).all()  # the scenes themselves stay


def test_an_image_does_not_depend_on_its_company() -> None:
    scenes = assemble(30, seed=2)
    assert torch.equal(render_parts(scenes.take(slice(7, 9))), render_parts(scenes)[7:9])


def test_an_object_without_a_part_has_no_class() -> None:
    with pytest.raises(UserError, match="no class"):
        assemble(2, seed=0).without(0).labels()
    with pytest.raises(UserError, match="no part 4"):
        assemble(2, seed=0).without(4)


def test_the_data_set_holds_what_its_records_say() -> None:
    data = FineFactorImages(n_train=60, n_test=20, validation=0.2)
    data.setup()
    for split in ("train", "val", "test"):
        scenes = data.scenes(split)
        batch = data.split(split).batch(torch.arange(len(scenes)))
        assert torch.equal(batch.labels, scenes.labels())
        assert torch.allclose(batch.images, render_parts(scenes))


def test_causes_hold_all_that_the_label_depends_on() -> None:
    scenes = draw(300, seed=0)
    factors = split_shape(factors_of(scenes))
    causal = [name for name, causes in zip(factors.names, factors.causal, strict=True) if causes]
    assert set(causal) == {"texture", "outline"}
    codes = 2 * factors.column("texture") + factors.column("outline")
    assert torch.equal(codes.long(), scenes.labels())
    assert {"hue", "size", "x", "y", "rotation", "background", "distractor"} <= set(
        factors.names
    ) - set(causal)
    other = split_shape(factors_of(scenes.changed("hue", 0.3))).only(causal).values
    assert torch.equal(other, factors.only(causal).values)


def test_each_part_is_a_causal_factor() -> None:
    data = FineFactorImages(n_train=60, n_test=20, validation=0.2)
    data.setup()
    factors, scenes = data.factors("val"), data.scenes("val")
    causal = [name for name, causes in zip(factors.names, factors.causal, strict=True) if causes]
    assert causal == list(PARTS)
    assert torch.equal(factors.only(PARTS).values.long(), scenes.kinds)
    assert factors.value_of("top left", 0) == KINDS[int(scenes.kinds[0, 0])]
    concepts = data.concepts("train")
    assert concepts is not None
    assert len(concepts.names) == len(PARTS) * len(KINDS)
