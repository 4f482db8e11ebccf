"""Networks of other people's, with random weights, that tests read layers of."""

from __future__ import annotations

import timm
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from interp_by_design.predictor import torchvision_network

SHAPE = (3, 64, 64)
N_CLASSES = 4


def torchvisions(name: str) -> nn.Module:
    torch.manual_seed(0)
    return torchvision_network(SHAPE, N_CLASSES, name)


def timms(name: str, **options: object) -> nn.Module:
    torch.manual_seed(0)
    return timm.create_model(name, pretrained=False, num_classes=N_CLASSES, **options)


def small_vit(**options: object) -> nn.Module:
    return timms("vit_tiny_patch16_224", img_size=64, depth=3, **options)


class Own(nn.Module):
    """Uses a module twice, adds, and works in place; `forget` is called for nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.again = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)
        self.relu, self.forget = nn.ReLU(inplace=True), nn.Linear(1, 1)
        self.head = nn.Linear(4, N_CLASSES)

    def forward(self, images: Tensor) -> Tensor:
        x = self.relu(self.conv(images))
        y = F.dropout(self.again(x), 0.5, self.training) + x
        return self.head(self.relu(y).mean((2, 3)))
