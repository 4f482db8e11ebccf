"""Attribute dictionaries Φ: from hidden layers to J non-negative attributes.

Baselines read the same hidden layers as the default dictionary. Some are fitted to a frozen
predictor before the head learns.
"""

from interp_by_design.attributes.concepts import ConceptDictionary
from interp_by_design.attributes.dictionary import AttributeDictionary
from interp_by_design.attributes.flint import FlintDictionary
from interp_by_design.attributes.grouped import GroupedDictionary
from interp_by_design.attributes.learnable_concepts import LearnableConceptDictionary
from interp_by_design.attributes.linear_probe import LinearProbeDictionary
from interp_by_design.attributes.nmf import NMFDictionary
from interp_by_design.attributes.pca import PCADictionary
from interp_by_design.attributes.pooled_features import all_features
from interp_by_design.attributes.prototypes import PrototypeDictionary
from interp_by_design.attributes.signed import SignedDictionary
from interp_by_design.attributes.sparse_autoencoder import SparseAutoencoderDictionary
from interp_by_design.attributes.topk import TopKDictionary

__all__ = [
    "AttributeDictionary",
    "ConceptDictionary",
    "FlintDictionary",
    "GroupedDictionary",
    "LearnableConceptDictionary",
    "LinearProbeDictionary",
    "NMFDictionary",
    "PCADictionary",
    "PrototypeDictionary",
    "SignedDictionary",
    "SparseAutoencoderDictionary",
    "TopKDictionary",
    "all_features",
]
