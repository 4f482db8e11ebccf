"""Explanations as numbers: what decides one image, what attributes stand for, where they look, what changes a decision.

Draws nothing and files nothing. Names are imported when first used: captum's import takes a second.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
