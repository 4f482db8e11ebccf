"""Pages of the site that are generated: the home page, contributing, and the reference."""

from __future__ import annotations

import ast
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
        files.append(File.generated(config, f"reference/{name}.md", content=_reference(name)))
    return files


def packages() -> list[str]:
    """Return the packages of the project and its top-level modules, in alphabetical order."""
    folder = ROOT / PACKAGE
    found = [path.parent.name for path in folder.glob("*/__init__.py")]
    found += [path.stem for path in folder.glob("*.py") if not path.stem.startswith("__")]
    return sorted(found)


def _reference(name: str) -> str:
    """Return the page of a package: what it exports, then what its modules have in addition."""
    folder = ROOT / PACKAGE / name
    page = f"::: {PACKAGE}.{name}\n    options:\n      show_submodules: false\n"
    exported = _exports(folder)
    for path in sorted(folder.rglob("*.py")):
        names = [
            node.name
            for node in ast.parse(path.read_text()).body
            if isinstance(node, ast.FunctionDef | ast.ClassDef)
            and not node.name.startswith("_")
            and node.name not in exported
        ]
        if names and path.stem != "__init__":
            module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            page += (
                f"\n::: {module}\n    options:\n      heading_level: 2\n      members: {names}\n"
            )
    return page


def _exports(folder: Path) -> set[str]:
    """Return the names that a package imports; a lazy package is shown by its modules."""
    source = folder / "__init__.py"
    if not source.exists() or source.with_suffix(".pyi").exists():
        return set()
    imports = [n for n in ast.walk(ast.parse(source.read_text())) if isinstance(n, ast.ImportFrom)]
    return {alias.asname or alias.name for node in imports for alias in node.names}


def _site_link(link: re.Match[str]) -> str:
    """Return the link as the site needs it; what is not part of the site keeps its text alone."""
    image, text, target, anchor = link.groups(default="")
    if target in TOP_PAGES:
        return f"{image}[{text}]({TOP_PAGES[target]}{anchor})"
    if target.startswith("docs/"):
        return f"{image}[{text}]({target.removeprefix('docs/')}{anchor})"
    return text
