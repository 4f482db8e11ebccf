from collections.abc import Callable
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn

from interp_by_design.predictor import LayerReader, LeNet, evaluating
from interp_by_design.predictor.hooks import HookReader, overwrites
from interp_by_design.terms import UnknownName, UserError

SHAPE = (1, 8, 8)


class Odd(nn.Module):
    """A network with a layer that fires twice, one that never fires, and one that gives a tuple."""

    def __init__(self) -> None:
        super().__init__()
        self.twice, self.never = nn.Linear(64, 64), nn.Linear(64, 64)
        self.pair, self.head = Pair(), nn.Linear(64, 3)

    def forward(self, images: Tensor) -> Tensor:
        x, _ = self.pair(self.twice(self.twice(images.flatten(1))))
        return self.head(x)


class Pair(nn.Module):
    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return x, x


def hooks(network: nn.Module) -> int:
    return sum(len(module._forward_hooks) for module in network.modules())


def test_layers_come_in_the_order_asked_for() -> None:
    network = LeNet(SHAPE, 3)
    assert [len(shape) for shape in LayerReader(network, ["fc1", "conv1"], SHAPE).shapes] == [1, 3]


def test_a_layer_inside_a_stage_can_be_read() -> None:
    assert LayerReader(LeNet(SHAPE, 3), ["conv1.0"], SHAPE).shapes == [torch.Size((20, 8, 8))]


def test_an_unknown_layer_is_named_with_its_neighbour() -> None:
    with pytest.raises(
        UnknownName,
        match=r"No layer 'conv9' in LeNet. Known: conv1, conv2, fc1, head. Did you mean 'conv",
    ):
        LayerReader(LeNet(SHAPE, 3), ["conv9"], SHAPE)


@pytest.mark.parametrize(
    ("layer", "complaint"),
    [
        ("twice", "'twice' fired 2 times"),
        ("never", "'never' never fired"),
        ("pair", "'pair' gives tuple"),
        ("head", "class head"),
    ],
)
def test_layers_that_cannot_be_read_are_refused_by_name(layer: str, complaint: str) -> None:
    with pytest.raises(UserError, match=complaint):
        LayerReader(Odd(), [layer], SHAPE)


class Softmaxed(nn.Sequential):
    """Its stage `answer` is the softmax of the logits; the output is the logits."""

    def __init__(self) -> None:
        super().__init__(nn.Flatten(), nn.Linear(64, 3))
        self.answer = nn.Softmax(dim=1)

    def forward(self, images: Tensor) -> Tensor:
        logits = self[1](self[0](images))
        self.answer(logits)
        return logits


def test_the_softmax_of_the_class_head_is_refused_too() -> None:
    with pytest.raises(UserError, match="class head's output"):
        LayerReader(Softmaxed(), ["answer"], SHAPE)


class Scaled(nn.Sequential):
    """Its class head is followed by a temperature and an offset."""

    def __init__(self) -> None:
        super().__init__(nn.Flatten(), nn.Linear(64, 3))

    def forward(self, images: Tensor) -> Tensor:
        return self[1](self[0](images)) / 0.07 + 2


def test_the_class_head_is_refused_also_behind_a_temperature() -> None:
    with pytest.raises(UserError, match="class head's output"):
        LayerReader(Scaled(), ["1"], SHAPE)


@pytest.mark.parametrize("layers", [[], ["conv1", "conv1"]])
def test_no_layer_or_one_twice_is_refused(layers: list[str]) -> None:
    with pytest.raises(UserError, match="at least one layer and each only once"):
        LayerReader(LeNet(SHAPE, 3), layers, SHAPE)


def test_hooks_are_removed_also_after_an_exception() -> None:
    network = LeNet(SHAPE, 3)
    read = LayerReader(network, ["conv1", "fc1"], SHAPE)
    read(torch.rand(2, *SHAPE))
    with pytest.raises(RuntimeError):
        read(torch.rand(2, 5, 5, 5))
    with pytest.raises(UnknownName):
        LayerReader(network, ["conv1", "nowhere"], SHAPE)
    assert hooks(network) == 0


def test_asking_for_shapes_leaves_modes_buffers_and_random_state_alone() -> None:
    network = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(64), nn.Linear(64, 3))
    network[1].eval()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    state = torch.get_rng_state()
    LayerReader(network, ["1"], SHAPE)
    assert network.training
    assert not network[1].training
    assert torch.equal(state, torch.get_rng_state())
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_evaluating_restores_each_mode_after_an_exception() -> None:
    network = nn.Sequential(nn.Linear(2, 2).eval(), nn.Dropout())

    def fail() -> None:
        with evaluating(network):
            assert not network.training
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert (network.training, network[0].training, network[1].training) == (True, False, True)


