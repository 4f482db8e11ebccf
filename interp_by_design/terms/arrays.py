"""Array aliases and the names of splits."""

from __future__ import annotations

from jaxtyping import Float, Int
from torch import Tensor

SPLITS = ("train", "val", "test")  # of every data set

# Axis names: n samples, c channels, h height, w width, classes C, attributes J.
Images = Float[Tensor, "n c h w"]
Labels = Int[Tensor, "n"]
Indices = Int[Tensor, "n"]
Logits = Float[Tensor, "n classes"]
Attributes = Float[Tensor, "n attributes"]
HeadWeights = Float[Tensor, "classes attributes"]
Scalar = Float[Tensor, ""]
