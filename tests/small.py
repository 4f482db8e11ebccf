"""A small model, and a config as `train.py` hands it over, for tests that need one whole."""

from __future__ import annotations

from pathlib import Path

import torch
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig

from interp_by_design.attributes import TopKDictionary
from interp_by_design.interpreter import DenseDecoder, LinearHead, LinearInterpreter
from interp_by_design.model import InterpretableModel
from interp_by_design.predictor import LeNet, Predictor
from interp_by_design.terms import DataFacts, Normalisation

CONF = Path(__file__).parents[1] / "conf"
FACTS = DataFacts((1, 8, 8), ("a", "b", "c"), Normalisation())


def small_model(facts: DataFacts = FACTS, seed: int = 0) -> InterpretableModel:
    torch.manual_seed(seed)
    predictor = Predictor(
        LeNet(facts.image_shape, facts.n_classes, channels=(4, 8), width=16),
        ["conv1", "fc1"],
        facts,
    )
    dictionary = TopKDictionary(predictor.hidden_shapes, 6, k=2)
    interpreter = LinearInterpreter(
        dictionary, LinearHead(6, facts.n_classes), DenseDecoder(6, facts.image_shape, width=16)
    )
    return InterpretableModel(predictor, interpreter, facts)


# What draws costs a small run more than its training.
UNDRAWN = [
    f"callbacks.{name}=null"
    for name in ("explanations", "relevance_map", "usage", "drift", "attribute_sheets", "report")
]


def composed(folder: Path, *overrides: str) -> DictConfig:
    """The config of a run in `folder`, as `train.py` composes it, without what draws."""
    return composed_drawing(folder, *UNDRAWN, *overrides)


def composed_drawing(folder: Path, *overrides: str) -> DictConfig:
    """The same with all that is drawn by default."""
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return compose("train", [f"folder={folder}", "name=test", *overrides])
