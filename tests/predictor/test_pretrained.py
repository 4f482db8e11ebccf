import logging
from pathlib import Path
from urllib.error import URLError

import pytest
import torch
import torchvision
from torch import Tensor, nn

from interp_by_design.predictor import (
    LayerReader,
    Predictor,
    Preprocessing,
    choose_preprocessing,
    load_weights,
    torchvision_network,
)
from interp_by_design.terms import DataFacts, Normalisation, UnknownName, UserError

SHAPE = (3, 64, 64)
IMAGES = {"googlenet": {"init_weights": False}}  # which take long to draw


def facts(n_classes: int = 4) -> DataFacts:
    return DataFacts(SHAPE, tuple("abcdefghij"[:n_classes]), Normalisation())


def given_at_once(network: nn.Module, layers: list[str]) -> dict[str, Tensor]:
    """Filled by the next pass with clones that are taken as soon as a layer has fired."""
    given: dict[str, Tensor] = {}
    for name in layers:
        network.get_submodule(name).register_forward_hook(
            lambda _m, _i, out, name=name: given.update({name: out.clone()})
        )
    return given


@pytest.mark.parametrize(
    ("name", "layers"),
    [
        # An in-place step behind each of these writes over it: only a copy reads it right.
        ("squeezenet1_0", ["features.0", "features.3.expand1x1", "features.5", "features.12"]),
        ("resnet18", ["bn1", "layer1.0.bn2", "layer3", "avgpool"]),
        ("mobilenet_v3_small", ["features.0.1", "features.12", "classifier.1"]),
    ],
)
@pytest.mark.parametrize("training", [False, True])
def test_what_is_read_is_what_the_layer_gave(name: str, layers: list[str], training: bool) -> None:
    torch.manual_seed(0)
    network = torchvision_network(SHAPE, 4, name)
    predictor = Predictor(network, layers, facts()).train(training)
    given = given_at_once(network, layers)
    seen = predictor(torch.rand(4, *SHAPE))
    assert seen.logits.shape == (4, 4)
    for layer, output in zip(layers, seen.hidden, strict=True):
        assert torch.equal(output, given[layer]), layer
    sum(output.sum() for output in seen.hidden).backward()  # type: ignore[union-attr]
    assert next(network.parameters()).grad is not None


def test_auxiliary_outputs_of_training_are_left_alone() -> None:
    network = torchvision_network((3, 96, 96), 4, "googlenet")
    predictor = Predictor(
        network, ["inception3b", "avgpool"], DataFacts((3, 96, 96), tuple("abcd"), Normalisation())
    )
    images = torch.rand(2, 3, 96, 96)
    assert predictor.train()(images).logits.shape == predictor.eval()(images).logits.shape == (2, 4)


def test_an_unknown_network_is_named_with_its_neighbour() -> None:
    with pytest.raises(
        UnknownName, match=r"No network 'squeezenet1' in torchvision.*Did you mean 'squeezenet1_"
    ):
        torchvision_network(SHAPE, 4, "squeezenet1")


def test_grey_images_are_refused() -> None:
    with pytest.raises(UserError, match="3 channels, not 1"):
        torchvision_network((1, 64, 64), 4, "resnet18")


def test_images_that_are_too_small_are_refused_in_words() -> None:
    with pytest.raises(
        UserError, match=r"\(3, 8, 8\) are too small for SqueezeNet, which takes \(3, 32, 32\)"
    ):
        LayerReader(torchvision_network(SHAPE, 4, "squeezenet1_0"), ["features.5"], (3, 8, 8))


@pytest.mark.parametrize("layer", ["classifier.1", "classifier.2", "classifier"])
def test_maps_whose_means_are_the_logits_are_the_class_head_too(layer: str) -> None:
    with pytest.raises(UserError, match=f"'{layer}' is the class head's output"):
        LayerReader(torchvision_network(SHAPE, 4, "squeezenet1_0"), [layer], SHAPE)


def test_a_network_may_have_a_normalisation_of_its_own() -> None:
    network = torchvision_network(SHAPE, 4, "squeezenet1_0").eval()
    own = Normalisation((0.4, 0.5, 0.6), (0.2, 0.3, 0.4))
    predictor = Predictor(network, ["features.5"], facts(), Preprocessing(own))
    images = torch.rand(2, *SHAPE)
    torch.testing.assert_close(predictor(images).logits, network(own.apply(images)))


