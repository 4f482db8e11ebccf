"""A hundred passes, half of which fail, leave no hook and no tensor behind."""

from __future__ import annotations

import gc

import pytest
import torch
from torch import Tensor, nn

from interp_by_design.predictor import LayerReader
from tests.predictor.networks import SHAPE, Own, small_vit, torchvisions

pytestmark = pytest.mark.slow


def hooks(network: nn.Module) -> int:
    return sum(
        len(part._forward_hooks) + len(part._forward_pre_hooks) for part in network.modules()
    )


def tensors() -> int:
    gc.collect()
    return sum(issubclass(type(thing), Tensor) for thing in gc.get_objects())


@pytest.mark.parametrize(
    ("make", "layers"),
    [
        (lambda: torchvisions("resnet18"), ["layer1", "layer3.0.bn1"]),
        (Own, ["add", "conv"]),
        (small_vit, ["blocks.0", "blocks.1:prefix", "blocks.1.mlp"]),
    ],
    ids=["hooks", "graph", "timm"],
)
def test_a_hundred_passes_leave_nothing_behind(make: type[nn.Module], layers: list[str]) -> None:
    network = make().train()
    read = LayerReader(network, layers, SHAPE)
    images = torch.rand(1, 3, 32, 32) if hasattr(network, "layer1") else torch.rand(2, *SHAPE)
    late = RuntimeError("late")

    def fail(*_: object) -> None:
        raise late

    def pass_and_fail() -> None:
        read(images).hidden[0].mean().backward()
        handle = next(
            part for name, part in network.named_modules() if name in ("fc", "head")
        ).register_forward_hook(fail)
        try:
            with pytest.raises(RuntimeError, match="late"):
                read(images)
        finally:
            handle.remove()
            late.__traceback__ = late.__context__ = None

    images = torch.rand(2, *SHAPE)
    for _ in range(2):
        pass_and_fail()
    before = tensors()
    for _ in range(50):
        pass_and_fail()
    assert hooks(network) == 0
    assert tensors() == before
