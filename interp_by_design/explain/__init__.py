"""Local and global explanations, heat maps, interventions, and how faithful they are."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
