"""`interpret`, on a network that separates bright rows at the top, in the middle, at the bottom."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

import interp_by_design as ibd
from interp_by_design.predictor import weights_hash
from interp_by_design.terms import Normalisation, UnknownName, UserError

IMAGES = torch.rand(120, 1, 12, 12, generator=torch.Generator().manual_seed(0)) * 0.3
LABELS = torch.arange(120) % 3
for row, label in enumerate(LABELS.tolist()):
    IMAGES[row, :, 4 * label : 4 * label + 3] += 0.6

QUICK: dict[str, Any] = {
    "n_attributes": 6,
    "active": 2,
    "epochs": 4,
    "batch_size": 16,
    "progress": False,
    "accelerator": "cpu",
}


class Rows(nn.Module):
    """A network of one's own, with an in-place step after the layer that is read."""

    def __init__(self) -> None:
        super().__init__()
        self.stage = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4))
        self.relu, self.head = nn.ReLU(inplace=True), nn.Linear(4 * 9, 3)

    def forward(self, images: Tensor) -> Tensor:
        return self.head(nn.functional.avg_pool2d(self.relu(self.stage(images)), 4).flatten(1))


@pytest.fixture(scope="module")
def trained() -> nn.Module:
    torch.manual_seed(0)
    network = Rows()
    optimizer = torch.optim.Adam(network.parameters(), lr=0.02)
    for _ in range(60):
        optimizer.zero_grad()
        nn.functional.cross_entropy(network(IMAGES), LABELS).backward()
        optimizer.step()
    return network.eval()


def test_five_lines_give_a_model_that_agrees_and_explains(trained: nn.Module) -> None:
    before = weights_hash(trained)
    model = ibd.interpret(
        trained, layers=["stage"], data=TensorDataset(IMAGES, LABELS), **QUICK | {"epochs": 40}
    )
    assert model.scores["fidelity"] > 0.8
    explanation = model.explain(IMAGES[0])
    assert explanation.relevant(tau=2)
    assert weights_hash(trained) == before
    assert model.predictor.network is trained
    assert all(parameter.requires_grad for parameter in trained.parameters())


def test_the_same_seed_gives_the_same_interpreter_and_leaves_the_callers_random_state(
    trained: nn.Module,
) -> None:
    torch.manual_seed(3)
    state = torch.get_rng_state()
    one, other = (
        ibd.interpret(trained, ["stage"], (IMAGES, LABELS), seed=1, **QUICK) for _ in range(2)
    )
    assert torch.equal(torch.get_rng_state(), state)
    for (name, value), same in zip(
        one.state_dict().items(), other.state_dict().values(), strict=True
    ):
        assert torch.equal(value, same), name


