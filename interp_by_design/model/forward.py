"""g's part of a forward pass."""

from __future__ import annotations

from interp_by_design.interpreter import Interpreter
from interp_by_design.terms import ForwardPass, Interpretation


def interpret(
    interpreter: Interpreter, seen: ForwardPass, reconstruct: bool = True
) -> Interpretation:
    """Interpret a forward pass of f, in the precision of h.

    Args:
        interpreter: g.
        seen: Logits [n, C] and hidden layers of f.
        reconstruct: Whether the decoder runs.

    Returns:
        Logits of f and g [n, C], attributes [n, J], and the decoder's image or None.
    """
    precision = interpreter.head.weights.dtype
    seen = ForwardPass(
        seen.logits.to(precision), tuple(layer.to(precision) for layer in seen.hidden)
    )
    attributes = interpreter(seen)
    reconstruction = interpreter.reconstruct(seen, attributes) if reconstruct else None
    return Interpretation(seen.logits, interpreter.head(attributes), attributes, reconstruction)
