"""Pages of the site that are generated: the home page, contributing, and the reference."""

from __future__ import annotations

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]
PACKAGE = "interp_by_design"
TOP_PAGES = {"README.md": "index.md", "CONTRIBUTING.md": "contributing.md"}
LINK = re.compile(r"(!?)\[([^]]*)\]\((?!https?:|#)([^)#]+)(#[^)]*)?\)")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put a page for each package into the navigation.

    Args:
        config: The configuration of the site.
    """
    pages = [{name: f"reference/{name}.md"} for name in packages()]
    config.nav = [
        {"Reference": pages} if "Reference" in entry else entry for entry in config.nav or []
    ]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are generated.

    Args:
        files: The files of the site.
        config: The configuration of the site.
    """
    for source, page in TOP_PAGES.items():
        content = LINK.sub(_site_link, (ROOT / source).read_text())
        files.append(File.generated(config, page, content=content))
    for name in packages():
        content = f"::: {PACKAGE}.{name}\n"
        files.append(File.generated(config, f"reference/{name}.md", content=content))
    return files


def packages() -> list[str]:
    """Return the packages of the project and its top-level modules, in alphabetical order."""
    folder = ROOT / PACKAGE
    found = [path.parent.name for path in folder.glob("*/__init__.py")]
    found += [path.stem for path in folder.glob("*.py") if not path.stem.startswith("__")]
    return sorted(found)


def _site_link(link: re.Match[str]) -> str:
    """Return the link as the site needs it; what is not part of the site keeps its text alone."""
    image, text, target, anchor = link.groups(default="")
    if target in TOP_PAGES:
        return f"{image}[{text}]({TOP_PAGES[target]}{anchor})"
    if target.startswith("docs/"):
        return f"{image}[{text}]({target.removeprefix('docs/')}{anchor})"
    return text
