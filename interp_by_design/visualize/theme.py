"""Colours of a figure on a light and on a dark page, safe for colour-blind people.

Categories are Okabe and Ito's colours (2008) that contrast with the page; magnitudes are viridis;
signed relevance is blue for and orange against. Figures never rely on colour alone: they add signs,
hatches, dashes or numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import matplotlib
import numpy as np
from matplotlib.colors import Colormap, LinearSegmentedColormap
from numpy.typing import NDArray


@final
@dataclass(frozen=True)
class Theme:
    """The colours of a figure, as #rrggbb.

    Args:
        name: of the theme.
        page: the background.
        ink: of text.
        muted: of secondary text.
        faint: of grid lines and empty cells.
        categories: of lines.
        positive: of evidence for.
        negative: of evidence against.
        magnitudes: the name of a colour map of matplotlib, from little to much.
        signed: from against over neither, close to the page, to for.
    """

    name: str
    page: str
    ink: str
    muted: str
    faint: str
    categories: tuple[str, ...]
    positive: str
    negative: str
    magnitudes: str
    signed: tuple[str, ...]

    def magnitude_map(self) -> Colormap:
        """Colours for 0 (little) to 1 (much)."""
        return matplotlib.colormaps[self.magnitudes]

    def signed_map(self) -> Colormap:
        """Colours for 0 (against) over a half (neither) to 1 (for)."""
        return LinearSegmentedColormap.from_list(f"signed on {self.name}", list(self.signed))

    def ink_on(self, colours: NDArray[Any]) -> list[str]:
        """Return the ink that contrasts best with each colour, by WCAG 2.

        Args:
            colours: [n, 3 or more] in 0..1.

        Returns:
            Black or white for each.
        """
        return ["#000000" if light > 0.179 else "#ffffff" for light in luminance(colours)]


def luminance(colours: NDArray[Any]) -> NDArray[np.float64]:
    """Compute relative luminance as WCAG 2 defines it for sRGB.

    Args:
        colours: [..., 3 or more] in 0..1.

    Returns:
        [...] in 0..1.

    >>> luminance(np.array([[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]])).round(3).tolist()
    [0.0, 1.0]
    """
    rgb = np.asarray(colours, dtype=np.float64)[..., :3]
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    weighed: NDArray[np.float64] = linear @ np.array([0.2126, 0.7152, 0.0722])
    return weighed


LIGHT = Theme(
    name="light",
    page="#ffffff",
    ink="#1a1a1a",
    muted="#595959",
    faint="#d9d9d9",
    categories=("#0072b2", "#d55e00", "#009e73", "#000000"),
    positive="#0072b2",
    negative="#d55e00",
    magnitudes="viridis_r",
    signed=("#8a3800", "#dc7a2e", "#f6f6f6", "#3f93c6", "#003f6b"),
)
DARK = Theme(
    name="dark",
    page="#15181c",
    ink="#ececec",
    muted="#a9b0b8",
    faint="#3c424a",
    categories=("#56b4e9", "#e69f00", "#009e73", "#f0e442"),
    positive="#56b4e9",
    negative="#e69f00",
    magnitudes="viridis",
    signed=("#ffc04d", "#9a6410", "#1f2328", "#22699a", "#7dcbfa"),
)
