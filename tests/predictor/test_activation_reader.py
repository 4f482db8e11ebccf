"""Inputs and outputs of any layer, the class head included."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from interp_by_design.predictor import (
    ActivationReader,
    LayerReader,
    LeNet,
    Predictor,
    Preprocessing,
    evaluating,
    recording,
)
from interp_by_design.terms import DataFacts, ForwardPass, Normalisation, UserError
from tests.predictor.networks import SHAPE, Own, small_vit, torchvisions

GREY = (1, 8, 8)


def hooks(network: nn.Module) -> int:
    return sum(
        len(part._forward_hooks) + len(part._forward_pre_hooks) for part in network.modules()
    )


class Keywords(nn.Module):
    """Calls its layer by keyword, and adds to the layer's input in place afterwards."""

    def __init__(self) -> None:
        super().__init__()
        self.layer, self.head = nn.Linear(64, 8), nn.Linear(8, 3)

    def forward(self, images: Tensor) -> Tensor:
        x = images.flatten(1) * 1
        y = self.layer(input=x)
        x += 1
        return self.head(y)


def test_inputs_and_outputs_of_each_call_are_recorded() -> None:
    network, images = LeNet(GREY, 3).eval(), torch.rand(2, *GREY)
    with recording(network, ["fc1.1", "head"], copy=False, inputs=True) as seen:
        logits = network(images)
    (dense,), (head,) = seen["fc1.1"], seen["head"]
    assert torch.equal(network.fc1[1](dense.inputs[0]), dense.output)
    assert torch.equal(head.output, logits)
    assert torch.equal(head.inputs[0], network.fc1[2](dense.output))
    assert hooks(network) == 0


def test_inputs_are_not_recorded_unasked() -> None:
    network = LeNet(GREY, 3)
    with recording(network, ["head"], copy=True) as seen:
        network(torch.rand(2, *GREY))
    assert seen["head"][0].inputs == ()


def test_inputs_are_copied_before_the_layer_writes_over_them() -> None:
    network = nn.Sequential(nn.Conv2d(1, 2, 1), nn.ReLU(inplace=True))
    images = torch.linspace(-9, 9, 128).view(2, *GREY)
    with recording(network, ["1"], copy=True, inputs=True) as seen, torch.no_grad():
        network(images)
    assert torch.equal(seen["1"][0].inputs[0], network[0](images))
    assert seen["1"][0].inputs[0].min() < 0


def test_inputs_by_keyword_are_inputs() -> None:
    network, images = Keywords(), torch.rand(2, *GREY)
    with recording(network, ["layer"], copy=True, inputs=True) as seen:
        network(images)
    assert torch.equal(seen["layer"][0].inputs[0], images.flatten(1))


def test_a_layer_that_fires_twice_is_recorded_twice() -> None:
    network = Own()
    with recording(network, ["relu", "forget"], copy=True, inputs=True) as seen:
        network(torch.rand(2, *SHAPE))
    assert [len(seen[path]) for path in ("relu", "forget")] == [2, 0]
    assert all(torch.equal(call.inputs[0].relu(), call.output) for call in seen["relu"])


def test_hooks_are_removed_after_an_exception() -> None:
    network = LeNet(GREY, 3)

    def fail() -> None:
        with recording(network, ["conv1", "head"], copy=True, inputs=True):
            network(torch.rand(2, 5, 5, 5))

    with pytest.raises(RuntimeError):
        fail()
    assert hooks(network) == 0
    with pytest.raises(AttributeError), recording(network, ["conv1", "nowhere"], copy=True):
        pass
    assert hooks(network) == 0


def test_the_class_head_can_be_read_for_analysis() -> None:
    network, images = LeNet(GREY, 3).eval(), torch.rand(2, *GREY)
    with pytest.raises(UserError, match="class head's output"):
        LayerReader(network, ["head"], GREY)
    read = ActivationReader(network, ["head", "fc1"], GREY)
    seen = read(images)
    assert isinstance(seen, ForwardPass)
    assert read.shapes == [(3,), (128,)]
    assert torch.equal(seen.hidden[0], seen.logits)


def test_inputs_of_any_submodule_can_be_read() -> None:
    network, images = LeNet(GREY, 3).eval(), torch.rand(2, *GREY)
    read = ActivationReader(network, ["conv1.0", "head", "head.1"], GREY, inputs=True)
    seen, outputs = read(images), ActivationReader(network, ["fc1"], GREY)(images)
    assert torch.equal(seen.hidden[0], images)
    assert torch.equal(seen.hidden[1], outputs.hidden[0])
    assert torch.equal(network.head[1](seen.hidden[2]), seen.logits)
    assert torch.equal(seen.logits, network(images))


def test_tokens_that_a_layer_takes_become_maps() -> None:
    read = ActivationReader(small_vit(), ["blocks.1", "blocks.1.mlp"], SHAPE, inputs=True)
    assert read.shapes == [(192, 4, 4), (192, 4, 4)]


@pytest.mark.parametrize(
    ("layer", "complaint"),
    [("relu", "'relu' fired 2 times"), ("forget", "'forget' never fired"), ("add", "no submodule")],
)
def test_inputs_that_cannot_be_read_are_refused(layer: str, complaint: str) -> None:
    with pytest.raises(UserError, match=complaint):
        ActivationReader(Own(), [layer], SHAPE, inputs=True)


@pytest.mark.parametrize("layers", [[], ["conv", "conv"]])
def test_no_layer_or_one_twice_is_refused(layers: list[str]) -> None:
    with pytest.raises(UserError, match="at least one layer and each only once"):
        ActivationReader(Own(), layers, SHAPE)


def test_a_predictor_prepares_the_images_of_its_readers() -> None:
    network, own = torchvisions("squeezenet1_0").eval(), Normalisation((0.4,) * 3, (0.2,) * 3)
    facts = DataFacts((3, 48, 48), tuple("abcd"), Normalisation())
    predictor = Predictor(network, ["features.5"], facts, Preprocessing(own, SHAPE[1:])).eval()
    images = torch.rand(2, 3, 48, 48)
    prepared = predictor.preprocessing.apply(images)
    seen = predictor.activation_reader(["features.0"], inputs=True)(images)
    torch.testing.assert_close(seen.hidden[0], prepared)
    with evaluating(predictor):
        assert torch.equal(seen.logits, predictor(images).logits)
    classifier = predictor.activation_reader(["classifier"])(images)
    assert torch.equal(classifier.hidden[0].mean((2, 3)), seen.logits)
