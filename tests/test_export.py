"""Tests of exporting f and g as one program."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnxruntime
import pytest
import timm
import torch
import torchvision
from torch import Tensor, nn

from interp_by_design.attributes import (
    AttributeDictionary,
    FlintDictionary,
    LinearProbeDictionary,
    NMFDictionary,
    PCADictionary,
    SparseAutoencoderDictionary,
    TopKDictionary,
)
from interp_by_design.interpreter import DenseDecoder, LinearHead, LinearInterpreter
from interp_by_design.model import InterpretableModel
from interp_by_design.predictor import LeNet, NarrowResNet, Predictor, Preprocessing
from interp_by_design.terms import DataFacts, Normalisation, UserError
from tests.small import small_model

OUTPUTS = ["predictor_logits", "interpreter_logits", "attributes", "contributions"]
NAMES = tuple(f"class {i}" for i in range(10))
COLOURS = Normalisation((0.4, 0.5, 0.6), (0.2, 0.3, 0.25))


def model(
    network: nn.Module, layers: list[str], side: int, make: Callable[..., AttributeDictionary]
) -> InterpretableModel:
    facts = DataFacts((3, side, side), NAMES, COLOURS)
    predictor = Predictor(network.eval(), layers, facts)
    dictionary = make(predictor.hidden_shapes, 8)
    for name, buffer in dictionary.named_buffers():
        fill = {"fitted": lambda value: value.fill_(True)}.get(
            name.rpartition(".")[2], nn.init.uniform_
        )
        if buffer.dtype != torch.int64:
            fill(buffer)
    decoder = DenseDecoder(8, facts.image_shape, width=4)
    return InterpretableModel(
        predictor, LinearInterpreter(dictionary, LinearHead(8, 10), decoder), facts
    ).eval()


def topk(shapes: list[torch.Size], n_attributes: int) -> AttributeDictionary:
    return TopKDictionary(shapes, n_attributes, k=3)


def fitted(shapes: list[torch.Size], n_attributes: int) -> AttributeDictionary:
    return PCADictionary(shapes, n_attributes, k=3)


MODELS: dict[str, Callable[[], InterpretableModel]] = {
    "lenet": lambda: model(
        LeNet((3, 16, 16), 10, channels=(4, 8), width=16), ["conv1", "fc1"], 16, topk
    ),
    "resnet20": lambda: model(NarrowResNet((3, 16, 16), 10, 20), ["layer1", "avgpool"], 16, fitted),
    "squeezenet": lambda: model(
        torchvision.models.squeezenet1_0(num_classes=10, weights=None),
        ["features.5", "features.12"],
        32,
        topk,
    ),
    "convnext": lambda: model(
        torchvision.models.convnext_tiny(num_classes=10), ["features.3", "features.7"], 32, topk
    ),
    "vit": lambda: model(
        timm.create_model("vit_tiny_patch16_224", num_classes=10, depth=6),
        ["blocks.2", "blocks.5:prefix"],
        224,
        topk,
    ),
    "operations": lambda: model(
        torchvision.models.resnet18(num_classes=10), ["layer1.0.add", "layer4"], 32, topk
    ),
}
DICTIONARIES: dict[str, Callable[..., AttributeDictionary]] = {
    "flint": lambda shapes, j: FlintDictionary(shapes, j),
    "linear_probe": lambda shapes, j: LinearProbeDictionary(shapes, j, k=3),
    "nmf": lambda shapes, j: NMFDictionary(shapes, j, k=3),
    "pca": lambda shapes, j: PCADictionary(shapes, j, k=3),
    "sparse_autoencoder": lambda shapes, j: SparseAutoencoderDictionary(shapes, j, k=3),
    "continuous": lambda shapes, j: TopKDictionary(shapes, j, k=3, continuous=True),
}


def live(made: InterpretableModel, images: Tensor) -> dict[str, Tensor]:
    with torch.no_grad():
        seen = made(images, reconstruct=False)
    contributions = torch.stack([made.explain(image).contributions for image in images])
    return dict(
        zip(
            OUTPUTS, (seen.predictor, seen.interpreter, seen.attributes, contributions), strict=True
        )
    )


def through_torch(made: InterpretableModel, folder: Path) -> Callable[[Tensor], dict[str, Tensor]]:
    made.export(folder / "model.pt2")
    program: Callable[[Tensor], dict[str, Tensor]] = torch.export.load(
        folder / "model.pt2"
    ).module()
    return program


def through_onnx(made: InterpretableModel, folder: Path) -> Callable[[Tensor], dict[str, Tensor]]:
    made.export_onnx(folder / "model.onnx")
    session = onnxruntime.InferenceSession(folder / "model.onnx")
    assert [(given.name, given.shape[0]) for given in session.get_inputs()] == [("images", "batch")]
    assert [output.name for output in session.get_outputs()] == OUTPUTS
    return lambda images: dict(
        zip(
            OUTPUTS,
            map(torch.from_numpy, session.run(None, {"images": images.numpy()})),
            strict=True,
        )
    )


def compare(made: InterpretableModel, program: Callable[[Tensor], dict[str, Tensor]]) -> None:
    for n in (1, 5):
        images = torch.rand(n, *made.facts.image_shape)
        wanted, found = live(made, images), program(images)
        assert list(found) == OUTPUTS
        for name in OUTPUTS:
            torch.testing.assert_close(found[name], wanted[name], rtol=1e-5, atol=1e-5)


@pytest.mark.filterwarnings(
    "ignore::UserWarning:torch", "ignore::DeprecationWarning", "ignore::FutureWarning"
)
@pytest.mark.parametrize("through", [through_torch, through_onnx])
@pytest.mark.parametrize("name", MODELS)
def test_program_matches_the_model(name: str, through: Callable[..., Any], tmp_path: Path) -> None:
    torch.manual_seed(0)
    made = MODELS[name]()
    compare(made, through(made, tmp_path))


@pytest.mark.filterwarnings(
    "ignore::UserWarning:torch", "ignore::DeprecationWarning", "ignore::FutureWarning"
)
@pytest.mark.parametrize("name", DICTIONARIES)
def test_every_dictionary_is_exported(name: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = LeNet((3, 8, 8), 10, channels=(4, 8), width=16)
    made = model(
        network,
        ["conv1", "conv2"] if name in ("flint", "nmf") else ["conv1", "fc1"],
        8,
        DICTIONARIES[name],
    )
    compare(made, through_onnx(made, tmp_path))


@pytest.mark.filterwarnings(
    "ignore::UserWarning:torch", "ignore::DeprecationWarning", "ignore::FutureWarning"
)
@pytest.mark.parametrize("through", [through_torch, through_onnx])
def test_program_includes_the_preprocessing(through: Callable[..., Any], tmp_path: Path) -> None:
    torch.manual_seed(0)
    made = MODELS["lenet"]()
    facts = DataFacts((3, 24, 20), NAMES, COLOURS)
    predictor = Predictor(
        made.predictor.network, ["conv1", "fc1"], facts, Preprocessing(COLOURS, (16, 16), "bgr")
    )
    resized = InterpretableModel(predictor, made.interpreter, facts).eval()
    compare(resized, through(resized, tmp_path))


def test_model_is_unchanged(tmp_path: Path) -> None:
    made = small_model().train()
    before = {name: value.clone() for name, value in made.state_dict().items()}
    made.export(tmp_path / "model.pt2")
    assert all(part.training for part in made.modules())
    assert all(torch.equal(value, before[name]) for name, value in made.state_dict().items())
    assert all(parameter.requires_grad for parameter in made.parameters())
    assert [file.name for file in tmp_path.iterdir()] == ["model.pt2"]


class Branching(nn.Module):
    """Network that branches on the pixels."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.head = nn.Linear(64, 5), nn.Linear(5, 3)

    def forward(self, images: Tensor) -> Tensor:
        hidden = self.body(images.flatten(1))
        logits: Tensor = self.head(hidden if images.mean() > 0.5 else -hidden)
        return logits


