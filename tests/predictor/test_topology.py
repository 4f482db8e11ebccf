"""The layer graph of networks with and without branches."""

from __future__ import annotations

import itertools

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from interp_by_design.predictor import (
    ActivationReader,
    LayerGraph,
    LeNet,
    NarrowResNet,
    ResNet18,
    layer_graph,
)
from interp_by_design.terms import UnknownName, UserError
from tests.predictor.networks import SHAPE, Own, small_vit, timms, torchvisions


class Inception(nn.Module):
    """Two branches side by side, one of them used in a sum as well."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU())
        self.narrow, self.wide = nn.Conv2d(4, 2, 1), nn.Conv2d(4, 2, 3, padding=1)
        self.head = nn.Linear(4, 3)

    def forward(self, images: Tensor) -> Tensor:
        x = self.stem(images)
        narrow = self.narrow(x)
        x = torch.cat([narrow, F.relu(self.wide(x)) + narrow], dim=1)
        return self.head(x.mean((2, 3)))


class Chunks(nn.Module):
    """Splits maps in two, and goes on with a size that is no tensor."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.head = nn.Conv2d(3, 4, 1), nn.Linear(2, 3)

    def forward(self, images: Tensor) -> Tensor:
        x = self.conv(images)
        first, second = x.chunk(2, dim=1)
        return self.head((first * second).mean((2, 3)).view(x.size(0), -1))


