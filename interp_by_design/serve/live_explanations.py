"""`interp serve`: what is told of an image that is sent, by the model of a run."""

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


def serve(opening: Callable[[], SavedRun], host: str, port: int, show: bool, tau: float) -> None:
    """Serves the page of a run and explains images that are sent, until Ctrl-C. Raises `UserError` where it cannot listen.

    `opening` loads the run, which takes seconds: only once it is known that there is a place to serve it.
    """
    check_tau(tau)
    with listening(host, port) as door:
        run_server(pages_of(opening(), tau), door, host, show)


def pages_of(run: SavedRun, tau: float) -> Pages:
    """What is served of a run."""
    channels, height, width = run.model.facts.image_shape
    colour = "colour" if channels == 3 else "gray"
    facts = {
        "title": run.title,
        "wanted": f"{', '.join(SENT.values())}; brought to {height} x {width} pixels in {colour}, as the model takes them.",
    }
    return Pages(run.folder.path / "report.html", facts, Live(run, tau))


@final
class Live:
    """Explains images one after another: a model is not shared between threads."""

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
    """What the model saw, as a PNG in a data URI."""
    pixels = (image * 255).round().byte().permute(1, 2, 0).squeeze(2).numpy()
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
