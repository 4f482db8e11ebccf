"""Negative controls: convincing, fitted in seconds, without a change of the model."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import interp_by_design
from interp_by_design.api import CONTROLS, controls, evaluation, interpret
from interp_by_design.api.control_fit import adapt, fit_decoder, fit_head
from interp_by_design.attributes import PCADictionary, TopKDictionary
from interp_by_design.data import Digits
from interp_by_design.interpreter import (
    DenseDecoder,
    LinearHead,
    LinearInterpreter,
    RelabelledInterpreter,
)
from interp_by_design.metrics import failed_gates
from interp_by_design.model import InterpretableModel
from interp_by_design.predictor import LeNet
from interp_by_design.run import load
from interp_by_design.terms import UserError
from tests.small import small_model


@pytest.fixture(scope="module", autouse=True)
def few_images() -> Iterator[None]:
    """Compute the scores that run the model on few images: they have their own tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluation, "MIN_IMAGES", 30)
        patch.setattr(evaluation, "MAX_IMAGES", 30)
        yield


@pytest.fixture(scope="module")
def digits() -> Digits:
    data = Digits(batch_size=64)
    data.setup()
    return data


@pytest.fixture(scope="module")
def model(trained_run: Path) -> InterpretableModel:
    return load(trained_run)


@pytest.fixture(scope="module")
def made(model: InterpretableModel, digits: Digits) -> dict[str, InterpretableModel]:
    return controls(model, digits)


def failed(control: InterpretableModel) -> set[str]:
    return {gate.key for gate in failed_gates(control.scores, control.interpreter.n_attributes)}


# --- the two negative controls
def test_the_relabelled_one_follows_f_and_knows_the_class_alone(
    made: dict[str, InterpretableModel],
) -> None:
    scores = made["relabelled"].scores
    assert scores["fidelity"] > 0.99, "the cheat must look good, or it is no control"
    assert abs(scores["within_class_explained"]) < 0.05, (
        "its best image is the class's mean: a decoder that lags would be below"
    )
    assert {"logit_predictability", "within_class_explained"} <= failed(made["relabelled"])


def test_the_random_one_has_the_models_own_kind_of_dictionary_with_other_weights(
    model: InterpretableModel, made: dict[str, InterpretableModel]
) -> None:
    own, drawn = model.interpreter, made["frozen_random"].interpreter
    assert isinstance(own, LinearInterpreter)
    assert isinstance(drawn, LinearInterpreter)
    assert type(drawn.dictionary) is type(own.dictionary)
    assert drawn.n_attributes == own.n_attributes
    assert getattr(drawn.dictionary, "k", None) == getattr(own.dictionary, "k", None)
    assert drawn.frozen_dictionary
    assert not any(weight.requires_grad for weight in drawn.dictionary.parameters())
    pairs = zip(drawn.dictionary.parameters(), own.dictionary.parameters(), strict=True)
    assert not any(torch.equal(one, other) for one, other in pairs)
    assert 0.3 < made["frozen_random"].scores["fidelity"] < 0.97
    assert len(failed(made["frozen_random"])) >= 2


def test_the_relabelled_attributes_are_a_function_of_the_logits_alone(
    made: dict[str, InterpretableModel], digits: Digits
) -> None:
    control = made["relabelled"]
    assert isinstance(control.interpreter, RelabelledInterpreter)
    with torch.no_grad():
        seen = control(digits.split("test").batch(torch.arange(20)).images)
    for row in range(20):
        shares = [
            math.exp(50 * (float(f) - float(seen.predictor[row].max())))
            for f in seen.predictor[row]
        ]
        code = [
            sum(p / sum(shares) * float(r) for p, r in zip(shares, codes, strict=True))
            for codes in control.interpreter.codes.T
        ]
        assert seen.attributes[row].tolist() == pytest.approx(code, abs=1e-4)


