"""Lightning callbacks and loggers: when, not what.

Names are imported when first used: those that draw bring matplotlib with them.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
