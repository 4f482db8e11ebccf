"""Image classifiers that explain themselves: a predictor and an attribute-dictionary interpreter, trained together.

`interp_by_design.load("runs/…")` gives a trained model back; `interp_by_design.interpret(network, layers, data)` fits an
interpreter to a network that is trained already; `interp_by_design.controls(model, data)` fits the two that explain nothing, to
read its scores beside. Names are imported when first used, so that importing this package is free.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from interp_by_design.fit.controls import controls
    from interp_by_design.fit.interpret import interpret
    from interp_by_design.model import InterpretableModel
    from interp_by_design.run import load
    from interp_by_design.terms import Normalisation, UserError

__all__ = ["InterpretableModel", "Normalisation", "UserError", "controls", "interpret", "load"]

_HOMES = {
    "InterpretableModel": "model",
    "Normalisation": "terms",
    "UserError": "terms",
    "controls": "fit",
    "interpret": "fit",
    "load": "run",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
