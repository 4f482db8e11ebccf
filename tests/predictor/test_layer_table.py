from __future__ import annotations

import pytest
import torch
from torch import nn

from interp_by_design.predictor import Layer, LayerReader, usable_layers
from interp_by_design.terms import UserError
from tests.predictor.networks import SHAPE, Own, small_vit, timms, torchvisions


@pytest.mark.parametrize(
    "network",
    [
        Own(),
        torchvisions("resnet18"),
        torchvisions("squeezenet1_0"),
        torchvisions("swin_t"),
        timms("resnet18"),
        small_vit(reg_tokens=4),
        timms("pvt_v2_b0"),
    ],
    ids=lambda network: type(network).__name__,
)
def test_every_layer_of_the_table_can_be_read_and_has_its_shape(network: nn.Module) -> None:
    layers = usable_layers(network, SHAPE)
    assert [
        tuple(shape)
        for shape in LayerReader(network, [layer.name for layer in layers], SHAPE).shapes
    ] == [layer.shape for layer in layers]
    for layer in layers[:: max(1, len(layers) // 5)]:
        assert LayerReader(network, [layer.name], SHAPE).shapes == [layer.shape]
    left_out = [
        name
        for name, _ in network.named_modules()
        if name and name not in {layer.name for layer in layers}
    ]
    for name in left_out[:: max(1, len(left_out) // 5)]:
        with pytest.raises(UserError):
            LayerReader(network, [name], SHAPE)


def test_the_table_of_a_small_network() -> None:
    assert usable_layers(Own(), SHAPE) == (
        Layer("conv", (4, 64, 64), 112, "map"),
        Layer("again", (4, 64, 64), 148, "map"),
    )  # relu fires twice, forget never, and head gives the logits


def test_tokens_differ_from_maps_and_vectors() -> None:
    table = {layer.name: layer for layer in usable_layers(small_vit(reg_tokens=4), SHAPE)}
    parameters = sum(parameter.numel() for parameter in small_vit().blocks[1].parameters())
    assert table["blocks.1"] == Layer("blocks.1", (192, 4, 4), parameters, "tokens")
    assert table["blocks.1:prefix"] == Layer("blocks.1:prefix", (5 * 192,), parameters, "prefix")
    assert (table["patch_embed.proj"].kind, table["fc_norm"].kind) == ("map", "vector")
    assert table["norm"].is_stage
    assert not table["blocks.1"].is_stage


def test_a_layer_that_returns_the_image_is_left_out() -> None:
    network = nn.Sequential(nn.Identity(), nn.Flatten(), nn.Linear(192, 8), nn.Linear(8, 3))
    assert [layer.name for layer in usable_layers(network, (3, 8, 8))] == ["1", "2"]


def test_the_network_stays_unchanged() -> None:
    network = torchvisions("resnet18").train()
    network.layer1.eval()
    state = {name: value.clone() for name, value in network.state_dict().items()}
    modes, random = [part.training for part in network.modules()], torch.get_rng_state()
    usable_layers(network, SHAPE)
    assert all(torch.equal(value, state[name]) for name, value in network.state_dict().items())
    assert [part.training for part in network.modules()] == modes
    assert torch.equal(torch.get_rng_state(), random)
    assert not any(part._forward_hooks for part in network.modules())


def test_images_that_the_network_cannot_take_are_refused() -> None:
    with pytest.raises(UserError, match="too small for SqueezeNet"):
        usable_layers(torchvisions("squeezenet1_0"), (3, 8, 8))
