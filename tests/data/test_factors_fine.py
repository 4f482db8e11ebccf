"""Objects of four parts: their rule, their pixels, and what is left when a part is taken away."""

import pytest
import torch

from interp_by_design.data.causes import CAUSAL, causes_of
from interp_by_design.data.fine_factor_images import (
    CLASS_NAMES,
    KINDS,
    N_CLASSES,
    PARTS,
    Assembled,
    FineFactorImages,
    assemble,
    render_parts,
)
from interp_by_design.data.records import draw
from interp_by_design.terms import UserError


def all_kinds() -> Assembled:
    kinds = torch.cartesian_prod(*[torch.arange(len(KINDS))] * len(PARTS))
    still = torch.zeros(len(kinds), dtype=torch.int64)
    return Assembled(kinds, still, still, torch.full((len(kinds),), 0.1))


def test_there_are_enough_classes_and_each_looks_different() -> None:
    records = all_kinds()
    assert N_CLASSES == len(records) == len(set(CLASS_NAMES)) >= 50
    assert sorted(records.labels().tolist()) == list(range(N_CLASSES))
    assert len({image.numpy().tobytes() for image in render_parts(records)}) == N_CLASSES


def test_the_name_of_a_class_says_its_parts() -> None:
    records = assemble(20, seed=0)
    for kinds, label in zip(records.kinds.tolist(), records.labels().tolist(), strict=True):
        assert CLASS_NAMES[label] == " ".join(KINDS[kind] for kind in kinds)


@pytest.mark.parametrize("part", range(len(PARTS)))
def test_a_part_that_is_taken_away_changes_its_place_alone(part: int) -> None:
    records = assemble(50, seed=1)
    changed = (render_parts(records) != render_parts(records.without(part)))[:, 0]
    assert changed.flatten(1).any(dim=1).all()
    assert not (changed & ~records.places()[:, part]).any()
    assert (records.kinds[:, part] >= 0).all()  # the records themselves stay


def test_an_image_does_not_depend_on_its_company() -> None:
    records = assemble(30, seed=2)
    assert torch.equal(render_parts(records.take(slice(7, 9))), render_parts(records)[7:9])


def test_an_object_without_a_part_has_no_class() -> None:
    with pytest.raises(UserError, match="no class"):
        assemble(2, seed=0).without(0).labels()
    with pytest.raises(UserError, match="no part 4"):
        assemble(2, seed=0).without(4)


def test_the_data_set_holds_what_its_records_say() -> None:
    data = FineFactorImages(n_train=60, n_test=20, validation=0.2)
    data.setup()
    for split in ("train", "val", "test"):
        records = data.records(split)
        batch = data.split(split).batch(torch.arange(len(records)))
        assert torch.equal(batch.labels, records.labels())
        assert torch.allclose(batch.images, render_parts(records))


def test_causes_hold_all_that_the_label_depends_on() -> None:
    records = draw(300, seed=0)
    causes = causes_of(records)
    causal = [i for i, factor in enumerate(causes.factors) if factor in CAUSAL]
    codes = (causes.values[:, causal] * torch.tensor([0, 2, 4, 1])).sum(dim=1).long()
    assert torch.equal(codes, records.labels())
    assert {"hue", "size", "x", "y", "rotation", "background", "distractor"} <= set(
        causes.factors
    ) - set(CAUSAL)
    other = causes_of(records.changed("hue", 0.3)).values[:, causal]
    assert torch.equal(other, causes.values[:, causal])
