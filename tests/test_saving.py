"""An interpreter saved apart from its network: what comes back, and what is refused."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from huggingface_hub import HfApi, ModelCard
from torch import nn

from interp_by_design.attributes import TopKDictionary
from interp_by_design.interpreter import InterpreterSpec, build_interpreter, instantiate
from interp_by_design.model import InterpretableModel
from interp_by_design.predictor import LeNet, Predictor, Preprocessing
from interp_by_design.run.build import build_model
from interp_by_design.terms import DataFacts, Normalisation, UserError
from tests.small import CONF, FACTS, composed, small_model

FILES = {"interpreter.safetensors", "config.json", "README.md"}
DICTIONARIES = [file.stem for file in (CONF / "attributes").glob("*.yaml")]
INTERPRETERS = [file.stem for file in (CONF / "interpreter").glob("*.yaml")]
NEEDS = {  # what an option of another network, dictionary or size than the default's is made with
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
ROOM = "interp_by_design.interpreter"


class OwnDictionary(TopKDictionary):  # type: ignore[misc]  # as a user might, who has not read that it is final
    """A dictionary that this package does not define."""


def spec(dictionary: str = "interp_by_design.attributes.TopKDictionary") -> InterpreterSpec:
    return InterpreterSpec(
        {"_target_": dictionary, "_partial_": True, "n_attributes": 6, "k": 2},
        {
            "_target_": f"{ROOM}.LinearInterpreter",
            "_partial_": True,
            "head": {"_target_": f"{ROOM}.LinearHead", "_partial_": True},
            "decoder": {"_target_": f"{ROOM}.DenseDecoder", "_partial_": True, "width": 16},
        },
    )


def network(seed: int = 0, channels: tuple[int, int] = (4, 8), n_classes: int = 3) -> LeNet:
    torch.manual_seed(seed)
    return LeNet(FACTS.image_shape, n_classes, channels=channels, width=16).eval()


def model(
    network: nn.Module,
    preprocessing: Preprocessing | None = None,
    chosen: InterpreterSpec | None = None,
) -> InterpretableModel:
    chosen = chosen or spec()
    predictor = Predictor(network, ["conv1", "fc1"], FACTS, preprocessing)
    interpreter = build_interpreter(
        chosen, predictor.hidden_shapes, FACTS, partial(instantiate, trust=True)
    )
    made = InterpretableModel(predictor, interpreter, FACTS, chosen).train()
    with torch.no_grad():
        made(torch.rand(16, *FACTS.image_shape))  # batch statistics of its own
    made.scores = {"fidelity": 0.96875, "kl": 0.1}
    return made.eval()


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    model(network()).save_pretrained(tmp_path / "saved")
    return tmp_path / "saved"


@pytest.fixture
def change(saved: Path) -> Callable[..., None]:
    """Sets entries of the saved config.json, a double underscore for each step inwards."""

    def change(**entries: Any) -> None:
        config = json.loads((saved / "config.json").read_text())
        for key, value in entries.items():
            *path, last = key.split("__")
            inner = config
            for step in path:
                inner = inner[step]
            inner[last] = value
        (saved / "config.json").write_text(json.dumps(config))

    return change


# -------------------------------------------------------------------------------------------------------------- there and back
def test_it_comes_back_as_it_was(tmp_path: Path) -> None:
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


def test_the_networks_weights_are_not_in_the_folder(saved: Path) -> None:
    assert {file.name for file in saved.iterdir()} == FILES
    assert b"predictor" not in (saved / "interpreter.safetensors").read_bytes()
    assert (saved / "interpreter.safetensors").stat().st_size < 100_000


def test_a_saved_model_saves_again_to_the_same_bytes(saved: Path, tmp_path: Path) -> None:
    InterpretableModel.from_pretrained(saved, predictor=network()).save_pretrained(
        tmp_path / "again"
    )
    for name in FILES:
        assert (tmp_path / "again" / name).read_bytes() == (saved / name).read_bytes()


@pytest.mark.parametrize(
    "option", [f"attributes={n}" for n in DICTIONARIES] + [f"interpreter={n}" for n in INTERPRETERS]
)
def test_every_option_of_this_package_comes_back(option: str, tmp_path: Path) -> None:
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


def test_a_predictor_does_for_a_network(saved: Path) -> None:
    predictor = Predictor(network(), ["conv1", "fc1"], FACTS)
    assert InterpretableModel.from_pretrained(saved, predictor=predictor).predictor is predictor
    with pytest.raises(
        UserError, match=r"This predictor reads \('conv2',\) .* was fitted to \('conv1', 'fc1'\)"
    ):
        InterpretableModel.from_pretrained(saved, predictor=Predictor(network(), ["conv2"], FACTS))


def test_double_precision_comes_back(tmp_path: Path) -> None:
    written = model(network())
    written.interpreter.double()
    written.save_pretrained(tmp_path)
    back = InterpretableModel.from_pretrained(tmp_path, predictor=network())
    assert back.interpreter.head.weights.dtype == torch.float64
    assert torch.equal(back.interpreter.head.weights, written.interpreter.head.weights)


def test_the_callers_random_state_stays(saved: Path) -> None:
    net = network()
    state = torch.random.get_rng_state()
    InterpretableModel.from_pretrained(saved, predictor=net).save_pretrained(saved)
    assert torch.equal(torch.random.get_rng_state(), state)


def test_the_card_says_how_to_load_what_it_was_fitted_to_and_the_scores(saved: Path) -> None:
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


def test_the_mixin_leaves_the_model_as_it_is(tmp_path: Path) -> None:
    made = model(network())
    assert made._hub_mixin_config == {}
    images = torch.rand(2, *FACTS.image_shape)
    assert torch.equal(copy.deepcopy(made)(images).interpreter, made(images).interpreter)
    torch.compile(made, backend="eager").save_pretrained(tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == FILES


# ------------------------------------------------------------------------------------------------------------------ the network
def test_another_network_is_refused_with_both_hashes(saved: Path) -> None:
    with pytest.raises(
        UserError,
        match=r"LeNet had SHA-256 \w{12}, and those of this LeNet have \w{12}\. .*check_weights=False",
    ):
        InterpretableModel.from_pretrained(saved, predictor=network(seed=1))
    back = InterpretableModel.from_pretrained(saved, predictor=network(seed=1), check_weights=False)
    assert back.explain(torch.rand(1, 8, 8)).contributions.shape == (6,)


@pytest.mark.parametrize(
    "other", [network(channels=(5, 8)), network(n_classes=4)], ids=["layers", "classes"]
)
def test_layers_and_classes_must_be_those_that_it_was_fitted_to(
    other: nn.Module, saved: Path
) -> None:
    with pytest.raises(
        UserError,
        match=r"This LeNet has . classes, and hidden layers .*config\.json was fitted to has 3, and",
    ):
        InterpretableModel.from_pretrained(saved, predictor=other, check_weights=False)


@pytest.mark.parametrize(
    ("given", "said"), [(None, "predictor=network: LeNet, with"), ("lenet", "predictor is a str")]
)
def test_a_network_is_needed(given: Any, said: str, saved: Path) -> None:
    with pytest.raises(UserError, match=said):
        InterpretableModel.from_pretrained(saved, predictor=given)


# ------------------------------------------------------------------------------------------------------------------- the folder
@pytest.mark.parametrize("name", ["interpreter.safetensors", "config.json"])
def test_a_missing_file_is_named(name: str, saved: Path) -> None:
    (saved / name).unlink()
    with pytest.raises(UserError, match=f"it lacks {name}"):
        InterpretableModel.from_pretrained(saved, predictor=network())


@pytest.mark.parametrize("name", ["interpreter.safetensors", "config.json"])
@pytest.mark.parametrize(
    "damaged",
    [
        lambda whole: b"",
        lambda whole: whole[: len(whole) // 2],
        lambda whole: whole[:-2],
        lambda whole: whole[:40] + bytes(40) + whole[80:],
        lambda whole: whole[:-9] + bytes(9),
        lambda whole: b"not what you are looking for",
    ],
    ids=["empty", "half", "bytes short", "overwritten", "the end overwritten", "text"],
)
def test_a_damaged_file_is_named(name: str, damaged: Callable[[bytes], bytes], saved: Path) -> None:
    (saved / name).write_bytes(damaged((saved / name).read_bytes()))
    with pytest.raises(UserError, match=name):
        InterpretableModel.from_pretrained(saved, predictor=network())


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        (
            {"format": 3},
            r"config\.json was written in format 3, and this version reads formats 1, 2",
        ),
        ({"format": None}, r"config\.json was written in format None"),
        (
            {"library": "transformers"},
            r"config\.json is not of an interpreter that interp_by_design saved",
        ),
        (
            {"data__class_names": ["a", "b"]},
            r"This LeNet has 3 classes, .*config\.json was fitted to has 2",
        ),
        ({"data__class_names": 3}, r"config\.json is damaged"),
        ({"predictor": []}, r"config\.json is damaged"),
        ({"predictor__preprocessing": {}}, r"config\.json is damaged"),
        (
            {"predictor__hidden_shapes": [[4, 4, 4], [17]]},
            r"hidden layers .*config\.json was fitted to has 3, and",
        ),
        ({"attributes": []}, r"config\.json is damaged"),
        (
            {"attributes": {}},
            r"config\.json describes cannot be built: The options of attributes do not work",
        ),
        (
            {"attributes__k": 9},
            r"config\.json describes cannot be built: k, the number of active attributes",
        ),
        (
            {"attributes__n_attributes": 7},
            r"safetensors holds another interpreter than config\.json .* of another shape",
        ),
        (
            {"interpreter__colour": 7},
            r"config\.json describes cannot be built: The options of interpreter do not work",
        ),
        (
            {"interpreter__head": {}},
            r"config\.json describes cannot be built: The options of interpreter do not work",
        ),
        (
            {"interpreter": {"_target_": f"{ROOM}.LinearInterpreter", "_partial_": True}},
            "lacks head and decoder",
        ),
    ],
)
def test_a_config_that_does_not_fit_is_named(
    entries: dict[str, Any], said: str, saved: Path, change: Callable[..., None]
) -> None:
    change(**entries)
    with pytest.raises(UserError, match=said):
        InterpretableModel.from_pretrained(saved, predictor=network())


@pytest.mark.parametrize(
    "target",
    [
        "os.system",
        "builtins.eval",
        "torch.nn.Linear",
        "interp_by_design.interpreter.instantiate",  # ours, but it could be told to trust
        "interp_by_design.interpreter.spec.instantiate",
        "interp_by_design.interpreter.build_interpreter",
        "interp_by_design.interpreter.spec._named",
        "interp_by_design.interpreter.spec.partial",
        "interp_by_design.interpreter.InterpreterSpec",
        "interp_by_design.predictor.torchvision_network",  # ours, but it may download
        "interp_by_design.predictor.weight_files.read_weights",
        "interp_by_design.model.InterpretableModel",
        "",
        7,
        None,
    ],
)
@pytest.mark.parametrize(
    "place", ["attributes___target_", "interpreter__head___target_", "attributes__k"]
)
def test_a_stranger_cannot_name_what_is_no_part_of_an_interpreter(
    target: Any, place: str, saved: Path, change: Callable[..., None]
) -> None:
    change(
        **{
            place: target
            if place.endswith("_target_")
            else {"_target_": target, "_args_": ["touch ran"]}
        }
    )
    with pytest.raises(
        UserError,
        match=r"config\.json describes cannot be built: .* no part of an interpreter.*trust=True",
    ):
        InterpretableModel.from_pretrained(saved, predictor=network())


def test_classes_of_ones_own_need_trust(tmp_path: Path) -> None:
    own = f"{OwnDictionary.__module__}.OwnDictionary"
    model(network(), chosen=spec(own)).save_pretrained(tmp_path)
    with pytest.raises(UserError, match="trust=True"):
        InterpretableModel.from_pretrained(tmp_path, predictor=network())
    back = InterpretableModel.from_pretrained(tmp_path, predictor=network(), trust=True)
    assert type(back.interpreter.dictionary).__name__ == "OwnDictionary"


@pytest.mark.parametrize("source", ["no such/folder/at all", "./nowhere", "someone/something"])
def test_what_is_neither_folder_nor_repository_is_told(source: str) -> None:
    with pytest.raises(UserError, match=f"'{source}' is neither a folder nor a repository"):
        InterpretableModel.from_pretrained(source, predictor=network(), local_files_only=True)


def test_an_unknown_option_is_named(saved: Path) -> None:
    with pytest.raises(UserError, match="No option 'predictr' in from_pretrained"):
        InterpretableModel.from_pretrained(saved, predictr=network())


# ----------------------------------------------------------------------------------------------------------------------- saving
def test_one_made_by_hand_says_what_it_lacks(tmp_path: Path) -> None:
    with pytest.raises(
        UserError,
        match=r"put together by hand.*spec=interp_by_design\.interpreter\.InterpreterSpec",
    ):
        small_model().save_pretrained(tmp_path / "saved")
    assert not (tmp_path / "saved").exists()


def test_the_spec_of_another_interpreter_is_refused(tmp_path: Path) -> None:
    made = model(network())
    made.spec = InterpreterSpec(made.spec.attributes | {"n_attributes": 7}, made.spec.interpreter)
    with pytest.raises(
        UserError, match="spec builds another interpreter than it has: of another shape"
    ):
        made.save_pretrained(tmp_path)


def test_a_spec_holds_copies_of_plain_values() -> None:
    given = {"_target_": "x", "more": (1, {"a": None})}
    kept = InterpreterSpec(given, given)
    given["more"] = 2
    assert kept.attributes == {"_target_": "x", "more": [1, {"a": None}]}
    with pytest.raises(UserError, match=r"attributes\.size\.0 is a Tensor"):
        InterpreterSpec({"size": [torch.ones(2)]}, {})


def test_files_of_something_else_are_not_overwritten(saved: Path, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("# My project")
    with pytest.raises(UserError, match=r"holds README\.md of something else"):
        model(network()).save_pretrained(tmp_path)
    assert (tmp_path / "README.md").read_text() == "# My project"
    (saved / "notes.txt").write_text("mine")
    model(network(seed=2)).save_pretrained(saved)
    InterpretableModel.from_pretrained(saved, predictor=network(seed=2))
    assert (saved / "notes.txt").read_text() == "mine"


def test_a_full_disk_leaves_what_was_there(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {name: (saved / name).read_bytes() for name in FILES}

    def full(_: int) -> None:
        full.calls += 1
        if full.calls == 3:  # the last of the files
            raise OSError(28, "No space left on device")

    full.calls = 0
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(UserError, match="No space left on device"):
        model(network(seed=2)).save_pretrained(saved)
    assert {file.name: file.read_bytes() for file in saved.iterdir()} == before


def test_a_folder_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "saved").write_text("")
    with pytest.raises(UserError, match="could not be written"):
        model(network()).save_pretrained(tmp_path / "saved")


def test_a_score_that_is_not_finite_is_refused(tmp_path: Path) -> None:
    made = model(network())
    made.scores = {"kl": float("nan")}
    with pytest.raises(UserError, match="NaN or infinite"):
        made.save_pretrained(tmp_path)
    assert not any(tmp_path.iterdir())


# ---------------------------------------------------------------------------------------------------------------------- the Hub
class Hub:
    """What the Hub was asked to take."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.created: list[str] = []
        self.uploaded: dict[str, bytes] = {}
        monkeypatch.setattr(HfApi, "create_repo", self.create)
        monkeypatch.setattr(HfApi, "upload_folder", self.upload)

    def create(self, repo_id: str, **_: Any) -> Any:
        self.created.append(repo_id)
        return type("Repo", (), {"repo_id": repo_id})

    def upload(self, folder_path: Path, **_: Any) -> str:
        self.uploaded = {file.name: file.read_bytes() for file in Path(folder_path).iterdir()}
        return "address"