def test_a_normalisation_for_another_number_of_channels_is_refused() -> None:
    two = Preprocessing(Normalisation((0.5, 0.5), (1.0, 1.0)))
    with pytest.raises(UserError, match="2 means does not fit images of 3 channels"):
        Predictor(torchvision_network(SHAPE, 4, "squeezenet1_0"), ["features.5"], facts(), two)


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses of the weights that were fetched; what comes is random, for 1,000 classes."""
    urls: list[str] = []

    def without_network(url: str, **_options: object) -> dict[str, Tensor]:
        urls.append(url)
        name, _, _ = url.rpartition("/")[2].partition("-")
        return torchvision.models.get_model(
            name, weights=None, num_classes=1000, **IMAGES.get(name, {})
        ).state_dict()

    monkeypatch.setattr(torchvision.models._api, "load_state_dict_from_url", without_network)
    return urls


def test_a_tag_is_fetched_with_a_fresh_head_and_says_how_to_normalise(
    fetched: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    network = torchvision_network(SHAPE, 4, "squeezenet1_1", "DEFAULT")
    assert [url.rpartition("/")[2][:13] for url in fetched] == ["squeezenet1_1"]
    assert (
        "all that SqueezeNet has but the class head: that is for 1000 classes, and a new one for 4 "
        "is drawn" in caplog.text
    )
    chosen = choose_preprocessing(network, facts(), {}, trained=True)
    assert chosen == Preprocessing(Normalisation((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))


def test_auxiliary_heads_are_fresh_too(fetched: list[str]) -> None:
    network = torchvision_network(SHAPE, 4, "googlenet", "IMAGENET1K_V1")
    assert len(fetched) == 1
    assert network.aux1.fc2.out_features == network.fc.out_features == 4
    assert network.transform_input  # as torchvision has it for these weights


def test_a_fresh_head_is_never_drawn_unasked(fetched: list[str]) -> None:
    with pytest.raises(UserError, match="is for 1000 classes, and the data has 4"):
        torchvision_network(SHAPE, 4, "squeezenet1_1", "DEFAULT", fresh_head=False)
    assert fetched == []
    torchvision_network(SHAPE, 1000, "squeezenet1_1", "DEFAULT", fresh_head=False)
    assert len(fetched) == 1


def test_a_network_is_that_of_its_weights_where_they_are_overwritten(fetched: list[str]) -> None:
    network = torchvision_network(SHAPE, 4, "vit_b_16", "IMAGENET1K_SWAG_E2E_V1", load=False)
    assert fetched == []
    assert choose_preprocessing(network, facts(), {}, trained=True).size == (384, 384)
    assert choose_preprocessing(
        torchvision_network(SHAPE, 4, "vit_b_32"), facts(), {}, trained=False
    ).size == (224, 224)


def test_an_unknown_tag_is_named_with_the_known() -> None:
    message = (
        r"No weights 'IMAGENET' in torchvision's resnet18, and no file .* "
        r"Known: IMAGENET1K_V1, DEFAULT"
    )
    with pytest.raises(UnknownName, match=message):
        torchvision_network(SHAPE, 4, "resnet18", "IMAGENET")
    with pytest.raises(UserError, match="No file of weights"):
        torchvision_network(SHAPE, 4, "resnet18", "somewhere/weights.pth")


def test_weights_that_cannot_be_fetched_are_asked_for_as_a_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(url: str, **_options: object) -> None:
        raise URLError("no network")

    monkeypatch.setattr(torchvision.models._api, "load_state_dict_from_url", fail)
    with pytest.raises(
        UserError, match=r"'squeezenet1_1 IMAGENET1K_V1' cannot be fetched .*predictor.weights=FILE"
    ):
        torchvision_network(SHAPE, 4, "squeezenet1_1", "DEFAULT")


def test_the_weights_of_imagenet_load_all_but_the_class_head(interp_data: Path) -> None:
    weights = interp_data / "checkpoints/squeezenet1_0_imagenet.pth"
    if not weights.is_file():
        pytest.skip(f"no {weights.name} in INTERP_DATA")
    network = torchvision_network(SHAPE, 10, "squeezenet1_0")
    head = network.classifier[1].weight.clone()
    load_weights(network, weights)
    saved = torch.load(weights, weights_only=True)
    assert all(
        torch.equal(value, saved[name])
        for name, value in network.state_dict().items()
        if "classifier" not in name
    )
    assert torch.equal(network.classifier[1].weight, head)
    whole = torchvision_network(SHAPE, 1000, "squeezenet1_0")
    load_weights(whole, weights)
    assert all(torch.equal(value, saved[name]) for name, value in whole.state_dict().items())
