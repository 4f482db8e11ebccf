"""f and g as one object: all that an analysis needs, saved apart from the network, and exported. Knows nothing of training."""

from interp_by_design.model.interpretable import InterpretableModel

__all__ = ["InterpretableModel"]
