"""Operations that are no submodule: by torchvision's names, on the network itself."""

from __future__ import annotations

import copy

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from interp_by_design.predictor import LayerReader
from interp_by_design.terms import UnknownName, UserError
from tests.predictor.networks import SHAPE, Own, torchvisions


def reference(network: nn.Module, images: Tensor) -> dict[str, Tensor]:
    """The first block of ResNet-18, from its pieces, with nothing in place."""
    stem = F.max_pool2d(F.relu(network.bn1(network.conv1(images))), 3, 2, 1)
    block = network.layer1[0]
    first = F.relu(block.bn1(block.conv1(stem)))
    added = block.bn2(block.conv2(first)) + stem
    return {"relu_0": first, "add": added, "relu_1": F.relu(added)}


@pytest.mark.parametrize("training", [False, True])
def test_operations_of_a_block_are_read_before_they_are_overwritten(training: bool) -> None:
    network, images = torchvisions("resnet18").train(training), torch.rand(3, *SHAPE)
    state = {name: value.clone() for name, value in network.state_dict().items()}
    read = LayerReader(
        network,
        ["layer1.0.add", "layer1.0.relu_1", "layer1", "layer1.0.relu_0", "layer1.0", "bn1"],
        SHAPE,
    )
    assert all(torch.equal(value, state[name]) for name, value in network.state_dict().items())
    assert len(state) == len(network.state_dict())
    wanted = reference(copy.deepcopy(network), images)
    seen = read(images)
    for output, name in zip(
        (seen.hidden[0], seen.hidden[1], seen.hidden[3]), ("add", "relu_1", "relu_0"), strict=True
    ):
        torch.testing.assert_close(output, wanted[name])
    assert torch.equal(seen.hidden[4], seen.hidden[1])  # a block is its last operation
    torch.testing.assert_close(seen.hidden[2], network.layer1[1](seen.hidden[4]))
    if not training:
        assert torch.equal(seen.logits, network(images))


def test_the_graph_follows_the_networks_mode_and_weights() -> None:
    network, images = Own(), torch.rand(3, *SHAPE)
    read = LayerReader(network, ["add"], SHAPE)
    assert not torch.equal(read(images).hidden[0], read(images).hidden[0])  # dropout
    network.eval()
    before = read(images).hidden[0]
    assert torch.equal(before, read(images).hidden[0])
    network.load_state_dict(
        {name: 2 * value for name, value in network.state_dict().items()}, assign=True
    )
    x = F.relu(network.conv(images))
    torch.testing.assert_close(read(images).hidden[0], network.again(x) + x)
    assert not torch.equal(before, read(images).hidden[0])


def test_reading_operations_trains_the_network() -> None:
    network = Own()
    LayerReader(network, ["relu_1"], SHAPE)(torch.rand(2, *SHAPE)).hidden[0].sum().backward()
    assert network.conv.weight.grad is not None


def test_a_module_that_is_used_twice_is_refused_with_the_names_of_its_uses() -> None:
    with pytest.raises(
        UserError, match=r"'relu' fired 2 times.*Choose one use of it: 'relu_0', 'relu_1'\."
    ):
        LayerReader(Own(), ["relu"], SHAPE)
    with pytest.raises(
        UserError, match=r"'layer1.0.relu' fired 2 times.*'layer1.0.relu_0', 'layer1.0.relu_1'"
    ):
        LayerReader(torchvisions("resnet18"), ["layer1.0.relu", "layer1.0.add"], SHAPE)


def test_a_layer_that_never_fires_is_refused_next_to_an_operation() -> None:
    with pytest.raises(UserError, match="'forget' never fired"):
        LayerReader(Own(), ["add", "forget"], SHAPE)


def test_an_unknown_operation_is_named_with_its_neighbour() -> None:
    with pytest.raises(
        UnknownName, match=r"No layer 'layer1.0.ad' in ResNet.*Did you mean 'layer1.0.add'\?"
    ):
        LayerReader(torchvisions("resnet18"), ["layer1.0.ad"], SHAPE)


@pytest.mark.parametrize("name", ["images", "head.weight", "conv.1"])
def test_what_is_no_operation_is_unknown(name: str) -> None:
    with pytest.raises(UnknownName, match=f"No layer '{name}' in Own"):
        LayerReader(Own(), [name], SHAPE)


class Answers(nn.Module):
    """Its operation `add` gives the logits, `mul` are maps of them, and `size` is no tensor."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Conv2d(3, 4, 1)

    def forward(self, images: Tensor) -> Tensor:
        maps = self.head(images) * 1
        return maps.mean((2, 3)) + 0 * maps.size(0)


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        ("add", "'add' is the class head's output"),
        ("mul", "'mul' is the class head's output"),
        ("size", "'size' gives int"),
    ],
)
def test_operations_that_cannot_be_read_are_refused(layer: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        LayerReader(Answers(), [layer], SHAPE)


class Branches(nn.Module):
    """Which way it goes depends on the image."""

    def __init__(self) -> None:
        super().__init__()
        self.inner, self.head = Own(), nn.Linear(4, 4)

    def forward(self, images: Tensor) -> Tensor:
        logits = self.inner(images)
        return self.head(logits + 1 if images.mean() > 0 else logits)


def test_a_network_that_cannot_be_traced_says_so() -> None:
    with pytest.raises(
        UnknownName,
        match=r"No layer 'add' in Branches. Known: inner, head\..*cannot be traced for its op",
    ):
        LayerReader(Branches(), ["add"], SHAPE)
    assert LayerReader(Branches(), ["inner.conv"], SHAPE).shapes == [torch.Size((4, 64, 64))]


class Whole(nn.Module):
    """Goes another way while it is traced than with images, unnoticed."""

    def forward(self, images: Tensor) -> Tensor:
        scaled = images * (3 if type(images) is Tensor else 2)
        return scaled.mean((2, 3)).exp()


def test_a_graph_that_computes_something_else_is_refused() -> None:
    with pytest.raises(
        UserError, match="traced graph of Whole does not compute what the network does"
    ):
        LayerReader(Whole(), ["mul"], SHAPE)


class Constant(nn.Module):
    """Makes a tensor of its own on the way."""

    def forward(self, images: Tensor) -> Tensor:
        scaled = images * torch.tensor([1.0, 2.0, 3.0]).view(3, 1, 1)
        return scaled.mean((2, 3)).exp()


def test_tracing_leaves_the_network_and_the_random_state_alone() -> None:
    network = Constant()
    before, state = set(vars(network)), torch.get_rng_state()
    read = LayerReader(network, ["mul"], SHAPE)
    images = torch.ones(2, *SHAPE)
    assert read(images).hidden[0][0, :, 0, 0].tolist() == [1, 2, 3]
    assert set(vars(network)) == before
    assert torch.equal(torch.get_rng_state(), state)


def test_a_copy_reads_its_own_network() -> None:
    network = Own().eval()
    pair = nn.ModuleDict({"network": network})
    pair.read = LayerReader(network, ["add"], SHAPE)
    twin = copy.deepcopy(pair)
    with torch.no_grad():
        for parameter in twin["network"].parameters():
            parameter.zero_()
    assert twin.read(torch.rand(2, *SHAPE)).hidden[0].abs().sum() == 0
    assert pair.read(torch.rand(2, *SHAPE)).hidden[0].abs().sum() > 0
