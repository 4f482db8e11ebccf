"""Lightning callbacks: when, not what."""

from interp_by_design.callbacks.progress import Progress
from interp_by_design.callbacks.throughput import Throughput

__all__ = ["Progress", "Throughput"]
