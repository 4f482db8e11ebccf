from .loading import load
from .saved_run import open_run
from .training import train

FORMAT: int

__all__ = ["FORMAT", "load", "open_run", "train"]