class Branches(nn.Module):
    """Which way it goes depends on the image, so that it cannot be traced."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.head = nn.Conv2d(3, 4, 1), nn.Linear(4, 3)

    def forward(self, images: Tensor) -> Tensor:
        x = self.conv(images)
        return self.head((x if x.mean() > 0 else -x).mean((2, 3)))


class Deceives(nn.Module):
    """Computes something else while it is traced."""

    def forward(self, images: Tensor) -> Tensor:
        return (images * (3 if type(images) is Tensor else 2)).mean((2, 3))


def kinds(graph: LayerGraph, kind: str) -> list[str]:
    return [node.name for node in graph if node.kind == kind]


def test_a_network_without_branches_is_a_chain() -> None:
    graph = layer_graph(LeNet((1, 8, 8), 3), (1, 8, 8))
    assert graph.traced
    assert graph.output == "head.1"
    assert [node.name for node in graph if node.kind != "operation"] == [
        *("images", "conv1.0", "conv1.1", "conv1.2", "conv2.0", "conv2.1", "conv2.2"),
        *("fc1.0", "fc1.1", "fc1.2", "head.0", "head.1"),
    ]
    names = [node.name for node in graph]
    assert graph.edges == tuple(itertools.pairwise(names))
    assert graph["conv1.0"].shape == (20, 8, 8)
    assert graph["conv1.0"].operation == "Conv2d"
    assert graph["head.1"].shape == (3,)
    assert graph["conv1"] == graph["conv1.2"]


def test_a_residual_block_meets_in_a_sum() -> None:
    graph = layer_graph(NarrowResNet((3, 16, 16), 4), (3, 16, 16))
    assert len(kinds(graph, "add")) == 9
    assert graph.predecessors("layer1.0.add") == ("layer1.0.bn2", "layer1.0.downsample")
    assert graph.successors("relu") == ("layer1.0.conv1", "layer1.0.downsample")
    assert graph["layer2.0.downsample"].operation == "PaddedShortcut"
    assert graph.successors("layer1") == ("layer2.0.conv1", "layer2.0.downsample")
    assert graph.output == "linear"


def test_a_projected_shortcut_is_part_of_the_graph() -> None:
    graph = layer_graph(ResNet18((3, 16, 16), 4, width=4), (3, 16, 16))
    assert len(kinds(graph, "add")) == 8
    assert graph.predecessors("layer2.0.add") == ("layer2.0.bn2", "layer2.0.downsample.1")
    assert graph["layer2.0.downsample"] == graph["layer2.0.downsample.1"]


def test_branches_side_by_side_are_concatenated() -> None:
    graph = layer_graph(Inception(), SHAPE)
    assert kinds(graph, "concatenate") == ["cat"]
    assert kinds(graph, "add") == ["add"]
    assert graph.predecessors("cat") == ("narrow", "add")
    assert graph.predecessors("add") == ("relu", "narrow")
    assert set(graph.successors("narrow")) == {"cat", "add"}
    assert graph["cat"].shape == (4, 64, 64)


def test_tuples_and_sizes_are_no_layers() -> None:
    graph = layer_graph(Chunks(), SHAPE)
    assert [node.name for node in graph] == [
        *("images", "conv", "getitem", "getitem_1", "mul", "mean", "view", "head"),
    ]
    assert graph.predecessors("getitem_1") == ("conv",)
    assert graph.predecessors("mul") == ("getitem", "getitem_1")
    assert graph.predecessors("view") == ("mean",)


def test_the_uses_of_a_module_are_layers_of_their_own() -> None:
    graph = layer_graph(Own(), SHAPE)
    assert [node.name for node in graph] == [
        *("images", "conv", "relu_0", "again", "dropout", "add", "relu_1", "mean", "head"),
    ]
    assert graph.predecessors("add") == ("dropout", "relu_0")


@pytest.mark.parametrize(
    ("network", "kind", "at_least"),
    [
        (torchvisions("resnet18"), "add", 8),
        (torchvisions("squeezenet1_1"), "concatenate", 8),
        (torchvisions("mobilenet_v2"), "add", 10),
        (timms("resnet18"), "add", 8),
        (small_vit(), "add", 6),
        (Inception(), "concatenate", 1),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, nn.Module) else None,
)
def test_every_layer_of_the_graph_can_be_read(network: nn.Module, kind: str, at_least: int) -> None:
    graph = layer_graph(network, SHAPE)
    assert graph.traced
    assert len(kinds(graph, kind)) >= at_least
    readable = [node for node in graph if node.kind != "input" and len(node.shape or ()) in (1, 3)]
    for node in readable[:: max(1, len(readable) // 6)]:
        (shape,) = ActivationReader(network, [node.name], SHAPE).shapes
        assert sorted(shape) == sorted(node.shape or ()), node.name
    names = [node.name for node in graph]
    assert len(set(names)) == len(names)
    assert all(names.index(one) < names.index(other) for one, other in graph.edges)


@pytest.mark.parametrize("network", [Branches(), nn.Sequential(Branches())])
def test_a_network_that_cannot_be_traced_is_a_list(network: nn.Module) -> None:
    graph = layer_graph(network, SHAPE)
    assert not graph.traced
    assert graph.edges == ()
    names = [node.name for node in graph]
    assert names[0] == "images"
    assert [name.rpartition(".")[2] for name in names[1:3]] == ["conv", "head"]
    assert graph[names[1]].shape == (4, 64, 64)


def test_a_trace_that_computes_something_else_is_not_used() -> None:
    assert not layer_graph(Deceives(), SHAPE).traced


def test_an_unknown_layer_is_named_with_its_neighbour() -> None:
    with pytest.raises(UnknownName, match=r"No layer 'conv9'.*Did you mean 'conv"):
        layer_graph(Own(), SHAPE).predecessors("conv9")


def test_images_that_the_network_cannot_take_are_refused() -> None:
    with pytest.raises(UserError, match="too small for SqueezeNet"):
        layer_graph(torchvisions("squeezenet1_0"), (3, 8, 8))


def test_the_network_stays_unchanged() -> None:
    network = torchvisions("resnet18").train()
    state = {name: value.clone() for name, value in network.state_dict().items()}
    before, random = set(vars(network)), torch.get_rng_state()
    layer_graph(network, SHAPE)
    assert all(torch.equal(value, state[name]) for name, value in network.state_dict().items())
    assert network.training
    assert set(vars(network)) == before
    assert torch.equal(torch.get_rng_state(), random)
    assert not any(part._forward_hooks for part in network.modules())


class SameNames(nn.Module):
    """Submodules that are called like operations, like the input, and like its argument."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)
        self.images = nn.Conv2d(3, 3, 3, padding=1)
        self.x = nn.Conv2d(3, 3, 3, padding=1)
        self.relu = nn.ReLU()
        self.add = nn.Linear(192, 4)

    def forward(self, x: Tensor) -> Tensor:
        mixed = torch.relu(self.conv(x)) + self.images(x)
        logits: Tensor = self.add(self.relu(self.x(mixed)).flatten(1))
        return logits


def test_layers_that_share_a_name_with_an_operation_are_kept_apart() -> None:
    network = SameNames().eval()
    graph = layer_graph(network, (3, 8, 8))
    names = [node.name for node in graph]
    assert graph.traced
    assert len(names) == len(set(names))
    assert {"conv", "images", "x", "relu", "add", "relu_op", "images_input"} <= set(names)
    assert graph["images"].predecessors == ("images_input",)
    (sum_of_branches,) = (node for node in graph if node.kind == "add")
    assert sum_of_branches.predecessors == ("relu_op", "images")
    assert graph["add"].operation == "Linear"
    images = torch.rand(2, 3, 8, 8)
    read = ActivationReader(network, ["relu_op", "relu"], (3, 8, 8))(images)
    torch.testing.assert_close(read.hidden[0], network.conv(images).relu())
