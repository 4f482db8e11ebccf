import pytest
from torch import nn

from interp_by_design.predictor import LeNet, PublishedLeNet
from interp_by_design.terms import UserError
from interp_by_design.testing import PredictorConformance


class TestLeNet(PredictorConformance):
    image_shapes = ((1, 28, 28), (1, 8, 8), (3, 32, 32), (1, 13, 10))

    def network(self, image_shape: tuple[int, int, int], n_classes: int) -> nn.Module:
        return LeNet(image_shape, n_classes)


class TestPublishedLeNet(PredictorConformance):
    image_shapes = ((1, 28, 28), (1, 8, 8), (3, 32, 32))

    def network(self, image_shape: tuple[int, int, int], n_classes: int) -> nn.Module:
        return PublishedLeNet(image_shape, n_classes)

    def test_has_as_many_parameters_as_the_authors_own(self) -> None:
        assert sum(p.numel() for p in PublishedLeNet((1, 28, 28), 10).parameters()) == 809_034


@pytest.mark.parametrize(
    ("network", "shape"), [(LeNet, (1, 3, 28)), (PublishedLeNet, (1, 28, 1)), (LeNet, (28, 28))]
)
def test_images_that_are_too_small_are_refused(
    network: type[nn.Module], shape: tuple[int, ...]
) -> None:
    with pytest.raises(UserError, match="images of shape"):
        network(shape, 10)
