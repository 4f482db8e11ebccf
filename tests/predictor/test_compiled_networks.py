"""Hidden layers of compiled networks are those of the network that was compiled."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from interp_by_design.predictor import LayerReader, Predictor, usable_layers
from interp_by_design.terms import DataFacts, Normalisation
from tests.predictor.networks import SHAPE, Own, small_vit

pytestmark = pytest.mark.slow

FACTS = DataFacts(SHAPE, tuple("abcd"), Normalisation())
CASES = [
    (Own, ["conv", "again"]),
    (Own, ["add", "again"]),
    (small_vit, ["blocks.1", "blocks.1:prefix"]),
]


@pytest.mark.parametrize("backend", ["eager", "aot_eager"])
@pytest.mark.parametrize(("make", "layers"), CASES)
def test_a_compiled_network_is_read_as_before(
    make: type[nn.Module], layers: list[str], backend: str
) -> None:
    network, images = make().eval(), torch.rand(2, *SHAPE)
    before = LayerReader(network, layers, SHAPE)
    wanted = before(images)
    predictor = Predictor(torch.compile(network, backend=backend), layers, FACTS).eval()
    assert list(predictor.network.state_dict()) == list(network.state_dict())
    for seen in (predictor(images), before(images)):
        assert torch.equal(seen.logits, wanted.logits)
        assert all(
            torch.equal(one, other) for one, other in zip(seen.hidden, wanted.hidden, strict=True)
        )


@pytest.mark.parametrize("early", [False, True])
def test_a_network_that_was_compiled_in_place_is_read_each_time(early: bool) -> None:
    network, images = Own().eval(), torch.rand(2, *SHAPE)
    wanted = network.conv(images).detach()
    if early:
        network.compile(backend="eager")
        network(images)
    read = LayerReader(network, ["conv"], SHAPE)
    if not early:
        network.compile(backend="eager")
        network(images)
    for _ in range(3):
        assert torch.equal(read(images).hidden[0], wanted)


def test_a_part_may_be_compiled() -> None:
    network, images = nn.Sequential(Own(), nn.ReLU(), nn.Linear(4, 4)).eval(), torch.rand(2, *SHAPE)
    wanted = LayerReader(network, ["0.again"], SHAPE)(images).hidden[0]
    network[0] = torch.compile(network[0], backend="eager")
    network(images)
    read = LayerReader(network, ["0.again"], SHAPE)
    assert all(torch.equal(read(images).hidden[0], wanted) for _ in range(2))


def test_the_layers_of_a_compiled_network_have_their_names() -> None:
    network = Own()
    assert usable_layers(torch.compile(network, backend="eager"), SHAPE) == usable_layers(
        network, SHAPE
    )


@pytest.mark.parametrize(("make", "layers"), CASES)
def test_what_is_read_exports_for_any_number_of_images(
    make: type[nn.Module], layers: list[str]
) -> None:
    predictor, images = Predictor(make(), layers, FACTS).eval(), torch.rand(5, *SHAPE)
    batch = {"images": {0: torch.export.Dim("n", min=1)}}
    exported = torch.export.export(
        predictor, (torch.rand(2, *SHAPE),), dynamic_shapes=batch
    ).module()
    for one, other in zip(exported(images).hidden, predictor(images).hidden, strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.filterwarnings(
    "ignore:The .grad attribute of a Tensor"
)  # torch's own, which it hides outside of tests
@pytest.mark.parametrize(("make", "layers"), CASES)
def test_a_predictor_that_is_compiled_whole_gives_the_same(
    make: type[nn.Module], layers: list[str]
) -> None:
    network = make().eval()
    eager, predictor = (
        Predictor(network, layers, FACTS).eval(),
        Predictor(network, layers, FACTS).eval(),
    )
    predictor.compile(backend="aot_eager")
    for n in (2, 2, 3):
        images = torch.rand(n, *SHAPE)
        seen, wanted = predictor(images), eager(images)
        for one, other in zip(
            (seen.logits, *seen.hidden), (wanted.logits, *wanted.hidden), strict=True
        ):
            torch.testing.assert_close(one, other)
