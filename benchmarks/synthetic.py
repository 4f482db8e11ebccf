"""Random images and random networks for the benchmark of post-hoc fits."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, final

import torch
from torch import nn

from interp_by_design.attributes import TopKDictionary
from interp_by_design.data import DataSplits, ImageData, Split
from interp_by_design.interpreter import ConvDecoder, DenseDecoder, LinearHead, LinearInterpreter
from interp_by_design.model import InterpretableModel
from interp_by_design.predictor import NarrowResNet, Predictor, torchvision_network
from interp_by_design.terms import Indices

N_ATTRIBUTES = 36
N_DISTINCT = 64  # images that are drawn; a split repeats them


class Case(NamedTuple):
    """A network on images of a shape.

    Args:
        name: the case, in tables.
        image_shape: shape (c, h, w) of the images.
        network: makes the network.
        layers: its hidden layers.
        n: number of recorded images.
        shard_bytes: size of a shard, small enough that memory is seen to be bounded.
    """

    name: str
    image_shape: tuple[int, int, int]
    network: Callable[[], nn.Module]
    layers: tuple[str, ...]
    n: int
    shard_bytes: int


def small_network() -> nn.Module:
    """Return ResNet-20."""
    return NarrowResNet((3, 32, 32), 10)


def large_network() -> nn.Module:
    """Return torchvision's ResNet-18."""
    return torchvision_network((3, 224, 224), 10, "resnet18")


CASES = (
    Case("ResNet-20 at 32x32", (3, 32, 32), small_network, ("layer2", "layer3"), 4096, 2**22),
    Case("ResNet-18 at 224x224", (3, 224, 224), large_network, ("layer3", "layer4"), 256, 2**24),
)


@final
class SyntheticSplit(Split):
    """Random images that repeat a few, so that memory does not grow with their number."""

    def __init__(self, shape: tuple[int, int, int], n: int, seed: int) -> None:
        draws = torch.Generator().manual_seed(seed)
        self._few = torch.randint(0, 256, (N_DISTINCT, *shape), dtype=torch.uint8, generator=draws)
        self.labels = torch.arange(n) % 10

    @property
    def image_shape(self) -> tuple[int, int, int]:
        channels, height, width = self._few.shape[1:]
        return channels, height, width

    def pixels(self, indices: Indices) -> torch.Tensor:
        return self._few.index_select(0, indices % N_DISTINCT)

    def take(self, rows: Indices) -> Split:
        raise NotImplementedError

    def fingerprint(self) -> str:
        return f"{self._few.shape} {len(self)} {self._few.sum()}"


@final
class SyntheticData(ImageData):
    """Random images of a case."""

    def __init__(self, case: Case, n: int, batch: int) -> None:
        super().__init__(batch_size=batch)
        self.case, self.n = case, n

    def read(self) -> DataSplits:
        train, val, test = (
            SyntheticSplit(self.case.image_shape, n, seed)
            for seed, n in enumerate((self.n, self.n // 8, self.n // 8))
        )
        return DataSplits(train, test, tuple("0123456789"), val=val)


def synthetic(case: Case, n: int, batch: int) -> tuple[SyntheticData, InterpretableModel]:
    """Return random images, and a random network with an interpreter that suits their size."""
    data = SyntheticData(case, n, batch)
    data.setup()
    torch.manual_seed(0)
    predictor = Predictor(case.network(), case.layers, data.facts)
    predictor.requires_grad_(False).eval()
    dictionary = TopKDictionary(predictor.hidden_shapes, N_ATTRIBUTES, k=8)
    shape = case.image_shape
    decoder = (
        DenseDecoder(N_ATTRIBUTES, shape, width=128)
        if shape[1] < 64
        else ConvDecoder(N_ATTRIBUTES, shape, channels=32)
    )
    interpreter = LinearInterpreter(dictionary, LinearHead(N_ATTRIBUTES, 10), decoder)
    return data, InterpretableModel(predictor, interpreter, data.facts)
