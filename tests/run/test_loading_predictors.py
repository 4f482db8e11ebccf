"""Runs whose network came from weights: what they load where those are gone."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from interp_by_design.learning.post_hoc import HASH
from interp_by_design.model import InterpretableModel
from interp_by_design.predictor import NarrowResNet, weights_hash
from interp_by_design.run.build import build_model
from interp_by_design.run.folder import RunFolder
from interp_by_design.run.loading import load
from interp_by_design.terms import DataFacts, Normalisation, UserError
from tests.small import composed

FACTS = DataFacts((3, 16, 16), ("a", "b", "c"), Normalisation())


def trained(
    folder: Path, *options: str, weights_apart: bool = False, facts: DataFacts = FACTS
) -> InterpretableModel:
    """A run that never trained, with its checkpoint."""
    config = composed(
        folder,
        "attributes.n_attributes=6",
        "attributes.k=2",
        "interpreter.decoder.width=8",
        *options,
    )
    model = build_model(config, facts, load=weights_apart)
    RunFolder(folder).write_config(config)
    RunFolder(folder).write_provenance(facts, "hash")
    (folder / "checkpoints").mkdir(parents=True)
    state = {f"model.{key}": value for key, value in model.state_dict().items()}
    kept = {
        key: value
        for key, value in state.items()
        if not (weights_apart and key.startswith("model.predictor."))
    }
    more = {HASH: weights_hash(model.predictor.network)} if weights_apart else {}
    torch.save({"epoch": 0, "state_dict": kept, **more}, folder / "checkpoints/last.ckpt")
    return model.eval()


def same(one: InterpretableModel, other: InterpretableModel, facts: DataFacts = FACTS) -> bool:
    images = torch.rand(2, *facts.image_shape)
    return all(torch.equal(a, b) for a, b in zip(one(images), other(images), strict=True))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    torch.save(NarrowResNet(FACTS.image_shape, 3).state_dict(), path := tmp_path / "weights.pth")
    return path


def test_a_network_that_learned_is_recognised_by_the_checkpoint_of_its_run(
    tmp_path: Path, file: Path
) -> None:
    model = trained(tmp_path / "run", "predictor=checkpoint", f"predictor.path={file}")
    file.unlink()
    assert same(load(tmp_path / "run"), model)


def test_a_tags_preprocessing_is_kept_and_nothing_is_fetched(tmp_path: Path) -> None:
    facts = DataFacts((3, 64, 64), ("a", "b", "c"), Normalisation())
    model = trained(
        tmp_path / "run", "predictor=pretrained", "predictor.weights=DEFAULT", facts=facts
    )
    loaded = load(tmp_path / "run")
    assert loaded.predictor.preprocessing == model.predictor.preprocessing
    assert loaded.predictor.preprocessing.normalisation.mean == (0.485, 0.456, 0.406)
    assert same(loaded, model, facts)


@pytest.mark.parametrize(
    "group", ["predictor=checkpoint predictor.path=", "predictor=resnet20 predictor.weights="]
)
def test_weights_that_a_post_hoc_run_keeps_apart_may_move(
    tmp_path: Path, file: Path, group: str
) -> None:
    model = trained(
        tmp_path / "run", *f"{group}{file}".split(), "learning=post_hoc", weights_apart=True
    )
    assert same(load(tmp_path / "run"), model)
    moved = file.rename(tmp_path / "moved.pth")
    with pytest.raises(UserError, match="which is not there"):
        load(tmp_path / "run")
    assert same(load(tmp_path / "run", predictor=moved), model)
    assert same(load(tmp_path / "run", predictor=model.predictor.network), model)
    torch.save(NarrowResNet(FACTS.image_shape, 3).state_dict(), moved)
    with pytest.raises(UserError, match="was fitted to other weights"):
        load(tmp_path / "run", predictor=moved)
