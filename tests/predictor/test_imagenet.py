"""A third party's ImageNet weights on photographs, against their published accuracy."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from interp_by_design.predictor import Predictor, Preprocessing, checkpoint_network
from interp_by_design.terms import DataFacts, Normalisation

STEP = 16  # photographs
SIDE = 227  # pixels


def photographs(archive: Path) -> tuple[list[str], Tensor]:
    """Every 16th photograph by name, with its class, resized bicubically as its authors did."""
    with tarfile.open(archive) as tar:
        names = sorted(member.name for member in tar.getmembers() if member.isfile())[::STEP]
        files = [tar.extractfile(name) for name in names]
        images = [
            Image.open(io.BytesIO(file.read()))
            .convert("RGB")
            .resize((SIDE, SIDE), Image.Resampling.BICUBIC)
            for file in files
            if file is not None
        ]
    return [Path(name).parent.name for name in names], torch.stack(
        [torch.from_numpy(np.array(image)) for image in images]
    )


def test_the_squeezenet_file_is_recognised_and_right_on_59_percent(interp_data: Path) -> None:
    classes = (interp_data / "imagenet_wnids.txt").read_text().split()
    network = checkpoint_network(
        (3, SIDE, SIDE), 1000, interp_data / "checkpoints/squeezenet1_0_imagenet.pth"
    )
    facts = DataFacts((3, SIDE, SIDE), tuple(classes), Normalisation())
    predictor = Predictor(network, ["features.6"], facts, Preprocessing(Normalisation())).eval()
    labels, images = photographs(interp_data / "imagenette/imagenette_val.tar")
    wanted = torch.tensor([classes.index(label) for label in labels])
    with torch.no_grad():
        logits = torch.cat(
            [predictor(part.permute(0, 3, 1, 2) / 255).logits for part in images.split(41)]
        )
    found = logits.topk(5, dim=1).indices == wanted[:, None]
    assert round(found[:, 0].float().mean().item(), 2) == 0.59
    assert round(found.any(dim=1).float().mean().item(), 2) == 0.83
