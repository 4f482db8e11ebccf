"""Image classifiers that explain themselves: a predictor and an attribute-dictionary interpreter, trained together.

`interp_by_design.load("runs/…")` gives a trained model back; `interp_by_design.interpret(network, layers, data)` fits an
interpreter to a network that is trained already; `interp_by_design.controls(model, data)` fits the two that explain nothing, to
read its scores beside. Names are imported when first used, so that importing this package is free.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
