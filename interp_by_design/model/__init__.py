"""f and g as one object: explain, save, load, export."""

from interp_by_design.model.interpretable import InterpretableModel

__all__ = ["InterpretableModel"]
