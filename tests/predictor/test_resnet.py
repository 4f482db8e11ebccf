from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from interp_by_design.predictor import LayerReader, NarrowResNet, ResNet18, load_weights
from interp_by_design.predictor.resnet import BasicBlock, PaddedShortcut
from interp_by_design.terms import Normalisation, UserError
from interp_by_design.testing import PredictorConformance


def count(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


class TestResNet18(PredictorConformance):
    image_shapes = ((3, 8, 8), (1, 13, 10))

    def network(self, image_shape: tuple[int, int, int], n_classes: int) -> nn.Module:
        return ResNet18(image_shape, n_classes, width=8)


class TestFlintsResNet18(PredictorConformance):
    image_shapes = ((3, 8, 8), (1, 13, 10))
    n_steps = 40
    learning_rate = 3e-4

    def network(self, image_shape: tuple[int, int, int], n_classes: int) -> nn.Module:
        return ResNet18(image_shape, n_classes, width=32, batch_norm=False)

    def test_has_as_many_parameters_as_the_authors_own(self) -> None:
        network = ResNet18((3, 32, 32), 10, batch_norm=False)
        assert count(network) == 11_427_018
        assert not [part for part in network.modules() if isinstance(part, nn.BatchNorm2d)]

    def test_the_layers_that_flint_reads_have_its_shapes(self) -> None:
        network = ResNet18((3, 32, 32), 10, batch_norm=False)
        shapes = LayerReader(network, ["layer3", "layer4.0"], (3, 32, 32)).shapes
        assert shapes == [torch.Size((256, 8, 8)), torch.Size((512, 4, 4))]


class TestResNet20(PredictorConformance):
    image_shapes = ((3, 8, 8), (1, 28, 28), (1, 13, 10))

    def network(self, image_shape: tuple[int, int, int], n_classes: int) -> nn.Module:
        return NarrowResNet(image_shape, n_classes)


@pytest.mark.parametrize(("depth", "millions"), [(20, 0.27), (32, 0.46), (44, 0.66), (56, 0.85)])
def test_has_as_many_parameters_as_in_table_6_of_he_et_al(depth: int, millions: float) -> None:
    assert round(count(NarrowResNet((3, 32, 32), 10, depth)) / 1e6, 2) == millions


@pytest.mark.parametrize("depth", [2, 18, 21])
def test_a_depth_that_no_such_network_has_is_refused(depth: int) -> None:
    with pytest.raises(UserError, match=f"6 n . 2, such as 20, 32, 44 or 56; not {depth}"):
        NarrowResNet((3, 32, 32), 10, depth)


def test_a_padded_shortcut_takes_each_second_pixel_between_maps_of_zeros() -> None:
    x = torch.rand(2, 4, 5, 6)
    padded = PaddedShortcut(stride=2, extra=4)(x)
    assert padded.shape == (2, 8, 3, 3)
    assert torch.equal(padded[:, 2:6], x[:, :, [0, 2, 4]][:, :, :, [0, 2, 4]])
    assert padded[:, [0, 1, 6, 7]].abs().sum() == 0


def test_a_block_is_the_sum_of_two_convolutions_and_its_shortcut() -> None:
    torch.manual_seed(0)
    block, x = BasicBlock(2, 4, stride=2, batch_norm=False, projected=True), torch.randn(3, 2, 8, 8)
    inner = F.conv2d(
        F.conv2d(x, block.conv1.weight, stride=2, padding=1).clamp(min=0),
        block.conv2.weight,
        padding=1,
    )
    shortcut = torch.einsum(
        "oi, n i h w -> n o h w", block.downsample[0].weight[:, :, 0, 0], x[:, :, ::2, ::2]
    )
    torch.testing.assert_close(block(x), (inner + shortcut).clamp(min=0))


def test_a_public_checkpoint_of_resnet_20_loads_and_is_right_on_real_images(
    interp_data: Path,
) -> None:
    weights, archive = (
        interp_data / "checkpoints/cifar10_resnet20.th",
        interp_data / "cifar10/cifar10_lossless_subset.npz",
    )
    if not weights.is_file() or not archive.is_file():
        pytest.skip(f"no {weights.name} and {archive.name} in INTERP_DATA")
    network = NarrowResNet((3, 32, 32), 10).eval()
    load_weights(network, weights)
    with np.load(archive) as arrays:
        images: Tensor = torch.from_numpy(arrays["test_x"][:300]).movedim(3, 1) / 255
        labels = torch.from_numpy(arrays["test_y"][:300])
    normalised = Normalisation((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)).apply(images)
    with torch.no_grad():
        accuracy = (network(normalised).argmax(dim=1) == labels).float().mean()
    assert accuracy > 0.88  # 0.915 on all 1,000
