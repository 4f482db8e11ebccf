"""The package as a whole: no global state, no window, and any thread may draw."""

from __future__ import annotations

import threading

import numpy as np
from matplotlib._pylab_helpers import Gcf

from interp_by_design.visualize import LIGHT
from tests.visualize.samples import FIGURES, pixels


def test_pyplot_learns_of_no_figure() -> None:
    pixels(FIGURES["usage"](LIGHT))
    assert Gcf.get_all_fig_managers() == []


def test_threads_draw_what_one_thread_draws() -> None:
    names = ["relevance_map", "local_figure", "usage", "confusion"]
    alone = {name: pixels(FIGURES[name](LIGHT)) for name in names}
    drawn: dict[str, object] = {}

    def draw(name: str) -> None:
        drawn[name] = np.array_equal(pixels(FIGURES[name](LIGHT)), alone[name])

    threads = [threading.Thread(target=draw, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert drawn == dict.fromkeys(names, True)