def test_it_is_published_as_it_is_saved(
    saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub, made = Hub(monkeypatch), InterpretableModel.from_pretrained(saved, predictor=network())
    assert made.push_to_hub("me/mine", private=True) == "address"
    assert hub.uploaded == {name: (saved / name).read_bytes() for name in FILES}
    assert (
        made.save_pretrained(tmp_path / "other", push_to_hub=True, repo_id="me/other") == "address"
    )
    assert hub.created == ["me/mine", "me/other"]


def test_nothing_is_created_for_one_that_cannot_be_saved(monkeypatch: pytest.MonkeyPatch) -> None:
    hub = Hub(monkeypatch)
    with pytest.raises(UserError, match="put together by hand"):
        small_model().push_to_hub("me/mine")
    assert not hub.created


def test_it_comes_back_from_a_repository(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {}

    def downloaded(repo_id: str, **options: Any) -> str:
        asked.update(options, repo_id=repo_id)
        return str(saved)

    monkeypatch.setattr("interp_by_design.model.restoring.snapshot_download", downloaded)
    back = InterpretableModel.from_pretrained("me/mine", predictor=network(), revision="v1")
    assert back.scores == {"fidelity": 0.96875, "kl": 0.1}
    assert (asked["repo_id"], asked["revision"], set(asked["allow_patterns"])) == (
        "me/mine",
        "v1",
        FILES,
    )
