"""Φ: attribute dictionaries, from hidden layers to J non-negative attributes. Knows nothing of classes, losses or images."""

from interp_by_design.attributes.dictionary import AttributeDictionary
from interp_by_design.attributes.flint import FlintDictionary
from interp_by_design.attributes.topk import TopKDictionary

__all__ = ["AttributeDictionary", "FlintDictionary", "TopKDictionary"]
