import builtins
import logging
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from interp_by_design.predictor import Predictor, choose_preprocessing, timm_network
from interp_by_design.terms import DataFacts, Normalisation, UnknownName, UserError

timm = pytest.importorskip("timm")
SHAPE = (3, 64, 64)
NAME = "test_vit"  # 160 x 160 alone


def facts(n_classes: int = 4) -> DataFacts:
    return DataFacts(SHAPE, tuple("abcdefghij"[:n_classes]), Normalisation())


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The whole names of the weights that were fetched; what comes is random."""
    create, names = timm.create_model, []

    def without_network(name: str, pretrained: bool = False, **options: Any) -> Any:
        names.extend([name] if pretrained else [])
        return create(name, pretrained=False, **options)

    monkeypatch.setattr(timm, "create_model", without_network)
    return names


def test_a_network_by_name_reads_images_of_any_size() -> None:
    network = timm_network(SHAPE, 4, NAME)
    chosen = choose_preprocessing(network, facts(), {}, trained=False)
    assert chosen.size == (160, 160)
    assert chosen.normalisation == Normalisation()
    predictor = Predictor(network, ["blocks.2", "blocks.5"], facts(), chosen).eval()
    seen = predictor(torch.rand(2, *SHAPE))
    assert seen.logits.shape == (2, 4)
    assert len(seen.hidden) == 2


def test_an_unknown_network_is_named_with_those_like_it() -> None:
    with pytest.raises(
        UnknownName, match=r"No network 'resnet19' in timm. Known: .*resnet18.*Did you mean 'resnet"
    ):
        timm_network(SHAPE, 4, "resnet19")


def test_without_the_library_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(UserError, match=r'pip install "interp_by_design\[timm\]"'):
        timm_network(SHAPE, 4, NAME)


@pytest.mark.parametrize(
    ("tag", "whole"), [("augreg_in21k", "augreg_in21k"), ("DEFAULT", "augreg_in21k_ft_in1k")]
)
def test_a_tag_is_fetched_with_a_fresh_head(
    tag: str, whole: str, fetched: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    name = "vit_tiny_patch16_224"
    network = timm_network(SHAPE, 4, name, tag)
    assert fetched == [f"{name}.{whole}"]
    assert network.num_classes == 4
    assert "a new one for 4 classes is drawn" in caplog.text
    assert choose_preprocessing(network, facts(), {}, trained=True).normalisation.mean == (
        0.5,
        0.5,
        0.5,
    )


def test_a_fresh_head_is_never_drawn_unasked(fetched: list[str]) -> None:
    with pytest.raises(UserError, match="is for 1000 classes, and the data has 4"):
        timm_network(SHAPE, 4, NAME, "DEFAULT", fresh_head=False)
    assert fetched == []
    assert timm_network(SHAPE, 1000, NAME, "DEFAULT", fresh_head=False).num_classes == 1000


def test_nothing_is_fetched_where_weights_are_overwritten(fetched: list[str]) -> None:
    network: Any = timm_network(SHAPE, 4, "vit_tiny_patch16_224", "augreg_in21k", load=False)
    assert fetched == []
    assert network.pretrained_cfg["tag"] == "augreg_in21k"


def test_an_unknown_tag_is_named_with_the_known() -> None:
    with pytest.raises(
        UnknownName,
        match=r"No weights 'augreg' in timm's vit_tiny_patch16_224, and no file .*_in21k_ft_in1k",
    ):
        timm_network(SHAPE, 4, "vit_tiny_patch16_224", "augreg")


def test_weights_that_cannot_be_fetched_are_asked_for_as_a_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_args: object, **_options: object) -> None:
        raise builtins.ConnectionError("Name or service\nnot known")

    monkeypatch.setattr(timm, "create_model", fail)
    message = (
        r"cannot be fetched \(ConnectionError: Name or service not known\).*predictor.weights=FILE"
    )
    with pytest.raises(UserError, match=message):
        timm_network(SHAPE, 4, NAME, "DEFAULT")


def test_a_file_gives_the_weights(tmp_path: Path) -> None:
    source: Any = timm.create_model(NAME, num_classes=4)
    torch.save({"model": source.state_dict(), "epoch": 3}, path := tmp_path / "weights.pth")
    network = timm_network(SHAPE, 4, NAME, str(path), fresh_head=False)
    assert all(
        torch.equal(value, source.state_dict()[name])
        for name, value in network.state_dict().items()
    )
    with pytest.raises(UserError, match="No file of weights"):
        timm_network(SHAPE, 4, NAME, str(tmp_path / "nowhere.pth"))
