"""What every network must pass: inherit `PredictorConformance` and write `network`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from math import prod

import pytest
import torch
from torch import nn

from interp_by_design.predictor import LayerReader, Predictor
from interp_by_design.terms import DataFacts, Normalisation, UserError


class PredictorConformance(ABC):
    image_shapes: tuple[tuple[int, int, int], ...] = ((1, 28, 28), (3, 32, 32))
    n_classes = 7
    steps, rate = 60, 3e-3  # of Adam, in which a batch must be learnt by heart

    @abstractmethod
    def network(self, image_shape: tuple[int, int, int], n_classes: int) -> nn.Module:
        """A fresh network for this image shape."""

    def stages(self, network: nn.Module) -> list[str]:
        """The layers that may be read: all stages but the class head."""
        return [name for name, _ in network.named_children()][:-1]

    def test_gives_a_logit_a_class_for_every_image_shape(self) -> None:
        for shape in self.image_shapes:
            logits = self.network(shape, self.n_classes).eval()(torch.rand(5, *shape))
            assert logits.shape == (5, self.n_classes)

    def test_every_stage_can_be_read_and_none_changes_the_logits(self) -> None:
        shape = self.image_shapes[0]
        network = self.network(shape, self.n_classes).eval()
        images = torch.rand(3, *shape)
        read = LayerReader(network, self.stages(network), shape)
        seen = read(images)
        assert torch.equal(seen.logits, network(images))
        assert [layer.shape[1:] for layer in seen.hidden] == read.shapes

    def test_what_is_read_is_what_the_stage_gave(self) -> None:
        shape = self.image_shapes[0]
        network = self.network(shape, self.n_classes).eval()
        predictor = Predictor(
            network,
            stages := self.stages(network),
            DataFacts(shape, tuple("abcdefg"), Normalisation()),
        )
        images, given = torch.rand(3, *shape), {}
        for name in stages:
            network.get_submodule(name).register_forward_hook(
                lambda _m, _i, out, name=name: given.update({name: out.clone()})
            )
        seen = predictor(images)
        assert all(
            torch.equal(layer, given[name]) for name, layer in zip(stages, seen.hidden, strict=True)
        )

    def test_the_class_head_is_refused(self) -> None:
        shape = self.image_shapes[0]
        network = self.network(shape, self.n_classes)
        head = [name for name, _ in network.named_children()][-1]
        with pytest.raises(UserError, match="class head's output"):
            LayerReader(network, [head], shape)

    def test_the_predictor_normalises(self) -> None:
        shape = self.image_shapes[0]
        network = self.network(shape, self.n_classes).eval()
        normalisation = Normalisation((0.3,) * shape[0], (0.5,) * shape[0])
        predictor = Predictor(
            network, self.stages(network), DataFacts(shape, tuple("abcdefg"), normalisation)
        )
        images = torch.rand(2, *shape)
        torch.testing.assert_close(predictor(images).logits, network(normalisation.apply(images)))

    def test_learns_a_batch_by_heart(self) -> None:
        torch.manual_seed(0)
        shape = min(self.image_shapes, key=prod)
        network = self.network(shape, 3).train()
        images, labels = torch.rand(12, *shape), torch.arange(12) % 3
        optimizer = torch.optim.Adam(network.parameters(), self.rate)
        for _ in range(self.steps):
            optimizer.zero_grad()
            nn.functional.cross_entropy(network(images), labels).backward()
            optimizer.step()
        assert torch.equal(network.eval()(images).argmax(dim=1), labels)
