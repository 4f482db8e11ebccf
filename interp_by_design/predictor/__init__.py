"""The predictor f: networks, weights, and the activations of their layers."""

from interp_by_design.predictor.activation_reader import ActivationReader
from interp_by_design.predictor.checkpoint import checkpoint_network, named_network
from interp_by_design.predictor.hidden_layers import LayerReader
from interp_by_design.predictor.hooks import Recorded, recording
from interp_by_design.predictor.layer_table import Layer, usable_layers
from interp_by_design.predictor.modes import evaluating
from interp_by_design.predictor.networks import LeNet, PublishedLeNet
from interp_by_design.predictor.predictor import Predictor
from interp_by_design.predictor.preprocessing import (
    Preprocessing,
    choose_preprocessing,
    parse_size,
)
from interp_by_design.predictor.resnet import NarrowResNet, ResNet18
from interp_by_design.predictor.timm_networks import timm_network
from interp_by_design.predictor.topology import LayerGraph, LayerNode, layer_graph
from interp_by_design.predictor.torchvision_networks import torchvision_network
from interp_by_design.predictor.weights import load_weights, mismatches, weights_hash

__all__ = [
    "ActivationReader",
    "Layer",
    "LayerGraph",
    "LayerNode",
    "LayerReader",
    "LeNet",
    "NarrowResNet",
    "Predictor",
    "Preprocessing",
    "PublishedLeNet",
    "Recorded",
    "ResNet18",
    "checkpoint_network",
    "choose_preprocessing",
    "evaluating",
    "layer_graph",
    "load_weights",
    "mismatches",
    "named_network",
    "parse_size",
    "recording",
    "timm_network",
    "torchvision_network",
    "usable_layers",
    "weights_hash",
]
