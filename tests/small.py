"""A small model, for tests that need one whole."""

from __future__ import annotations

import torch

from interp_by_design.attributes import TopKDictionary
from interp_by_design.interpreter import DenseDecoder, LinearHead, LinearInterpreter
from interp_by_design.model import InterpretableModel
from interp_by_design.predictor import LeNet, Predictor
from interp_by_design.terms import DataFacts, Normalisation

FACTS = DataFacts((1, 8, 8), ("a", "b", "c"), Normalisation())


def small_model(facts: DataFacts = FACTS, seed: int = 0) -> InterpretableModel:
    torch.manual_seed(seed)
    predictor = Predictor(LeNet(facts.image_shape, facts.n_classes, channels=(4, 8), width=16), ["conv1", "fc1"], facts)
    dictionary = TopKDictionary(predictor.hidden_shapes, 6, k=2)
    interpreter = LinearInterpreter(dictionary, LinearHead(6, facts.n_classes), DenseDecoder(6, facts.image_shape, width=16))
    return InterpretableModel(predictor, interpreter, facts)
