import logging
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torchvision.transforms.v2 import functional as reference

from interp_by_design.predictor import Predictor, Preprocessing, choose_preprocessing
from interp_by_design.predictor.checkpoint import checkpoint_network
from interp_by_design.terms import DataFacts, Normalisation, UnknownName, UserError

IMAGENET = Normalisation((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
FACTS = DataFacts((3, 12, 10), ("a", "b"), Normalisation((0.1, 0.2, 0.3), (0.4, 0.5, 0.6)))


class Known(nn.Sequential):
    """A network that knows of its images what timm's networks do."""

    def __init__(self, **known: object) -> None:
        super().__init__(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2))
        self.pretrained_cfg = {
            "mean": IMAGENET.mean,
            "std": IMAGENET.std,
            "input_size": (3, 8, 8),
            **known,
        }


class Prepared(nn.Module):
    def __init__(self, preprocessing: Preprocessing) -> None:
        super().__init__()
        self.preprocessing = preprocessing

    def forward(self, images: Tensor) -> Tensor:
        return self.preprocessing.apply(images)


@pytest.mark.parametrize("size", [(7, 5), (24, 30), (8, 20)])
def test_resizing_and_normalising_is_torchvisions(size: tuple[int, int]) -> None:
    images = torch.rand(3, 3, 12, 10)
    wanted = reference.normalize(
        reference.resize(images, list(size), antialias=True),
        list(IMAGENET.mean),
        list(IMAGENET.std),
    )
    torch.testing.assert_close(Preprocessing(IMAGENET, size).apply(images), wanted)


def test_colours_are_turned_before_they_are_normalised() -> None:
    images = torch.rand(2, 3, 4, 4)
    turned = torch.stack([images[:, 2], images[:, 1], images[:, 0]], dim=1)
    torch.testing.assert_close(
        Preprocessing(IMAGENET, None, "bgr").apply(images), IMAGENET.apply(turned)
    )


def test_with_nothing_to_do_images_are_not_even_copied() -> None:
    images = torch.rand(2, 3, 4, 5)
    assert Preprocessing(Normalisation(), (4, 5)).rearrange(images) is images
    assert Preprocessing(IMAGENET).rearrange(images) is images


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions_stay(dtype: torch.dtype) -> None:
    images = torch.rand(2, 3, 12, 10)
    resized = Preprocessing(IMAGENET, (6, 5), "bgr").apply(images.to(dtype))
    assert resized.dtype == dtype
    torch.testing.assert_close(
        resized.float(), Preprocessing(IMAGENET, (6, 5), "bgr").apply(images), atol=0.05, rtol=0.05
    )


def test_gradients_reach_the_images_and_the_whole_exports() -> None:
    predictor = Predictor(Known(), ["0"], FACTS, Preprocessing(IMAGENET, (6, 8), "bgr")).eval()
    images = torch.rand(2, 3, 12, 10, requires_grad=True)
    predictor(images).logits.sum().backward()
    assert images.grad is not None
    assert images.grad.abs().min() > 0
    batch = {"images": {0: torch.export.Dim("n", min=1)}}
    exported = torch.export.export(
        Prepared(predictor.preprocessing), (torch.rand(2, 3, 12, 10),), dynamic_shapes=batch
    ).module()
    images = torch.rand(5, 3, 12, 10)
    torch.testing.assert_close(exported(images), predictor.preprocessing.apply(images))


@pytest.mark.parametrize("size", [(0, 5), (5, -1), (5.0, 5), (5,), (1, 2, 3), "ab"])
def test_what_is_no_size_is_refused(size: object) -> None:
    with pytest.raises(
        UserError, match=r"\(height, width\), positive whole numbers, not .*predictor.size"
    ):
        Preprocessing(IMAGENET, size)  # type: ignore[arg-type]
    with pytest.raises(UserError, match="positive whole numbers"):
        choose_preprocessing(Known(), FACTS, {"size": size}, trained=False)


def test_an_unknown_order_of_colours_is_refused() -> None:
    with pytest.raises(UnknownName, match=r"No colour order 'bgra'. Known: rgb, bgr"):
        Preprocessing(IMAGENET, None, "bgra")


def test_grey_images_have_no_order_of_colours() -> None:
    with pytest.raises(UserError, match="1 channels have no colours in the order bgr"):
        Preprocessing(Normalisation(), None, "bgr").input_shape((1, 8, 8))
    with pytest.raises(UserError, match="3 means does not fit images of 1 channels"):
        Preprocessing(IMAGENET).input_shape((1, 8, 8))


def test_what_is_given_holds() -> None:
    own = {
        "normalisation": {"mean": [0.5, 0.5, 0.5], "std": [0.1, 0.1, 0.1]},
        "size": [6, 7],
        "colour_order": "bgr",
    }
    chosen = choose_preprocessing(Known(fixed_input_size=True), FACTS, own, trained=True)
    assert chosen == Preprocessing(Normalisation((0.5,) * 3, (0.1,) * 3), (6, 7), "bgr")
    assert choose_preprocessing(Known(), FACTS, {"size": 9}, trained=False).size == (9, 9)


@pytest.mark.parametrize(
    "given", [{"mean": [0.5]}, "imagenet", {"mean": [0.5], "std": [1.0], "size": 3}]
)
def test_what_is_no_normalisation_is_refused(given: object) -> None:
    with pytest.raises(UserError, match=r"predictor.normalisation is null or"):
        choose_preprocessing(Known(), FACTS, {"normalisation": given}, trained=True)


def test_a_trained_network_is_normalised_as_in_training_and_a_fresh_one_as_the_data(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    assert choose_preprocessing(Known(), FACTS, {}, trained=True) == Preprocessing(IMAGENET)
    assert "Images are normalised as for Known: mean (0.485, 0.456, 0.406)" in caplog.text
    assert choose_preprocessing(Known(), FACTS, {}, trained=False) == Preprocessing(
        FACTS.normalisation
    )
    assert choose_preprocessing(nn.Flatten(), FACTS, {}, trained=True) == Preprocessing(
        FACTS.normalisation
    )


def test_the_datas_own_means_follow_the_order_of_colours() -> None:
    chosen = choose_preprocessing(Known(), FACTS, {"colour_order": "bgr"}, trained=False)
    assert chosen.normalisation == Normalisation((0.3, 0.2, 0.1), (0.6, 0.5, 0.4))


def test_images_are_resized_unasked_where_a_network_takes_one_size_only(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    assert choose_preprocessing(Known(fixed_input_size=True), FACTS, {}, trained=False).size == (
        8,
        8,
    )
    assert "Known takes only images of 8 x 8: those of 12 x 10 are resized" in caplog.text
    same = DataFacts((3, 8, 8), ("a", "b"), Normalisation())
    assert choose_preprocessing(Known(fixed_input_size=True), same, {}, trained=False).size is None


def test_a_predictor_does_what_its_preprocessing_says() -> None:
    chosen = Preprocessing(IMAGENET, (6, 7), "bgr")
    predictor = Predictor(network := Known(), ["0"], FACTS, chosen)
    assert predictor.preprocessing is chosen
    assert predictor.hidden_shapes == [torch.Size((4, 4, 5))]
    images = torch.rand(2, 3, 12, 10)
    torch.testing.assert_close(predictor(images).logits, network(chosen.apply(images)))
    assert not [name for name in predictor.state_dict() if not name.startswith("network.")]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_weights_of_half_precision_are_refused(dtype: torch.dtype) -> None:
    with pytest.raises(
        UserError, match=rf"while its weights are {str(dtype)[6:]}: give network.float\(\)"
    ):
        Predictor(Known().to(dtype), ["0"], FACTS)


def test_weights_of_double_precision_are_accepted() -> None:
    predictor = Predictor(Known().double(), ["0"], FACTS).double()
    assert predictor(torch.rand(2, 3, 12, 10).double()).logits.dtype == torch.float64


def test_a_file_alone_and_its_preprocessing_are_right_on_real_images(interp_data: Path) -> None:
    weights, archive = (
        interp_data / "checkpoints/cifar10_resnet20.th",
        interp_data / "cifar10/cifar10_lossless_subset.npz",
    )
    if not weights.is_file() or not archive.is_file():
        pytest.skip(f"no {weights.name} and {archive.name} in INTERP_DATA")
    with np.load(archive) as arrays:
        images: Tensor = torch.from_numpy(arrays["test_x"]).movedim(3, 1) / 255
        labels = torch.from_numpy(arrays["test_y"])
    facts = DataFacts((3, 32, 32), tuple("abcdefghij"), Normalisation())
    network = checkpoint_network(facts.image_shape, facts.n_classes, weights)
    predictor = Predictor(network, ["layer2", "layer3"], facts, Preprocessing(IMAGENET)).eval()
    with torch.no_grad():
        right = [predictor(part).logits.argmax(dim=1) for part in images.split(250)]
    assert (torch.cat(right) == labels).float().mean() >= 0.91