def test_network_that_cannot_be_exported_is_refused(tmp_path: Path) -> None:
    made = small_model()
    network = Branching()
    predictor = Predictor(network, ["body"], made.facts)
    interpreter = LinearInterpreter(
        topk(predictor.hidden_shapes, 6), LinearHead(6, 3), made.interpreter.decoder
    )
    with pytest.raises(
        UserError,
        match=r"Branching with its interpreter cannot be exported: .*Branches that depend",
    ):
        InterpretableModel(predictor, interpreter, made.facts).export(tmp_path / "model.pt2")
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("export", [InterpretableModel.export, InterpretableModel.export_onnx])
def test_unwritable_file_is_refused_before_the_export(
    export: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.export.export", lambda *_, **__: pytest.fail("worked"))
    with pytest.raises(UserError, match="There is no folder"):
        export(small_model(), tmp_path / "gone" / "model.file")
    with pytest.raises(UserError, match="is a folder"):
        export(small_model(), tmp_path)

    def refusing(
        path: Path, *_: Any, **__: Any
    ) -> Any:  # as chmod 555, which does not hold for root
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", refusing)
    with pytest.raises(UserError, match=r"model\.file could not be written: Permission denied"):
        export(small_model(), tmp_path / "model.file")


@pytest.mark.parametrize("package", ["onnx", "onnxscript"])
def test_missing_onnx_names_the_extra(
    package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    imported = builtins.__import__

    def without(name: str, *arguments: Any) -> Any:
        if name == package:
            raise ModuleNotFoundError(f"No module named '{name}'", name=name)
        return imported(name, *arguments)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(
        UserError, match=rf'{package} is missing.*pip install "interp_by_design\[onnx\]"'
    ):
        small_model().export_onnx(tmp_path / "model.onnx")
