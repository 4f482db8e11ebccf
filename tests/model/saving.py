"""Models that the tests of saving write and read."""

from __future__ import annotations

from functools import partial

import torch
from torch import nn

from interp_by_design.interpreter import InterpreterSpec, build_interpreter, instantiate
from interp_by_design.model import InterpretableModel
from interp_by_design.predictor import LeNet, Predictor, Preprocessing
from tests.small import FACTS

FILES = {"interpreter.safetensors", "config.json", "README.md"}
PACKAGE = "interp_by_design.interpreter"


def spec(dictionary: str = "interp_by_design.attributes.TopKDictionary") -> InterpreterSpec:
    return InterpreterSpec(
        {"_target_": dictionary, "_partial_": True, "n_attributes": 6, "k": 2},
        {
            "_target_": f"{PACKAGE}.LinearInterpreter",
            "_partial_": True,
            "head": {"_target_": f"{PACKAGE}.LinearHead", "_partial_": True},
            "decoder": {"_target_": f"{PACKAGE}.DenseDecoder", "_partial_": True, "width": 16},
        },
    )


def network(seed: int = 0, channels: tuple[int, int] = (4, 8), n_classes: int = 3) -> LeNet:
    torch.manual_seed(seed)
    return LeNet(FACTS.image_shape, n_classes, channels=channels, width=16).eval()


def model(
    network: nn.Module,
    preprocessing: Preprocessing | None = None,
    chosen: InterpreterSpec | None = None,
) -> InterpretableModel:
    chosen = chosen or spec()
    predictor = Predictor(network, ["conv1", "fc1"], FACTS, preprocessing)
    interpreter = build_interpreter(
        chosen, predictor.hidden_shapes, FACTS, partial(instantiate, trust=True)
    )
    made = InterpretableModel(predictor, interpreter, FACTS, chosen).train()
    with torch.no_grad():
        made(torch.rand(16, *FACTS.image_shape))  # sets batch statistics
    made.scores = {"fidelity": 0.96875, "kl": 0.1}
    return made.eval()
