import logging
from pathlib import Path
from typing import Any

import pytest
import torch
import torchvision
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig
from torch import Tensor, nn

from interp_by_design.predictor import NarrowResNet, Predictor
from interp_by_design.run.build import build_network, build_predictor, is_post_hoc
from interp_by_design.terms import DataFacts, Normalisation, UserError

CONF = Path(__file__).parents[2] / "conf"
FACTS = DataFacts((3, 16, 16), ("a", "b", "c"), Normalisation((0.1, 0.2, 0.3), (0.4, 0.5, 0.6)))


class Plain(nn.Module):
    """Knows of neither images nor classes."""

    def __init__(self, width: int = 3) -> None:
        super().__init__()
        self.body, self.head = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU()), nn.Linear(4, width)

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.head(self.body(images).mean((2, 3)))
        return logits


def config(*options: str) -> DictConfig:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return compose("train", ["folder=.", "name=test", *options])


@pytest.fixture
def resnet(tmp_path: Path) -> tuple[NarrowResNet, Path]:
    network = NarrowResNet(FACTS.image_shape, 3)
    torch.save(
        {"state_dict": {f"module.{key}": value for key, value in network.state_dict().items()}},
        tmp_path / "file.th",
    )
    return network, tmp_path / "file.th"


def test_a_checkpoint_alone_makes_a_predictor(resnet: tuple[NarrowResNet, Path]) -> None:
    network, path = resnet
    predictor = build_predictor(
        config("predictor=checkpoint", f"predictor.path={path}", "learning=post_hoc"), FACTS
    ).eval()
    images = torch.rand(2, 3, 16, 16)
    torch.testing.assert_close(
        predictor(images).logits, network.eval()(FACTS.normalisation.apply(images))
    )


def test_without_a_path_it_is_asked_for() -> None:
    with pytest.raises(
        UserError, match=r"predictor=checkpoint needs the file of the weights: predictor.path=FILE"
    ):
        build_predictor(config("predictor=checkpoint"), FACTS)
    named = config("predictor=checkpoint", "predictor.path=null", "predictor.name=resnet32")
    assert isinstance(build_predictor(named, FACTS), Predictor)


def test_size_normalisation_and_colours_come_from_the_config(
    resnet: tuple[NarrowResNet, Path],
) -> None:
    options = [
        "predictor.normalisation={mean: [0.5, 0.5, 0.5], std: [0.2, 0.2, 0.2]}",
        "predictor.size=[24,20]",
    ]
    options += ["predictor.colour_order=bgr", "predictor.weights=null", "predictor=resnet20"]
    predictor = build_predictor(config(*options), FACTS)
    assert predictor.preprocessing.size == (24, 20)
    assert predictor.preprocessing.colour_order == "bgr"
    assert predictor.preprocessing.normalisation == Normalisation((0.5,) * 3, (0.2,) * 3)
    assert predictor.hidden_shapes[0] == torch.Size((16, 24, 20))


def test_a_network_is_built_for_the_size_of_its_own_images() -> None:
    predictor = build_predictor(config("predictor=lenet", "predictor.size=8"), FACTS)
    assert predictor(torch.rand(2, 3, 16, 16)).logits.shape == (2, 3)


@pytest.mark.parametrize("learning", ["by_design", "post_hoc"])
def test_post_hoc_a_class_head_is_never_drawn_afresh(
    learning: str, resnet: tuple[NarrowResNet, Path]
) -> None:
    chosen = config("predictor=resnet20", f"predictor.weights={resnet[1]}", f"learning={learning}")
    assert is_post_hoc(chosen) == (learning == "post_hoc")
    more = DataFacts(FACTS.image_shape, tuple("abcd"), Normalisation())
    if learning == "by_design":
        assert build_predictor(chosen, more)(torch.rand(2, 3, 16, 16)).logits.shape == (2, 4)
        return
    with pytest.raises(UserError, match="is for 3 classes, and the data has 4"):
        build_predictor(chosen, more)


def test_a_strangers_config_has_no_learning() -> None:
    assert not is_post_hoc(DictConfig({"predictor": {}}))


def own(target: str, path: Path | str = "null", **options: Any) -> DictConfig:
    network = ", ".join(f"{key}: {value}" for key, value in {"_target_": target, **options}.items())
    layers = "predictor.hidden_layers=[layer2]"
    return config(
        "predictor=checkpoint", f"predictor.path={path}", layers, f"predictor.network={{{network}}}"
    )


@pytest.mark.parametrize("options", [{}, {"_partial_": "true"}])
def test_a_network_that_takes_neither_shape_nor_classes_works(
    options: dict[str, Any], tmp_path: Path
) -> None:
    source = Plain()
    torch.save({"state_dict": source.state_dict()}, path := tmp_path / "file.pth")
    network = build_network(own("tests.run.test_build_predictor.Plain", path, **options), FACTS)
    assert all(
        torch.equal(value, source.state_dict()[name])
        for name, value in network.state_dict().items()
    )


def test_torchvisions_own_functions_work_and_their_classes_are_counted() -> None:
    resnet = "torchvision.models.resnet18"
    with pytest.raises(
        UserError, match="class head of this ResNet is for 1000 classes, and the data has 3"
    ):
        build_predictor(own(resnet), FACTS)
    assert build_predictor(own(resnet, num_classes=3), FACTS).hidden_shapes == [
        torch.Size((128, 2, 2))
    ]


def test_what_is_no_network_is_refused() -> None:
    with pytest.raises(UserError, match=r"predictor.network gives dict; wanted a torch.nn.Module"):
        build_network(own("builtins.dict", _partial_="true"), FACTS)


def test_a_tags_preprocessing_holds_where_its_weights_are_overwritten(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    facts = DataFacts((3, 64, 64), FACTS.class_names, FACTS.normalisation)
    predictor = build_predictor(
        config("predictor=pretrained", "predictor.weights=DEFAULT"), facts, load=False
    )
    assert predictor.preprocessing.normalisation.mean == (0.485, 0.456, 0.406)
    assert "Images are normalised as for squeezenet1_0" in caplog.text


def test_a_tag_is_fetched_for_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def without_network(url: str, **_options: object) -> Any:
        return torchvision.models.squeezenet1_0(weights=None).state_dict()

    monkeypatch.setattr(torchvision.models._api, "load_state_dict_from_url", without_network)
    facts = DataFacts((3, 64, 64), FACTS.class_names, FACTS.normalisation)
    chosen = config("predictor=pretrained", "predictor.weights=DEFAULT")
    assert build_predictor(chosen, facts)(torch.rand(2, 3, 64, 64)).logits.shape == (2, 3)
    with pytest.raises(UserError, match="is for 1000 classes"):
        build_predictor(
            config("predictor=pretrained", "predictor.weights=DEFAULT", "learning=post_hoc"), facts
        )


def test_timms_networks_are_a_choice_of_the_config() -> None:
    pytest.importorskip("timm")
    predictor = build_predictor(
        config("predictor=timm", "predictor.name=test_vit", "predictor.hidden_layers=[blocks.2]"),
        FACTS,
    )
    assert predictor.preprocessing.size == (160, 160)
