"""The documentation agrees with the code: packages, import order, scores, configuration."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from interp_by_design.metrics import SCORES

ROOT = Path(__file__).parents[1]
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()
GROUPS = ("attributes", "cache", "data", "experiment", "interpreter", "learning", "predictor")


def test_the_import_order_is_that_of_the_linter() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    layers = next(entry for entry in contracts["contracts"] if entry["id"] == "layers")["layers"]
    order = "\n".join(re.sub(r"[()]", "", layer) for layer in layers)

    assert f"```text\n{order}\n```" in CONTRIBUTING


def test_every_package_is_listed() -> None:
    folder = ROOT / "interp_by_design"
    packages = {f"{path.parent.name}/" for path in folder.glob("*/__init__.py")}
    modules = {path.name for path in folder.glob("*.py") if not path.name.startswith("__")}
    listed = re.findall(r"^  ([\w.]+/?) {2,}\S", CONTRIBUTING, flags=re.MULTILINE)

    assert set(listed) == packages | modules


def test_every_score_is_defined() -> None:
    page = (ROOT / "docs/scorecard.md").read_text().partition("## Definitions")[2]
    defined = set(re.findall(r"`([\w@τ]+)`", page))

    assert {score.key.partition("@")[0] for score in SCORES} <= {
        name.partition("@")[0] for name in defined
    }


@pytest.mark.parametrize("group", GROUPS)
def test_every_option_of_a_config_group_is_described(group: str) -> None:
    page = (ROOT / "docs/training.md").read_text()
    row = next(line for line in page.splitlines() if line.startswith(f"| `{group}` |"))
    options = {path.stem for path in (ROOT / "conf" / group).glob("*.yaml")}

    assert options <= set(re.findall(r"`(\w+)`", row))


@pytest.mark.parametrize("page", [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")], ids=str)
def test_links_lead_to_files(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#\s]+)", page.read_text()):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"
