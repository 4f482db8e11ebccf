"""f: networks, weights, and reading hidden layers. Knows nothing of attributes, losses or training."""

from interp_by_design.predictor.hidden_layers import evaluating, layer_shapes, overwrites, read
from interp_by_design.predictor.networks import LeNet, PublishedLeNet
from interp_by_design.predictor.predictor import Predictor
from interp_by_design.predictor.pretrained import torchvision_network
from interp_by_design.predictor.resnet import NarrowResNet, ResNet18
from interp_by_design.predictor.weights import load_weights

__all__ = [
    "LeNet",
    "NarrowResNet",
    "Predictor",
    "PublishedLeNet",
    "ResNet18",
    "evaluating",
    "layer_shapes",
    "load_weights",
    "overwrites",
    "read",
    "torchvision_network",
]
