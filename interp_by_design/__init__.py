"""Image classifiers that explain themselves: a predictor and an attribute-dictionary interpreter.

`interp_by_design.load("runs/…")` loads a trained model. `interp_by_design.interpret(network,
layers, data)` fits an interpreter to a trained network. `interp_by_design.controls(model, data)`
fits the two negative controls, whose scores its own are compared with. Names are imported when
first used, so that importing this package is fast.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