def test_the_scores_are_those_of_the_control_as_a_whole(
    made: dict[str, InterpretableModel], digits: Digits
) -> None:
    batch = digits.split("test").batch(torch.arange(len(digits.split("test"))))
    for control in made.values():
        with torch.no_grad():
            seen = control(batch.images)
        same = seen.predictor.argmax(dim=1) == seen.interpreter.argmax(dim=1)
        assert control.scores["fidelity"] == pytest.approx(float(same.float().mean()))
        assert seen.reconstruction is not None
        error = (seen.reconstruction - batch.images).square().mean()
        assert control.scores["reconstruction_mse"] == pytest.approx(float(error), rel=1e-3)


def test_the_model_and_the_random_state_are_left_as_they_were_and_the_same_seed_gives_the_same(
    model: InterpretableModel, made: dict[str, InterpretableModel], digits: Digits
) -> None:
    before = {name: value.clone() for name, value in model.state_dict().items()}
    state = torch.get_rng_state()
    model.train()
    learned = {name: weight.requires_grad for name, weight in model.named_parameters()}
    found = interp_by_design.controls(model, digits)
    assert all(part.training for part in model.modules())
    model.eval()
    assert torch.equal(state, torch.get_rng_state())
    assert learned == {name: weight.requires_grad for name, weight in model.named_parameters()}
    assert all(torch.equal(value, model.state_dict()[name]) for name, value in before.items())
    assert tuple(found) == CONTROLS
    assert all(control.predictor is model.predictor for control in found.values())
    assert {name: of.scores for name, of in found.items()} == {
        name: of.scores for name, of in made.items()
    }


def test_a_control_can_be_saved_and_comes_back(
    made: dict[str, InterpretableModel], tmp_path: Path
) -> None:
    for name, control in made.items():
        control.save_pretrained(tmp_path / name)
        again = InterpretableModel.from_pretrained(tmp_path / name, predictor=control.predictor)
        images = torch.rand(3, 1, 8, 8)
        with torch.no_grad():
            torch.testing.assert_close(again(images).interpreter, control(images).interpreter)


def test_a_network_of_ones_own_and_a_dictionary_that_is_fitted_by_one_call() -> None:
    torch.manual_seed(0)
    images, labels = torch.rand(240, 1, 8, 8), torch.arange(240) % 3
    images[labels == 1, :, :4] *= 0.2
    images[labels == 2, :, :, 4:] *= 0.2
    network = LeNet((1, 8, 8), 3, channels=(4, 8), width=16)
    pca = {"_target_": "interp_by_design.attributes.PCADictionary", "k": 3}
    options = {"class_names": ["a", "b", "c"], "normalisation": interp_by_design.Normalisation()}
    fitted = interpret(
        network, ["fc1"], (images, labels), 8, attributes=pca, epochs=1, progress=False, **options
    )
    found = controls(fitted, (images, labels))
    drawn, own = found["frozen_random"].interpreter, fitted.interpreter
    assert isinstance(drawn, LinearInterpreter)
    assert isinstance(own, LinearInterpreter)
    assert isinstance(drawn.dictionary, PCADictionary)
    assert bool(drawn.dictionary.fitted)
    assert not torch.allclose(drawn.dictionary.components, own.dictionary.get_buffer("components"))
    assert found["relabelled"].scores["fidelity"] > 0.95


def test_what_cannot_have_controls_is_refused(digits: Digits, model: InterpretableModel) -> None:
    with pytest.raises(UserError, match="put together by hand"):
        controls(small_model(digits.facts), digits)
    with pytest.raises(
        UserError,
        match=r"images of \(1, 8, 8\) in 10 classes; the model takes \(1, 8, 8\), and knows 3",
    ):
        controls(small_model(), digits)
    with pytest.raises(UserError, match="option 'sed'"):
        controls(model, digits, sed=1)


