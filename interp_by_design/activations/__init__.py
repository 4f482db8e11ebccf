"""Forward passes over a data set: interpretation tables and the activation cache.

Importing it loads no library: a command that lists caches need not wait for torch.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
