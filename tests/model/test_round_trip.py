"""Tests of interpreters that are saved and loaded again."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import torch
from huggingface_hub import ModelCard

from interp_by_design.model import InterpretableModel
from interp_by_design.predictor import LeNet, Predictor, Preprocessing
from interp_by_design.run.build import build_model
from interp_by_design.terms import DataFacts, Normalisation, UserError
from tests.model.saving import FILES, model, network
from tests.small import CONF, FACTS, composed

DICTIONARIES = [file.stem for file in (CONF / "attributes").glob("*.yaml")]
INTERPRETERS = [file.stem for file in (CONF / "interpreter").glob("*.yaml")]
NEEDS = {  # further overrides of an option
    "attributes=flint": ("attributes.n_attributes=6", "predictor.hidden_layers=[conv2]"),
    "attributes=grouped": ("~attributes.n_attributes", "attributes.groups=[3,3]"),
    "interpreter=learnable_concepts": (
        "attributes=learnable_concepts",
        "attributes.n_attributes=6",
    ),
    "interpreter=prototypes": (
        "attributes=prototypes",
        "attributes.n_attributes=6",
        "predictor.hidden_layers=[fc1]",
        "interpreter.decoder.latent=16",
    ),
}
LARGE = DataFacts((3, 28, 28), ("a", "b", "c"), Normalisation((0.1, 0.2, 0.3), (0.4, 0.5, 0.6)))


def test_loaded_model_equals_the_saved_one(tmp_path: Path) -> None:
    preprocessing = Preprocessing(Normalisation((0.3,), (0.7,)), (12, 10))
    net = LeNet((1, 12, 10), 3, channels=(4, 8), width=16)
    written = model(net, preprocessing)
    written.save_pretrained(tmp_path)
    back = InterpretableModel.from_pretrained(tmp_path, predictor=net)
    images = torch.rand(5, *FACTS.image_shape)
    for one, other in zip(written(images), back(images), strict=True):
        assert torch.equal(one, other)
    assert (back.facts, back.spec, back.scores) == (written.facts, written.spec, written.scores)
    assert back.predictor.preprocessing == preprocessing
    assert back.predictor.network is net
    assert not back.training


def test_network_weights_are_not_in_the_folder(saved: Path) -> None:
    assert {file.name for file in saved.iterdir()} == FILES
    assert b"predictor" not in (saved / "interpreter.safetensors").read_bytes()
    assert (saved / "interpreter.safetensors").stat().st_size < 100_000


def test_saving_a_loaded_model_gives_the_same_bytes(saved: Path, tmp_path: Path) -> None:
    InterpretableModel.from_pretrained(saved, predictor=network()).save_pretrained(
        tmp_path / "again"
    )
    for name in FILES:
        assert (tmp_path / "again" / name).read_bytes() == (saved / name).read_bytes()


@pytest.mark.parametrize(
    "option", [f"attributes={n}" for n in DICTIONARIES] + [f"interpreter={n}" for n in INTERPRETERS]
)
def test_every_configuration_is_saved_and_loaded(option: str, tmp_path: Path) -> None:
    overrides = [
        option,
        "predictor.network.width=16",
        *NEEDS.get(option, ("attributes.n_attributes=6",)),
    ]
    written = build_model(composed(tmp_path, *overrides), LARGE).eval()
    for name, value in written.interpreter.named_buffers():
        if name.endswith("fitted"):
            value.fill_(True)
    written.save_pretrained(tmp_path / "saved")
    back = InterpretableModel.from_pretrained(
        tmp_path / "saved", predictor=written.predictor.network
    )
    images = torch.rand(3, *LARGE.image_shape)
    for one, other in zip(written(images), back(images), strict=True):
        assert torch.equal(one, other)


def test_predictor_is_accepted_for_a_network(saved: Path) -> None:
    predictor = Predictor(network(), ["conv1", "fc1"], FACTS)
    assert InterpretableModel.from_pretrained(saved, predictor=predictor).predictor is predictor
    with pytest.raises(
        UserError, match=r"This predictor reads \('conv2',\) .* was fitted to \('conv1', 'fc1'\)"
    ):
        InterpretableModel.from_pretrained(saved, predictor=Predictor(network(), ["conv2"], FACTS))


def test_double_precision_is_kept(tmp_path: Path) -> None:
    written = model(network())
    written.interpreter.double()
    written.save_pretrained(tmp_path)
    back = InterpretableModel.from_pretrained(tmp_path, predictor=network())
    assert back.interpreter.head.weights.dtype == torch.float64
    assert torch.equal(back.interpreter.head.weights, written.interpreter.head.weights)


def test_random_state_is_unchanged(saved: Path) -> None:
    net = network()
    state = torch.random.get_rng_state()
    InterpretableModel.from_pretrained(saved, predictor=net).save_pretrained(saved)
    assert torch.equal(torch.random.get_rng_state(), state)


def test_card_describes_loading_network_and_scores(saved: Path) -> None:
    card = ModelCard.load(saved / "README.md")
    assert card.data.library_name == "interp_by_design"
    assert "interpretability" in card.data.tags
    for said in (
        "from_pretrained(",
        "LeNet",
        "`conv1`, `fc1`",
        "| fidelity | 0.9688 |",
        "in [0, 1]",
        "a, b, c",
    ):
        assert said in card.text


def test_mixin_changes_nothing_in_the_model(tmp_path: Path) -> None:
    made = model(network())
    assert made._hub_mixin_config == {}
    images = torch.rand(2, *FACTS.image_shape)
    assert torch.equal(copy.deepcopy(made)(images).interpreter, made(images).interpreter)
    torch.compile(made, backend="eager").save_pretrained(tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == FILES
