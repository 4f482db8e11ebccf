"""Submodules of libraries' networks, against clones that a hook takes at once."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from interp_by_design.predictor import LayerReader
from tests.predictor.networks import SHAPE, Own, timms, torchvisions

CASES = {
    "resnet18": ["bn1", "layer1.0.bn2", "layer3", "avgpool"],
    "densenet121": [
        "features.norm0",
        "features.denseblock1.denselayer2.norm1",
        "features.transition2",
        "features.norm5",
    ],
    "mobilenet_v3_small": [
        "features.0.1",
        "features.4.block.2.avgpool",
        "features.12",
        "classifier.1",
    ],
    "squeezenet1_0": ["features.0", "features.3.expand1x1", "features.12"],
    "convnext_tiny": ["features.0", "features.1.0", "features.3", "avgpool"],
    "timm/resnet18": ["bn1", "layer1.0.bn2", "layer3", "global_pool"],
    "own": ["conv", "again"],
}


def network_of(name: str) -> nn.Module:
    if name == "own":
        return Own()
    return timms(name.removeprefix("timm/")) if name.startswith("timm/") else torchvisions(name)


def given_at_once(network: nn.Module, layers: list[str]) -> dict[str, Tensor]:
    given: dict[str, Tensor] = {}
    for name in layers:
        network.get_submodule(name).register_forward_hook(
            lambda _m, _i, out, name=name: given.update({name: out.clone()})
        )
    return given


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("training", [False, True])
def test_what_is_read_is_what_the_layer_gave(name: str, training: bool) -> None:
    network, layers, images = network_of(name), CASES[name], torch.rand(3, *SHAPE)
    names = list(network.state_dict())
    read = LayerReader(network, layers[::-1], SHAPE)
    given = given_at_once(network.train(training), layers)
    seen = read(images)
    for layer, output, shape in zip(layers[::-1], seen.hidden, read.shapes, strict=True):
        assert torch.equal(output, given[layer]), layer
        assert output.shape[1:] == shape
    assert list(network.state_dict()) == names
    if not training:
        assert torch.equal(seen.logits, network(images))
    sum(output.mean() for output in seen.hidden).backward()
    assert next(network.parameters()).grad is not None


def test_maps_keep_their_memory_format() -> None:
    network = torchvisions("resnet18").eval()  # in channels_last
    images = torch.rand(2, *SHAPE).contiguous(memory_format=torch.channels_last)
    layer = LayerReader(network, ["layer1"], SHAPE)(images).hidden[0]
    assert layer.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize(
    ("layer", "axes"),
    [("features.0.0", "nchw"), ("features.1.0.mlp.0", "nhwc"), ("features.3", "nhwc")],
)
def test_maps_of_swin_come_with_their_channels_first(layer: str, axes: str) -> None:
    network, images = torchvisions("swin_t").eval(), torch.rand(2, *SHAPE)
    given = given_at_once(network, [layer])
    output = LayerReader(network, [layer], SHAPE)(images).hidden[0]
    assert torch.equal(output, given[layer] if axes == "nchw" else given[layer].movedim(3, 1))


def test_maps_inside_a_convnext_block_come_with_their_channels_first() -> None:
    read = LayerReader(
        torchvisions("convnext_tiny"), ["features.1.0.block.0", "features.1.0.block.2"], SHAPE
    )
    assert read.shapes == [torch.Size((96, 16, 16))] * 2
