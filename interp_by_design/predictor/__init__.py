"""f: networks, and reading their hidden layers. Knows nothing of attributes, losses or training."""

from interp_by_design.predictor.hidden_layers import evaluating, layer_shapes, read
from interp_by_design.predictor.networks import LeNet, PublishedLeNet
from interp_by_design.predictor.predictor import Predictor

__all__ = ["LeNet", "Predictor", "PublishedLeNet", "evaluating", "layer_shapes", "read"]
