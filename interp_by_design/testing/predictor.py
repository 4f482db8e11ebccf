"""Conformance suite for networks that serve as predictors."""

from __future__ import annotations

from abc import ABC, abstractmethod
from math import prod

import pytest
import torch
from torch import nn

from interp_by_design.predictor import LayerReader, Predictor
from interp_by_design.terms import DataFacts, Normalisation, UserError


class PredictorConformance(ABC):
    """Tests that every network passes.

    Attributes:
        image_shapes: Shapes of images that the network accepts, [c, h, w].
        n_classes: Number of classes C.
        n_steps: Steps of Adam after which the network fits a batch of twelve images.
        learning_rate: Learning rate of these steps.
    """

    image_shapes: tuple[tuple[int, int, int], ...] = ((1, 28, 28), (3, 32, 32))
    n_classes = 7
    n_steps = 60
    learning_rate = 3e-3

    @abstractmethod
    def network(self, image_shape: tuple[int, int, int], n_classes: int) -> nn.Module:
        """Return a new network.

        Args:
            image_shape: Shape of an image, [c, h, w].
            n_classes: Number of classes C.
        """

    def stages(self, network: nn.Module) -> list[str]:
        """Return the names of the layers that may be read: by default all stages but the last.

        Args:
            network: What `network` returned.
        """
        return [name for name, _ in network.named_children()][:-1]

    def test_logits_have_one_column_per_class_for_every_image_shape(self) -> None:
        for shape in self.image_shapes:
            logits = self.network(shape, self.n_classes).eval()(torch.rand(5, *shape))
            assert logits.shape == (5, self.n_classes)

    def test_reading_every_stage_leaves_the_logits_unchanged(self) -> None:
        shape = self.image_shapes[0]
        network = self.network(shape, self.n_classes).eval()
        images = torch.rand(3, *shape)
        read = LayerReader(network, self.stages(network), shape)
        forward_pass = read(images)
        assert torch.equal(forward_pass.logits, network(images))
        assert [layer.shape[1:] for layer in forward_pass.hidden] == read.shapes

    def test_hidden_layers_are_the_outputs_of_the_stages(self) -> None:
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
        forward_pass = predictor(images)
        assert all(
            torch.equal(layer, given[name])
            for name, layer in zip(stages, forward_pass.hidden, strict=True)
        )

    def test_the_class_head_is_refused(self) -> None:
        shape = self.image_shapes[0]
        network = self.network(shape, self.n_classes)
        head = [name for name, _ in network.named_children()][-1]
        with pytest.raises(UserError, match="class head's output"):
            LayerReader(network, [head], shape)

    def test_the_predictor_normalises_images(self) -> None:
        shape = self.image_shapes[0]
        network = self.network(shape, self.n_classes).eval()
        normalisation = Normalisation((0.3,) * shape[0], (0.5,) * shape[0])
        predictor = Predictor(
            network, self.stages(network), DataFacts(shape, tuple("abcdefg"), normalisation)
        )
        images = torch.rand(2, *shape)
        torch.testing.assert_close(predictor(images).logits, network(normalisation.apply(images)))

    def test_training_fits_a_small_batch(self) -> None:
        torch.manual_seed(0)
        shape = min(self.image_shapes, key=prod)
        network = self.network(shape, 3).train()
        images, labels = torch.rand(12, *shape), torch.arange(12) % 3
        optimizer = torch.optim.Adam(network.parameters(), self.learning_rate)
        for _ in range(self.n_steps):
            optimizer.zero_grad()
            torch.autograd.backward(nn.functional.cross_entropy(network(images), labels))
            optimizer.step()
        assert torch.equal(network.eval()(images).argmax(dim=1), labels)
