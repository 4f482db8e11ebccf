import logging
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torchvision
from torch import Tensor, nn

from interp_by_design.predictor import NarrowResNet, checkpoint_network, named_network
from interp_by_design.predictor.architectures import match_architecture
from interp_by_design.terms import UnknownName, UserError

SHAPE = (3, 32, 32)


def torchvision_state(name: str, n_classes: int) -> dict[str, Tensor]:
    with torch.device("meta"):
        state: dict[str, Tensor] = torchvision.models.get_model(
            name, weights=None, num_classes=n_classes
        ).state_dict()
    return state


@pytest.mark.parametrize("depth", [20, 32, 44, 56])
def test_narrow_resnets_are_recognised_for_any_number_of_classes_and_channels(depth: int) -> None:
    assert (
        match_architecture(NarrowResNet((1, 28, 28), 7, depth).state_dict(), (1, 28, 28), "file")
        == f"resnet{depth}"
    )


@pytest.mark.parametrize(
    ("name", "n_classes"),
    [("squeezenet1_1", 10), ("resnet34", 1000), ("densenet121", 3), ("vit_b_32", 7)],
)
@pytest.mark.parametrize("wrap", [lambda key: key, lambda key: f"module.net.{key}"])
def test_torchvisions_classifiers_are_recognised(
    name: str, n_classes: int, wrap: Callable[[str], str]
) -> None:
    state = {wrap(key): value for key, value in torchvision_state(name, n_classes).items()}
    assert match_architecture(state, SHAPE, "file") == f"torchvision/{name}"


def test_weights_next_to_the_network_do_no_harm() -> None:
    state = {f"model.{key}": value for key, value in torchvision_state("resnet18", 5).items()}
    state |= {"criterion.weight": torch.rand(5), "ema.weight": torch.rand(700, 3)}
    assert match_architecture(state, SHAPE, "file") == "torchvision/resnet18"


def test_neither_the_order_of_names_nor_old_counts_matter() -> None:
    state = {
        key: value
        for key, value in sorted(torchvision_state("resnet18", 5).items())
        if "tracked" not in key
    }
    assert match_architecture(state, SHAPE, "file") == "torchvision/resnet18"


def test_recognising_leaves_the_random_state_alone() -> None:
    state = torch.get_rng_state()
    assert match_architecture(NarrowResNet(SHAPE, 7).state_dict(), SHAPE, "file") == "resnet20"
    torch.manual_seed(0)
    state = torch.get_rng_state()
    match_architecture(torchvision_state("squeezenet1_1", 10), SHAPE, "file")
    assert torch.equal(state, torch.get_rng_state())


def test_unknown_weights_are_refused_with_the_nearest_networks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("interp_by_design.predictor.architectures.N_CANDIDATES", 6)
    state = torchvision_state("resnet18", 5)
    state["fc.0.weight"] = state.pop("fc.weight")
    message = (
        r"'file' holds the weights of no known network\. Name the network: predictor.name=.* "
        r"predictor.network .*/resnet18 \(121 of 122 names"
    )
    with pytest.raises(UserError, match=message):
        match_architecture(state, SHAPE, "file")


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_a_network_comes_back_from_its_file_alone(tmp_path: Path, suffix: str) -> None:
    from safetensors.torch import save_file

    source = NarrowResNet(SHAPE, 4, depth=32)
    path = tmp_path / f"weights{suffix}"
    state = {name: value.contiguous() for name, value in source.state_dict().items()}
    save_file(state, path) if suffix == ".safetensors" else torch.save({"state_dict": state}, path)
    images = torch.rand(2, *SHAPE)
    assert torch.equal(checkpoint_network(SHAPE, 4, path).eval()(images), source.eval()(images))


def test_the_checkpoint_of_a_run_is_a_file_too(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    source = NarrowResNet(SHAPE, 4)
    state = {f"model.predictor.network.{key}": value for key, value in source.state_dict().items()}
    state["model.interpreter.head.weight"] = torch.rand(3)
    torch.save({"state_dict": state, "epoch": 1, "loops": {}}, path := tmp_path / "last.ckpt")
    images = torch.rand(2, *SHAPE)
    assert torch.equal(checkpoint_network(SHAPE, 4, path).eval()(images), source.eval()(images))
    assert "'last.ckpt' holds the weights of resnet20" in caplog.text
    assert "as not under 'model.predictor.network.': model.interpreter.head.weight" in caplog.text


def test_another_number_of_classes_is_refused(tmp_path: Path) -> None:
    torch.save(NarrowResNet(SHAPE, 10).state_dict(), path := tmp_path / "weights.pth")
    with pytest.raises(UserError, match=r"is for 10 classes, and the data has 4\..*data.classes="):
        checkpoint_network(SHAPE, 4, path)


def test_weights_that_are_overwritten_anyway_are_not_read(tmp_path: Path) -> None:
    network = checkpoint_network(SHAPE, 4, tmp_path / "moved.pth", "resnet20", load=False)
    assert isinstance(network, NarrowResNet)
    assert isinstance(checkpoint_network(SHAPE, 4, None, "resnet20"), NarrowResNet)
    with pytest.raises(UserError, match=r"Without predictor.path"):
        checkpoint_network(SHAPE, 4, None)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("resnet44", "Narrow"), ("torchvision/alexnet", "Alex"), ("timm/test_vit", "Vi")],
)
def test_a_name_says_whose_network_it_is(name: str, kind: str) -> None:
    pytest.importorskip("timm")
    network: nn.Module = named_network(name, (3, 64, 64), 4)
    assert type(network).__name__.startswith(kind)


@pytest.mark.parametrize("name", ["resnet18", "lenet", "", "keras/vgg16"])
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(
        UnknownName, match=r"No network .* Known: resnet20, .*torchvision/<name>, timm/<name>"
    ):
        named_network(name, SHAPE, 4)


def test_the_published_squeezenet_is_recognised_though_its_head_is_a_convolution(
    interp_data: Path,
) -> None:
    path = interp_data / "checkpoints/squeezenet1_0_imagenet.pth"
    if not path.is_file():
        pytest.skip(f"no {path.name} in INTERP_DATA")
    network = checkpoint_network((3, 227, 227), 1000, path)
    saved = torch.load(path, weights_only=True, map_location="cpu")
    assert all(torch.equal(value, saved[name]) for name, value in network.state_dict().items())
    with pytest.raises(UserError, match="is for 1000 classes, and the data has 10"):
        checkpoint_network((3, 227, 227), 10, path)
