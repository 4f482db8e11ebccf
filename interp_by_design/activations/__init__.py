"""Forward passes over a data set, the interpretation table and the activation cache.

Names are imported when first used: a command that lists caches does not import torch.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
