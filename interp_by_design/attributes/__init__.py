"""Φ: attribute dictionaries, from hidden layers to J non-negative attributes. Knows nothing of classes, losses or images.

Ours and their rivals, which read the same hidden layers. Some rivals are fitted to a frozen predictor before the head learns.
"""

from interp_by_design.attributes.cells import all_cells
from interp_by_design.attributes.dictionary import AttributeDictionary
from interp_by_design.attributes.flint import FlintDictionary
from interp_by_design.attributes.linear_probe import LinearProbeDictionary
from interp_by_design.attributes.nmf import NMFDictionary
from interp_by_design.attributes.pca import PCADictionary
from interp_by_design.attributes.sparse_autoencoder import SparseAutoencoderDictionary
from interp_by_design.attributes.topk import TopKDictionary

__all__ = [
    "AttributeDictionary",
    "FlintDictionary",
    "LinearProbeDictionary",
    "NMFDictionary",
    "PCADictionary",
    "SparseAutoencoderDictionary",
    "TopKDictionary",
    "all_cells",
]
