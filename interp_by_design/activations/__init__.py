"""One pass over a data set; what comes out is what every analysis reads. Knows nothing of training or figures.

Imports nothing heavy by itself: a command that lists caches need not wait for what trains.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
