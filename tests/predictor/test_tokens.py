"""Tokens as maps and vectors: vision transformers of timm, of torchvision and of one's own."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torchvision.models import VisionTransformer

from interp_by_design.attributes import TopKDictionary
from interp_by_design.predictor import LayerReader
from interp_by_design.predictor.hooks import HookReader
from interp_by_design.predictor.timm_reader import TimmReader
from interp_by_design.terms import UnknownName, UserError
from tests.predictor.networks import SHAPE, small_vit, timms

LAYERS = ["blocks.2", "blocks.1:prefix", "blocks.1"]


def tokens_of(network: nn.Module, images: Tensor, blocks: int) -> Tensor:
    """Tokens [n, t, d] of timm's transformer after a number of blocks, from its pieces."""
    x = network.norm_pre(network.patch_drop(network._pos_embed(network.patch_embed(images))))
    for block in network.blocks[:blocks]:
        x = block(x)
    return x


def as_map(tokens: Tensor, before: int, height: int, width: int) -> Tensor:
    """A map [n, d, h, w], written cell by cell from tokens that stand row after row."""
    out = torch.empty(len(tokens), tokens.shape[2], height, width)
    for row in range(height):
        for column in range(width):
            out[:, :, row, column] = tokens[:, before + row * width + column]
    return out


@pytest.mark.parametrize(
    ("options", "before", "shape"),
    [
        ({}, 1, (3, 64, 64)),
        ({"reg_tokens": 4}, 5, (3, 64, 64)),  # a class token and four registers
        ({"class_token": False, "global_pool": "avg", "reg_tokens": 4}, 4, (3, 64, 64)),
        ({"dynamic_img_size": True}, 1, (3, 96, 48)),
    ],
)
@pytest.mark.parametrize("means", [TimmReader, HookReader])
def test_blocks_of_a_transformer_are_maps_and_vectors(
    options: dict[str, object], before: int, shape: tuple[int, int, int], means: type
) -> None:
    network, images = small_vit(**options).eval(), torch.rand(2, *shape)
    read = LayerReader(network, LAYERS, shape)
    assert isinstance(read.means, TimmReader)
    seen = read(images) if means is TimmReader else HookReader(network, LAYERS, copy=False)(images)
    second, third = tokens_of(network, images, 2), tokens_of(network, images, 3)
    grid = shape[1] // 16, shape[2] // 16
    torch.testing.assert_close(seen.hidden[0], as_map(third, before, *grid))
    torch.testing.assert_close(seen.hidden[1], second[:, :before].reshape(2, -1))
    torch.testing.assert_close(seen.hidden[2], as_map(second, before, *grid))
    torch.testing.assert_close(seen.logits, network(images))
    assert read.shapes == [output.shape[1:] for output in seen.hidden]


def test_another_image_size_has_another_grid() -> None:
    network = small_vit(dynamic_img_size=True).eval()
    read = LayerReader(network, ["blocks.1", "blocks.1.mlp"], (3, 64, 64))
    assert [tuple(output.shape[2:]) for output in read(torch.rand(1, 3, 32, 80)).hidden] == [
        (2, 5),
        (2, 5),
    ]


def test_layers_inside_a_block_are_read_in_the_same_pass() -> None:
    network, images = small_vit().eval(), torch.rand(2, *SHAPE)
    read = LayerReader(network, ["blocks.0.mlp", "blocks.1", "patch_embed", "norm:prefix"], SHAPE)
    seen = read(images)
    assert isinstance(read.means, TimmReader)
    block, first = network.blocks[0], tokens_of(network, images, 0)
    attended = first + block.attn(block.norm1(first))
    torch.testing.assert_close(seen.hidden[0], as_map(block.mlp(block.norm2(attended)), 1, 4, 4))
    torch.testing.assert_close(seen.hidden[2], as_map(network.patch_embed(images), 0, 4, 4))
    torch.testing.assert_close(seen.hidden[3], network.norm(tokens_of(network, images, 3))[:, 0])


def test_a_transformer_trains_through_what_is_read() -> None:
    network = small_vit()
    LayerReader(network, ["blocks.1"], SHAPE)(torch.rand(2, *SHAPE)).hidden[0].sum().backward()
    assert network.patch_embed.proj.weight.grad is not None
    assert network.head.weight.grad is None


def test_a_network_that_does_more_than_its_features_is_read_by_hooks() -> None:
    network = small_vit().eval()
    network.forward_head = lambda features: network.head(2 * network.fc_norm(features[:, 0]))
    network.forward = lambda images: network.head(
        network.fc_norm(network.forward_features(images)[:, 0])
    )
    read = LayerReader(network, ["blocks.1"], SHAPE)
    assert isinstance(read.means, HookReader)
    assert read.shapes == [torch.Size((192, 4, 4))]


def test_maps_of_a_wrapped_transformer_are_found_too() -> None:
    network = nn.Sequential(nn.Identity(), small_vit(reg_tokens=4))
    assert LayerReader(network, ["1.blocks.1", "1.blocks.1:prefix"], SHAPE).shapes == [
        (192, 4, 4),
        (5 * 192,),
    ]


