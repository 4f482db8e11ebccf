"""The Python examples of the README and the guides run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch

import interp_by_design
from interp_by_design.data import Digits

ROOT = Path(__file__).parents[1]


def examples(page: str, section: str) -> str:
    """Return the Python code of one section of a page."""
    text = (ROOT / page).read_text().partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    return "\n".join(re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL))


@pytest.mark.slow
def test_the_readme_interprets_a_network() -> None:
    draws = torch.Generator().manual_seed(0)
    images = torch.rand(40, 3, 64, 64, generator=draws)
    code = examples("README.md", "Eight lines of code").replace(
        'weights="DEFAULT"', "num_classes=5"
    )
    names: dict[str, Any] = {
        "my_dataset": [(image, i % 5) for i, image in enumerate(images)],
        "image": images[0],
    }

    exec(code.replace("n_attributes=48", "n_attributes=48, epochs=1, cache='ram'"), names)

    assert names["explanation"].agrees in (True, False)
    assert len(names["explanation"].contributions) == 48


@pytest.mark.slow
def test_the_guide_looks_at_a_run(trained_run: Path) -> None:
    data = Digits()
    data.setup()
    images = next(iter(data.test_dataloader())).images
    names: dict[str, Any] = {
        "image": images[0],
        "images": images,
        "model": interp_by_design.load(trained_run),
    }

    exec(
        examples("docs/explaining.md", "From Python").replace('"RUN"', repr(str(trained_run))),
        names,
    )
    exec(examples("docs/explaining.md", "Is there a shortcut?"), names)

    assert 0 <= names["without"].fidelity_after <= 1