@pytest.mark.parametrize("cache", ["off", "ram", "disk"])
def test_the_fit_is_much_the_same_with_every_cache(
    trained: nn.Module, cache: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INTERP_CACHE", str(tmp_path))
    model = ibd.interpret(trained, "stage", (IMAGES, LABELS), cache=cache, **QUICK | {"epochs": 30})
    assert model.scores["fidelity"] > 0.8


def test_data_comes_as_pairs_tensors_loaders_and_lists(trained: nn.Module) -> None:
    pairs = TensorDataset(IMAGES, LABELS)
    arrays = [
        (np.asarray(image), int(label)) for image, label in zip(IMAGES[:, 0], LABELS, strict=True)
    ]
    for data in (pairs, (IMAGES, LABELS), DataLoader(pairs, batch_size=7), arrays):
        model = ibd.interpret(trained, ["stage"], data, **QUICK | {"epochs": 1})
        assert model.facts.image_shape == (1, 12, 12)
        assert model.facts.class_names == ("0", "1", "2")


def test_images_that_come_normalised_are_given_back_their_range(trained: nn.Module) -> None:
    normalisation = Normalisation((0.4,), (0.2,))
    data = TensorDataset((IMAGES - 0.4) / 0.2, LABELS)
    model = ibd.interpret(
        trained, ["stage"], data, normalisation=normalisation, **QUICK | {"epochs": 1}
    )
    torch.testing.assert_close(
        model(IMAGES[:5]).predictor, trained((IMAGES[:5] - 0.4) / 0.2), atol=1e-4, rtol=1e-4
    )
    with pytest.raises(UserError, match="say by what: normalisation="):
        ibd.interpret(trained, ["stage"], data, **QUICK)


def test_a_network_left_in_training_mode_is_reported_and_evaluated(
    trained: nn.Module, caplog: pytest.LogCaptureFixture
) -> None:
    trained.train()
    before = weights_hash(trained)
    model = ibd.interpret(trained, ["stage"], (IMAGES, LABELS), **QUICK | {"epochs": 1})
    assert "was in training mode" in caplog.text
    assert not trained.training
    assert not model.training
    assert weights_hash(trained) == before


class Gives(nn.Module):
    def __init__(self, network: nn.Module, wrap: Any) -> None:
        super().__init__()
        self.network, self.wrap = network, wrap

    def forward(self, images: Tensor) -> Any:
        return self.wrap(self.network(images))


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"layers": ["stages"]}, "No layer 'stages'.*Did you mean 'stage'"),
        ({"layers": []}, "at least one layer"),
        ({"layers": ["head"]}, "class head's output"),
        ({"network": "resnet18"}, "The network is a str"),
        ({"data": [{"image": 0, "label": 1}] * 20}, "is a dict with the keys image, label"),
        ({"data": (IMAGES, LABELS + 7)}, "label"),
        ({"data": (torch.rand(60, 1, 2, 2), LABELS[:60])}, "does not take images|too small"),
        ({"n_attribute": 3}, "No option 'n_attribute'.*Did you mean"),
        ({"n_attributes": 0}, "n_attributes"),
        ({"epochs": 0}, "epochs must be"),
        ({"class_names": ["a", "b"]}, "2 class names do not fit a network with 3 outputs"),
        ({"cache": "memory"}, "memory"),
    ],
)
def test_what_cannot_be_used_is_refused_in_words(
    trained: nn.Module, change: dict[str, Any], complaint: str
) -> None:
    arguments: dict[str, Any] = {
        "network": trained,
        "layers": ["stage"],
        "data": (IMAGES, LABELS),
        **QUICK,
        **change,
    }
    with pytest.raises(UserError, match=f"(?s){complaint}"):
        ibd.interpret(**arguments)


def test_networks_that_give_something_else_than_logits_are_refused(trained: nn.Module) -> None:
    with pytest.raises(UserError, match="logits"):
        ibd.interpret(
            Gives(trained, lambda logits: {"a": logits, "b": logits}),
            ["network.stage"],
            (IMAGES, LABELS),
            **QUICK,
        )
    with pytest.raises(UserError, match="float16"):
        ibd.interpret(Rows().half(), ["stage"], (IMAGES, LABELS), **QUICK)


def test_an_unknown_option_is_an_unknown_name() -> None:
    with pytest.raises(UnknownName):
        ibd.interpret(Rows(), ["stage"], (IMAGES, LABELS), layer=3)


def test_random_items_want_no_cache(trained: nn.Module) -> None:
    class Noisy(TensorDataset):
        def __getitem__(self, i: int) -> Any:
            image, label = super().__getitem__(i)
            return (image + 0.05 * torch.rand_like(image)).clamp(0, 1), label

    with pytest.raises(UserError, match="differ each time they are read"):
        ibd.interpret(trained, ["stage"], Noisy(IMAGES, LABELS), **QUICK)
    assert ibd.interpret(
        trained, ["stage"], Noisy(IMAGES, LABELS), cache="off", **QUICK | {"epochs": 1}
    ).scores


def test_a_network_that_changed_since_is_not_saved_as_if_it_had_not(
    trained: nn.Module, tmp_path: Any
) -> None:
    network = Rows()
    network.load_state_dict(trained.state_dict())
    model = ibd.interpret(network, ["stage"], (IMAGES, LABELS), **QUICK | {"epochs": 1})
    model.save_pretrained(tmp_path / "same")
    with torch.no_grad():
        network.head.bias += 1
    with pytest.raises(UserError, match="has changed since the interpreter was fitted"):
        model.save_pretrained(tmp_path / "changed")


@pytest.mark.parametrize(
    ("option", "complaint"),
    [
        ({"attributes": "pca"}, "attributes must be a mapping, as in a file of conf/attributes"),
        ({"normalisation": (0.5, 0.5)}, "Normalisation\\(mean, std\\)"),
        (
            {"data": [(torch.rand(1, 12 + i % 2, 12), i % 3) for i in range(40)]},
            "Images have shapes such as",
        ),
    ],
)
def test_options_of_another_kind_are_refused(
    trained: nn.Module, option: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(UserError, match=complaint):
        ibd.interpret(
            **{"network": trained, "layers": ["stage"], "data": (IMAGES, LABELS), **QUICK, **option}
        )