class WritesOver(nn.Module):
    """Adds to its layer `inner` in place, without a module that does so."""

    def __init__(self) -> None:
        super().__init__()
        self.inner, self.outer, self.head = nn.Linear(64, 8), nn.Linear(64, 8), nn.Linear(8, 3)

    def forward(self, images: Tensor) -> Tensor:
        x = self.inner(images.flatten(1))
        x += self.outer(images.flatten(1))
        return self.head(x)


def test_an_overwritten_layer_is_read_before_it_is_overwritten() -> None:
    network, images = WritesOver(), torch.rand(2, *SHAPE)
    assert overwrites(network, ["inner"], images)
    assert not overwrites(network, ["outer"], images)
    inner = LayerReader(network, ["inner"], SHAPE)(images).hidden[0]
    torch.testing.assert_close(inner, network.inner(images.flatten(1)))
    inner.sum().backward()
    assert network.outer.weight.grad is None  # what was added later is no part of what was read


def test_an_overwritten_layer_is_never_returned_without_a_copy() -> None:
    with pytest.raises(UserError, match="output of layer 'inner' was written over later"):
        HookReader(WritesOver(), ["inner"], copy=False)(torch.rand(2, *SHAPE))


def test_in_place_steps_of_training_alone_count_too() -> None:
    network = nn.Sequential(
        nn.Flatten(), nn.Linear(64, 8), nn.Dropout(inplace=True), nn.Linear(8, 3)
    )
    assert overwrites(network, ["1"], torch.rand(2, *SHAPE))
    assert not overwrites(LeNet(SHAPE, 3), ["conv1", "fc1"], torch.rand(2, *SHAPE))


def test_layers_can_be_read_in_inference_mode() -> None:
    with torch.inference_mode():
        assert LayerReader(LeNet(SHAPE, 3), ["fc1"], SHAPE)(torch.rand(2, *SHAPE)).hidden[
            0
        ].shape == (2, 128)


class Outputs(nn.Module):
    """Gives its logits in the form that `wrap` puts them in."""

    def __init__(self, wrap: Callable[[Tensor], object]) -> None:
        super().__init__()
        self.layer, self.head, self.wrap = nn.Flatten(), nn.Linear(64, 3), wrap

    def forward(self, images: Tensor) -> object:
        return self.wrap(self.head(self.layer(images)))


@pytest.mark.parametrize(
    "wrap",
    [
        lambda logits: (logits, torch.rand(2, 3)),  # auxiliary ones behind
        lambda logits: {"loss": None, "logits": logits},
        lambda logits: SimpleNamespace(logits=logits),
    ],
)
def test_logits_are_found_in_what_known_libraries_give(wrap: Callable[[Tensor], object]) -> None:
    network, images = Outputs(wrap), torch.rand(2, *SHAPE)
    assert torch.equal(
        LayerReader(network, ["layer"], SHAPE)(images).logits, network.head(images.flatten(1))
    )


@pytest.mark.parametrize(
    ("wrap", "got"),
    [
        (lambda logits: {"out": logits}, "dict"),
        (lambda logits: logits[:, None].expand(-1, 4, -1), r"\(4, 4, 3\)"),
        (lambda _: (), "tuple"),
    ],
)
def test_a_network_that_gives_no_logits_is_refused(
    wrap: Callable[[Tensor], object], got: str
) -> None:
    with pytest.raises(
        UserError, match=rf"network gives {got}; wanted logits \[n, C\].*Wrap it in a module"
    ):
        LayerReader(Outputs(wrap), ["layer"], SHAPE)


def test_noise_is_of_the_networks_precision() -> None:
    assert (
        LayerReader(LeNet(SHAPE, 3).double(), ["fc1"], SHAPE)(torch.rand(2, *SHAPE).double())
        .hidden[0]
        .dtype
        == torch.float64
    )


def test_a_layer_that_gives_no_row_an_image_is_refused() -> None:
    network = nn.Sequential(nn.Flatten(0), nn.Unflatten(0, (-1, 64)), nn.Linear(64, 3))
    with pytest.raises(UserError, match=r"Layer '0' gives \(256,\); wanted maps"):
        LayerReader(network, ["0"], SHAPE)


class Two(nn.Module):
    """Takes more than images."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Flatten()

    def forward(self, images: Tensor, more: Tensor) -> Tensor:
        return images + more


def test_a_network_that_takes_more_than_images_is_refused() -> None:
    with pytest.raises(UserError, match=r"Two does not take images of shape \(1, 8, 8\): .*'more'"):
        LayerReader(Two(), ["layer"], SHAPE)
