"""Learnable concepts by design: trained, held to their prior, loaded again."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from interp_by_design.activations import load_table
from interp_by_design.run import load, train
from tests.small import composed

pytestmark = pytest.mark.slow

LEARNABLE = (
    "attributes=learnable_concepts",
    "interpreter=learnable_concepts",
    "learning.objective.delta=0",
)


def test_learnable_concepts_learn_the_digits_and_come_back(tmp_path: Path) -> None:
    scores = train(
        composed(tmp_path, *LEARNABLE, "attributes.strength=false", "trainer.max_epochs=8")
    )
    assert scores["test/fidelity"] > 0.85
    model = load(tmp_path)
    images = torch.rand(20, 1, 8, 8)
    first, again = model(images), model(images)
    assert torch.equal(first.attributes, again.attributes)
    assert set(first.attributes.flatten().tolist()) <= {0.0, 1.0}
    attributes = load_table(tmp_path / "tables/test").attributes
    assert 0.1 < float((attributes > 0).float().mean()) < 0.3  # the prior says 0.2
    logged = (tmp_path / "csv/metrics.csv").read_text().splitlines()[0].split(",")
    assert "train/prior" in logged
