import pytest
import torch
from torch import Tensor, nn

from interp_by_design.predictor import LeNet, evaluating, layer_shapes, overwrites, read
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
    assert [len(shape) for shape in layer_shapes(network, ["fc1", "conv1"], SHAPE)] == [1, 3]


def test_a_layer_inside_a_stage_can_be_read() -> None:
    assert layer_shapes(LeNet(SHAPE, 3), ["conv1.0"], SHAPE) == [torch.Size((20, 8, 8))]


def test_an_unknown_layer_is_named_with_its_neighbour() -> None:
    with pytest.raises(UnknownName, match=r"No layer 'conv9' in LeNet. Known: conv1, conv2, fc1, head. Did you mean 'conv"):
        layer_shapes(LeNet(SHAPE, 3), ["conv9"], SHAPE)


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
        layer_shapes(Odd(), [layer], SHAPE)


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
        layer_shapes(Softmaxed(), ["answer"], SHAPE)


@pytest.mark.parametrize("layers", [[], ["conv1", "conv1"]])
def test_no_layer_or_one_twice_is_refused(layers: list[str]) -> None:
    with pytest.raises(UserError, match="at least one layer and each only once"):
        layer_shapes(LeNet(SHAPE, 3), layers, SHAPE)


def test_hooks_are_let_go_of_also_after_an_exception() -> None:
    network = LeNet(SHAPE, 3)
    read(network, ["conv1", "fc1"], torch.rand(2, *SHAPE))
    with pytest.raises(RuntimeError):
        read(network, ["conv1", "fc1"], torch.rand(2, 5, 5, 5))
    with pytest.raises(UnknownName):
        read(network, ["conv1", "nowhere"], torch.rand(2, *SHAPE))
    assert hooks(network) == 0


def test_asking_for_shapes_leaves_modes_buffers_and_random_state_alone() -> None:
    network = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(64), nn.Linear(64, 3))
    network[1].eval()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    state = torch.get_rng_state()
    layer_shapes(network, ["1"], SHAPE)
    assert network.training
    assert not network[1].training
    assert torch.equal(state, torch.get_rng_state())
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_evaluating_puts_each_mode_back_after_an_exception() -> None:
    network = nn.Sequential(nn.Linear(2, 2).eval(), nn.Dropout())

    def fail() -> None:
        with evaluating(network):
            assert not network.training
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert (network.training, network[0].training, network[1].training) == (True, False, True)


class WritesOver(nn.Module):
    """Its layer `inner` is added to in place, with no module to tell so."""

    def __init__(self) -> None:
        super().__init__()
        self.inner, self.outer, self.head = nn.Linear(64, 8), nn.Linear(64, 8), nn.Linear(8, 3)

    def forward(self, images: Tensor) -> Tensor:
        x = self.inner(images.flatten(1))
        x += self.outer(images.flatten(1))
        return self.head(x)


def test_what_is_written_over_is_read_as_it_was() -> None:
    network, images = WritesOver(), torch.rand(2, *SHAPE)
    assert overwrites(network, ["inner"], SHAPE)
    assert not overwrites(network, ["outer"], SHAPE)
    inner = read(network, ["inner"], images).hidden[0]
    torch.testing.assert_close(inner, network.inner(images.flatten(1)))
    inner.sum().backward()
    assert network.outer.weight.grad is None  # what was added later is no part of what was read


def test_what_is_written_over_is_never_handed_out_without_a_copy() -> None:
    with pytest.raises(UserError, match="'inner' gave was written over later"):
        read(WritesOver(), ["inner"], torch.rand(2, *SHAPE), copy=False)


def test_in_place_steps_of_training_alone_count_too() -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(64, 8), nn.Dropout(inplace=True), nn.Linear(8, 3))
    assert overwrites(network, ["1"], SHAPE)
    assert not overwrites(LeNet(SHAPE, 3), ["conv1", "fc1"], SHAPE)


def test_layers_can_be_read_in_inference_mode() -> None:
    with torch.inference_mode():
        assert read(LeNet(SHAPE, 3), ["fc1"], torch.rand(2, *SHAPE), copy=False).hidden[0].shape == (2, 128)


class Outputs(nn.Module):
    def __init__(self, output: object) -> None:
        super().__init__()
        self.layer, self.output = nn.Flatten(), output

    def forward(self, images: Tensor) -> object:
        self.layer(images)
        return self.output


def test_auxiliary_outputs_stand_behind_the_logits() -> None:
    logits = torch.rand(2, 3)
    assert read(Outputs((logits, torch.rand(2, 3))), ["layer"], torch.rand(2, *SHAPE)).logits is logits


@pytest.mark.parametrize(("output", "got"), [({"logits": 1}, "dict"), (torch.rand(2, 3, 4), r"\(2, 3, 4\)"), ((), "tuple")])
def test_a_network_that_gives_no_logits_is_refused(output: object, got: str) -> None:
    with pytest.raises(UserError, match=rf"network gives {got}; wanted logits \[n, C\]"):
        read(Outputs(output), ["layer"], torch.rand(2, *SHAPE))
