"""Image data sets as Lightning datamodules.

To add one: subclass `ImageData`, write `read`, mark it `@final`, and write a YAML file in
`conf/data`.
"""

from interp_by_design.data.augmentation import (
    Augmentation,
    Chain,
    RandomErase,
    RandomFlip,
    RandomShift,
)
from interp_by_design.data.cifar10 import CIFAR10
from interp_by_design.data.datamodule import ImageData
from interp_by_design.data.digits import Digits
from interp_by_design.data.factor_images import FactorImages
from interp_by_design.data.fine_factor_images import FineFactorImages
from interp_by_design.data.image_folder import ImageFolder
from interp_by_design.data.in_memory import InMemoryData
from interp_by_design.data.loader import Loader
from interp_by_design.data.mnist import MNIST, FashionMNIST
from interp_by_design.data.quickdraw import QuickDraw
from interp_by_design.data.rendering import render
from interp_by_design.data.scenes import Scenes
from interp_by_design.data.split import DataSplits, Split, TensorSplit
from interp_by_design.data.tensors import TensorData

__all__ = [
    "CIFAR10",
    "MNIST",
    "Augmentation",
    "Chain",
    "DataSplits",
    "Digits",
    "FactorImages",
    "FashionMNIST",
    "FineFactorImages",
    "ImageData",
    "ImageFolder",
    "InMemoryData",
    "Loader",
    "QuickDraw",
    "RandomErase",
    "RandomFlip",
    "RandomShift",
    "Scenes",
    "Split",
    "TensorData",
    "TensorSplit",
    "render",
]
