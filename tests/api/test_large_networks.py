"""Tests of the whole workflow on a ViT of timm and a ConvNeXt of torchvision."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path

import onnxruntime
import pytest
import timm
import torch
import torchvision
from torch import nn

import interp_by_design as ibd

pytestmark = pytest.mark.slow

SIDE = 64
IMAGES = torch.rand(48, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(48) % 3


def vit() -> nn.Module:
    network: nn.Module = timm.create_model("vit_tiny_patch16_224", img_size=SIDE, num_classes=3)
    return network


def convnext() -> nn.Module:
    network: nn.Module = torchvision.models.convnext_tiny(num_classes=3)
    return network


@pytest.mark.parametrize(
    ("make", "layers"),
    [
        (vit, ["blocks.5", "blocks.11", "blocks.11:prefix"]),
        (convnext, ["features.5", "features.7"]),
    ],
)
def test_fit_save_load_explain_export(
    make: Callable[[], nn.Module], layers: list[str], tmp_path: Path
) -> None:
    torch.manual_seed(0)
    network = make().eval()
    copy = deepcopy(network)
    model = _fitted(network, layers)
    model.save_pretrained(tmp_path / "saved")
    loaded = ibd.InterpretableModel.from_pretrained(tmp_path / "saved", predictor=copy)
    one, other = model.explain(IMAGES[0]), loaded.explain(IMAGES[0])
    assert one.shown(tau=2) == other.shown(tau=2)
    torch.testing.assert_close(one.contributions, other.contributions)
    _check_exports(loaded, tmp_path)


def _fitted(network: nn.Module, layers: list[str]) -> ibd.InterpretableModel:
    return ibd.interpret(
        network,
        layers,
        (IMAGES, LABELS),
        n_attributes=8,
        active=3,
        epochs=1,
        batch_size=16,
        progress=False,
        accelerator="cpu",
    )


def _check_exports(loaded: ibd.InterpretableModel, folder: Path) -> None:
    with torch.no_grad():
        live = loaded(IMAGES[:3], reconstruct=False)
    loaded.export(folder / "both.pt2")
    exported = torch.export.load(folder / "both.pt2").module()(IMAGES[:3])
    loaded.export_onnx(folder / "both.onnx")
    run = onnxruntime.InferenceSession(folder / "both.onnx").run(
        None, {"images": IMAGES[:3].numpy()}
    )
    wanted = {
        "predictor_logits": live.predictor,
        "interpreter_logits": live.interpreter,
        "attributes": live.attributes,
    }
    for name, values in zip(exported, run, strict=True):
        torch.testing.assert_close(torch.from_numpy(values), exported[name], atol=1e-4, rtol=1e-4)
    for name, value in wanted.items():
        torch.testing.assert_close(exported[name], value, atol=1e-5, rtol=1e-5)
