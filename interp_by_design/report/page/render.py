"""The page as one HTML file that needs nothing else: styles, scripts, Plotly and content inside. Knows nothing of models.

Nothing that came with a data set is read as HTML: Jinja escapes it in the page's text, the JSON holds no `<`, and the scripts set
text alone. A content security policy holds the page to it: it runs the scripts that were put in here, and loads nothing.
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

import plotly
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2.utils import htmlsafe_json_dumps
from markupsafe import Markup

from interp_by_design.report.page.content import PageContent

HERE = Path(__file__).parent
STYLES = ("base", "tabs", "overview", "galleries", "bars")
# In this order: each file uses what those before it define.
SCRIPTS = (
    *("dom", "content", "head", "pictures", "bars", "charts", "overview"),
    *("names", "gallery", "classes", "samples", "what_if", "tabs", "start"),
)


def rendered(content: PageContent) -> str:
    """The whole page. Raises `ValueError` for a number in `content` that JSON has not: NaN or an infinity."""
    first, then = _script("theme"), _application()
    chart_library = (Path(plotly.__file__).parent / "package_data/plotly.min.js").read_text(
        encoding="utf-8"
    )
    scripts = (first, then, chart_library)
    template = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined
    ).get_template("page.html")
    return template.render(
        content=content,
        values=htmlsafe_json_dumps(
            content.for_scripts(), ensure_ascii=False, allow_nan=False, separators=(",", ":")
        ),
        policy=policy(scripts),
        styles=Markup("\n".join(_read("styles", f"{name}.css") for name in STYLES)),
        first=Markup(first),
        then=Markup(then),
        chart_library=Markup(chart_library),
    )


def policy(scripts: tuple[str, ...]) -> str:
    """A content security policy that allows `scripts`, images from the page itself, and no connection to anywhere."""
    hashes = (
        base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts
    )
    allowed = " ".join(f"'sha256-{digest}'" for digest in hashes)
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )


def _application() -> str:
    """The page's own scripts as one, with names of their own."""
    return '(() => {\n"use strict";\n' + "\n".join(_script(name) for name in SCRIPTS) + "\n})();"


def _script(name: str) -> str:
    return _read("scripts", f"{name}.js")


def _read(folder: str, name: str) -> str:
    return (
        (HERE / folder / name).read_text(encoding="utf-8").replace("\r\n", "\n")
    )  # as a browser does before it hashes