# --- the fits
def test_the_head_is_where_its_loss_is_flat() -> None:
    draws = torch.Generator().manual_seed(0)
    attributes, logits = (
        torch.rand(300, 5, generator=draws),
        2 * torch.randn(300, 4, generator=draws),
    )
    head = LinearHead(5, 4, bias=True)
    fit_head(head, attributes, logits)
    wanted, given = logits.softmax(dim=1), head(attributes).softmax(dim=1).detach()
    slope = (given - wanted).T @ attributes / 300  # of the mean cross-entropy, written out
    assert slope.abs().max() < 1e-3
    assert (given - wanted).mean(dim=0).abs().max() < 1e-3


@pytest.mark.parametrize("size", [1e-4, 1.0, 1e4])
def test_the_head_finds_a_linear_f_however_large_attributes_are(size: float) -> None:
    draws = torch.Generator().manual_seed(0)
    attributes = torch.rand(500, 6, generator=draws)
    attributes[:, 2] = 0  # a dead one
    logits = attributes @ torch.randn(6, 3, generator=draws) * 10
    head = LinearHead(6, 3)
    fit_head(head, attributes * size, logits)
    assert (head(attributes * size).argmax(dim=1) == logits.argmax(dim=1)).float().mean() > 0.98
    assert torch.isfinite(head.weights).all()


@pytest.mark.parametrize("kept_as", [torch.uint8, torch.float32])
def test_the_decoder_finds_the_mean_image_of_each_code(kept_as: torch.dtype) -> None:
    draws = torch.Generator().manual_seed(0)
    classes = torch.arange(60) % 3
    images = torch.rand(3, 1, 4, 4, generator=draws)[classes] * 0.8 + 0.2 * torch.rand(
        60, 1, 4, 4, generator=draws
    )
    pixels = (255 * images).round().to(torch.uint8) if kept_as == torch.uint8 else images
    decoder = DenseDecoder(3, (1, 4, 4), width=16)
    codes = nn.functional.one_hot(classes).float()
    fit_decoder(decoder, codes, pixels, seed=0)
    assert not decoder.training
    for c in range(3):
        torch.testing.assert_close(
            decoder(torch.eye(3)[c : c + 1])[0], images[classes == c].mean(dim=0), atol=0.02, rtol=0
        )


def test_batch_statistics_become_those_of_all_batches_and_weights_stay() -> None:
    torch.manual_seed(0)
    dictionary = TopKDictionary([torch.Size([7])], 4, k=2)
    weights = dictionary.weights.weight.clone()
    batches = [torch.randn(50, 7) * 3 + 5 for _ in range(6)]
    adapt(dictionary, lambda: ([batch] for batch in batches), seed=0)
    rows = torch.cat(batches)
    mean = dictionary.standardise_inputs.running_mean
    assert mean is not None
    torch.testing.assert_close(mean, rows.mean(dim=0))
    assert not dictionary.training
    assert dictionary.standardise_inputs.momentum == 0.1, "unchanged"
    assert torch.equal(weights, dictionary.weights.weight)
    assert dictionary([rows]).gt(0).sum(dim=1).eq(2).all()


def test_a_fitted_dictionary_of_a_control_finds_no_two_units_that_vary_together() -> None:
    torch.manual_seed(0)
    common = torch.randn(2000, 1)
    rows = common + 0.1 * torch.randn(2000, 6)  # all six units say the same

    def hidden() -> Iterator[list[Tensor]]:
        return ([part] for part in torch.split(rows, 500))

    own, control = (PCADictionary([torch.Size([6])], 4, k=2, whiten=False) for _ in range(2))
    own.fit(hidden, 0)
    adapt(control, hidden, 0)
    together = torch.ones(6) / math.sqrt(6)
    assert float((own.components[0] @ together).abs()) > 0.999
    z = control.standardise(rows)
    assert float(control.components[0].square().sum()) == pytest.approx(1, abs=1e-4)
    assert float((own.standardise(rows) @ own.components[0]).std()) > 2.4
    torch.testing.assert_close(z.mean(dim=0), torch.zeros(6), atol=1e-4, rtol=0)
    assert float(control.components[0].abs().max()) > 0.45, "not the one direction that there is"
