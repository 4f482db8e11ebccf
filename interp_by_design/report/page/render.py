"""The page as one HTML file that needs nothing else: styles, scripts, Plotly and content inside.

Nothing that comes with a data set is read as HTML: Jinja escapes it in the page's text, the JSON
holds no `<`, and the scripts set text alone. A content security policy enforces it: the page runs
the scripts that are put in here, and loads nothing.

`make plotly` fetches the chart library of `scripts/vendor/` again; `plotly.json` records its
version and hash. It is plotly.js-basic with 1.2 MB, because the charts are lines alone; the full
plotly.js has 4.8 MB. A library for line charts alone, such as uPlot with 50 kB, would save 1.1 MB
of a page whose images take up to 25 MB, at the price of code for sizes, margins and themes.
"""

from __future__ import annotations

import base64
import dataclasses
import gzip
import hashlib
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2.utils import htmlsafe_json_dumps
from markupsafe import Markup

from interp_by_design.report.page.content import PageContent
from interp_by_design.report.page.sections import SECTIONS

HERE = Path(__file__).parent
CHART_LIBRARY = HERE / "scripts" / "vendor" / "plotly-basic.min.js.gz"
STYLES = ("base", "tabs", "galleries", "bars")
# In this order: a script uses what those before it define. Sections come between these two.
SCRIPTS = ("dom", "content", "head", "naming", "pictures", "bars", "charts", "panels", "labels")
LAST_SCRIPTS = ("tabs", "start")


def render_page(content: PageContent) -> str:
    """Render the whole page.

    Args:
        content: What the page shows.

    Returns:
        HTML.

    Raises:
        ValueError: A number in `content` is NaN or infinite, which JSON cannot hold.
    """
    chart_library = gzip.decompress(CHART_LIBRARY.read_bytes()).decode("utf-8")
    first, application = _script("common/theme"), _application()
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined
    )
    return environment.get_template("page.html").render(
        content=content,
        sections=SECTIONS,
        values=_json(content),
        policy=policy((first, application, chart_library)),
        styles=Markup("\n".join(_styles())),
        first=Markup(first),
        application=Markup(application),
        chart_library=Markup(chart_library),
    )


def policy(scripts: tuple[str, ...]) -> str:
    """Return a content security policy for a page that connects to nothing.

    Args:
        scripts: Texts of the scripts that may run.

    Returns:
        A policy that allows these scripts, inline styles, and images from the page itself.
    """
    hashes = (
        base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts
    )
    allowed = " ".join(f"'sha256-{digest}'" for digest in hashes)
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )


def _json(content: PageContent) -> Markup:
    """What the scripts show; sections without a script are in the page as text already."""
    scripted = {
        section.key: content.sections[section.key] for section in SECTIONS if section.script
    }
    values: dict[str, Any] = dataclasses.asdict(content.shared) | scripted
    return htmlsafe_json_dumps(
        values,
        default=dataclasses.asdict,
        ensure_ascii=False,
        allow_nan=False,
        separators=(",", ":"),
    )


def _styles() -> list[str]:
    own = [section.style for section in SECTIONS if section.style]
    return [_read(f"styles/{name}.css") for name in (*STYLES, *own)]


def _application() -> str:
    """All scripts but the first as one, in a scope of its own."""
    names = (
        *(f"common/{name}" for name in SCRIPTS),
        *(section.script for section in SECTIONS if section.script),
        *(f"common/{name}" for name in LAST_SCRIPTS),
    )
    return '(() => {\n"use strict";\n' + "\n".join(map(_script, names)) + "\n})();"


def _script(name: str) -> str:
    return _read(f"scripts/{name}.js")


def _read(name: str) -> str:
    # Line breaks as a browser sees them before it hashes.
    return (HERE / name).read_text(encoding="utf-8").replace("\r\n", "\n")
