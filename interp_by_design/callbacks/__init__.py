"""Lightning callbacks and loggers: when something is shown or saved, not what.

Names are imported when first used, because those that draw import matplotlib.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
