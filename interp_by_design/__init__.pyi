from .api.negative_controls import controls
from .api.post_hoc import interpret
from .model import InterpretableModel
from .run import load
from .terms import Normalisation, UserError

__all__ = ["InterpretableModel", "Normalisation", "UserError", "controls", "interpret", "load"]
