"""Live explanations of images that are sent, by the model of a run."""

from __future__ import annotations

import base64
import io
import threading
from collections.abc import Callable, Mapping
from typing import Any, final

from PIL import Image
from torch import Tensor

from interp_by_design.run.image_file import SENT
from interp_by_design.run.saved_run import SavedRun
from interp_by_design.serve.app import Pages
from interp_by_design.serve.server import listening, run_server
from interp_by_design.terms import check_tau


def serve(open_run: Callable[[], SavedRun], host: str, port: int, show: bool, tau: float) -> None:
    """Serve the report of a run and explain images that are sent, until Ctrl-C.

    Args:
        open_run: Opens the run, which takes seconds: it is called once the port is acquired.
        host: The address to listen at.
        port: The port; 0 takes any free one.
        show: Whether to open a browser.
        tau: Attributes are shown where |relevance| > 1/tau.

    Raises:
        UserError: Where the server cannot listen, and where the run cannot be opened.
    """
    check_tau(tau)
    with listening(host, port) as listener:
        run_server(pages_of(open_run(), tau), listener, host, show)


def pages_of(run: SavedRun, tau: float) -> Pages:
    """Build the pages of a run.

    Args:
        run: The run.
        tau: Attributes are shown where |relevance| > 1/tau.

    Returns:
        The pages.
    """
    channels, height, width = run.model.facts.image_shape
    colour = "colour" if channels == 3 else "gray"
    facts = {
        "title": run.title,
        "wanted": f"{', '.join(SENT.values())}; resized to {height} x {width} pixels in {colour}, "
        "as the model takes them.",
    }
    return Pages(run.folder.path / "report.html", facts, LiveExplainer(run, tau))


@final
class LiveExplainer:
    """Explains images one after another: a model is not shared between threads.

    Args:
        run: The run whose model explains.
        tau: Attributes are shown where |relevance| > 1/tau.
    """

    def __init__(self, run: SavedRun, tau: float) -> None:
        self.run, self.tau, self.reader, self.lock = run, tau, run.reader, threading.Lock()

    def __call__(self, content: bytes) -> Mapping[str, Any]:
        image = self.reader.decode(content)
        with self.lock:
            explanation = self.run.model.explain(image, self.tau)
        return {
            "image": _picture(image),
            **explanation.as_dict(self.run.model.facts.class_names, self.run.names),
        }


def _picture(image: Tensor) -> str:
    """Return the image that the model gets, as a PNG in a data URI."""
    pixels = (image * 255).round().byte().permute(1, 2, 0).squeeze(2).numpy()
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