def test_channels_of_timms_swin_come_first() -> None:
    network = timms("swin_tiny_patch4_window7_224", img_size=64, depths=(1, 1, 1, 1)).eval()
    images = torch.rand(2, *SHAPE)
    first = network.layers[0](network.patch_embed(images))
    seen = LayerReader(network, ["layers.0", "layers.0.blocks.0", "patch_embed.proj"], SHAPE)(
        images
    )
    torch.testing.assert_close(seen.hidden[0], first.movedim(3, 1))
    assert [tuple(output.shape[1:]) for output in seen.hidden] == [(96, 16, 16)] * 3


def test_windows_are_no_images() -> None:
    network = timms("swin_tiny_patch4_window7_224", img_size=64, depths=(1, 1, 1, 1))
    with pytest.raises(UserError, match=r"'layers.0.blocks.0.attn.qkv' gives .*of n=4 images"):
        LayerReader(network, ["layers.0.blocks.0.attn.qkv"], SHAPE)


def test_torchvisions_transformer_declares_its_grid() -> None:
    network = VisionTransformer(64, 16, 2, 2, 32, 64, num_classes=4).eval()
    images, name = torch.rand(2, *SHAPE), "encoder.layers.encoder_layer_0"
    tokens = torch.cat(
        [network.class_token.expand(2, -1, -1), network._process_input(images)], dim=1
    )
    first = network.encoder.layers[0](tokens + network.encoder.pos_embedding)
    seen = LayerReader(network, [name, f"{name}:prefix", "conv_proj"], SHAPE)(images)
    torch.testing.assert_close(seen.hidden[0], as_map(first, 1, 4, 4))
    torch.testing.assert_close(seen.hidden[1], first[:, 0])
    assert seen.hidden[2].shape == (2, 32, 4, 4)


class Patches(nn.Module):
    """Tokens of 16x16 patches, one after the other; declares its grid if asked to."""

    def __init__(self, declared: bool) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, 8, 16, 16)
        if declared:
            self.grid_size = (4, 4)

    def forward(self, images: Tensor) -> Tensor:
        return self.proj(images).flatten(2).transpose(1, 2)


class OwnTransformer(nn.Module):
    def __init__(self, declared: bool) -> None:
        super().__init__()
        self.patch_embed, self.cls_token = Patches(declared), nn.Parameter(torch.rand(1, 1, 8))
        self.mix, self.head = nn.Linear(8, 8), nn.Linear(8, 4)

    def forward(self, images: Tensor) -> Tensor:
        tokens = torch.cat(
            [self.cls_token.expand(len(images), -1, -1), self.patch_embed(images)], dim=1
        )
        return self.head(self.mix(tokens)[:, 0])


def test_tokens_of_ones_own_are_maps_where_the_grid_is_declared() -> None:
    network, images = OwnTransformer(declared=True), torch.rand(2, *SHAPE)
    seen = LayerReader(network, ["mix", "mix:prefix", "patch_embed"], SHAPE)(images)
    tokens = network.mix(
        torch.cat([network.cls_token.expand(2, -1, -1), network.patch_embed(images)], dim=1)
    )
    torch.testing.assert_close(seen.hidden[0], as_map(tokens, 1, 4, 4))
    torch.testing.assert_close(seen.hidden[1], tokens[:, 0])
    assert seen.hidden[2].shape == (2, 8, 4, 4)


def test_tokens_of_an_unknown_grid_are_one_column() -> None:
    network, images = OwnTransformer(declared=False), torch.rand(2, *SHAPE)
    output = LayerReader(network, ["mix"], SHAPE)(images).hidden[0]
    assert output.shape == (2, 8, 17, 1)
    with pytest.raises(
        UserError,
        match=r"'mix' has no class or register tokens that the network declares. Read 'mix' itself",
    ):
        LayerReader(network, ["mix:prefix"], SHAPE)


@pytest.mark.parametrize("layer", ["patch_embed:prefix", "patch_embed.proj:prefix"])
def test_patches_alone_have_no_class_token(layer: str) -> None:
    with pytest.raises(UserError, match="no class or register tokens"):
        LayerReader(small_vit(), [layer], SHAPE)
    with pytest.raises(UserError, match="no class or register tokens"):
        LayerReader(small_vit(class_token=False, global_pool="avg"), ["blocks.0:prefix"], SHAPE)


def test_an_unknown_part_of_a_layer_is_refused() -> None:
    with pytest.raises(
        UnknownName,
        match=r"No part 'prefx' in the layer 'blocks.0'. Known: prefix. Did you mean 'prefix'\?",
    ):
        LayerReader(small_vit(), ["blocks.0:prefx"], SHAPE)


def test_the_class_head_of_a_transformer_is_refused() -> None:
    with pytest.raises(UserError, match="'head' is the class head's output"):
        LayerReader(small_vit(), ["blocks.1", "head"], SHAPE)


def test_a_dictionary_reads_maps_and_vectors_of_a_transformer() -> None:
    read = LayerReader(small_vit(reg_tokens=4), ["blocks.1", "blocks.2:prefix"], SHAPE)
    dictionary = TopKDictionary(read.shapes, 6, k=2)
    assert (dictionary(read(torch.rand(3, *SHAPE)).hidden) > 0).sum(dim=1).tolist() == [2, 2, 2]
