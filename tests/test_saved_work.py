"""Runs, interpreters and activation caches that version 0.1.0 saved.

They load, explain, evaluate, resume and report.

`tests/saved/v0_1_0` holds small results of revision 5595446: a run by design, one that was stopped
half-way, a post-hoc run with the network that it explains, and the activation cache of its
validation images. `expected.json` holds what that revision computed from them.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import numpy as np
import pytest
import torch

from interp_by_design import InterpretableModel, load
from interp_by_design.activations import CacheSettings, open_cache
from interp_by_design.cli import main
from interp_by_design.data import Digits
from interp_by_design.interpreter.renamed_targets import RENAMED_TARGETS, with_current_targets
from interp_by_design.run import open_run
from interp_by_design.run.folder import CONFIG, PROVENANCE, RunFolder
from interp_by_design.terms import UserError

SAVED = Path(__file__).parent / "saved/v0_1_0"
EXPECTED: dict[str, Any] = json.loads((SAVED / "expected.json").read_text())


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SAVED, tmp_path / "saved"))


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    data = Digits()
    data.setup()
    return next(iter(data.test_dataloader())).images[:4]


def require_expected(model: InterpretableModel, images: torch.Tensor, name: str) -> None:
    expected = EXPECTED[name]
    with torch.no_grad():
        found = model(images)
    for part in ("predictor", "interpreter", "attributes"):
        np.testing.assert_allclose(getattr(found, part), expected[part], rtol=1e-4, atol=1e-5)
    for image, relevance, relevant in zip(
        images, expected["relevance"], expected["relevant"], strict=True
    ):
        explanation = model.explain(image)
        np.testing.assert_allclose(explanation.relevance, relevance, rtol=1e-4, atol=1e-5)
        assert explanation.relevant(tau=2) == relevant


def test_a_run_by_design_loads_and_explains_as_before(saved: Path, images: torch.Tensor) -> None:
    require_expected(load(saved / "by_design"), images, "by_design")


def test_a_post_hoc_run_loads_and_explains_as_before(saved: Path, images: torch.Tensor) -> None:
    model = load(saved / "post_hoc", predictor=saved / "lenet.pth")
    require_expected(model, images, "post_hoc")


def test_a_saved_interpreter_loads_and_explains_as_before(
    saved: Path, images: torch.Tensor
) -> None:
    network = load(saved / "post_hoc", predictor=saved / "lenet.pth").predictor.network
    model = InterpretableModel.from_pretrained(saved / "post_hoc/interpreter", predictor=network)
    require_expected(model, images, "post_hoc")


def test_a_run_is_evaluated_to_the_numbers_that_it_wrote(saved: Path) -> None:
    run = saved / "by_design"
    wrote = json.loads((run / "metrics.json").read_text())
    main_of("evaluate", str(run), "--no-controls", "--json", str(saved / "scores.json"))
    found = json.loads((saved / "scores.json").read_text())
    common = {key for key in found if key in wrote}
    assert "test/fidelity" in common
    assert len(common) > 40
    for key in common:
        assert found[key] == pytest.approx(wrote[key], rel=1e-4, abs=1e-6), key


def test_the_tables_of_a_run_are_read_and_not_made_again(
    saved: Path, caplog: pytest.LogCaptureFixture
) -> None:
    table = open_run(saved / "by_design").table("test")
    stored = np.load(saved / "by_design/tables/test/attributes.npy")
    assert np.array_equal(table.attributes, stored)
    assert not caplog.records


@pytest.mark.slow
def test_a_stopped_run_resumes_to_the_numbers_of_an_unbroken_one(saved: Path) -> None:
    run = saved / "stopped"
    command = [sys.executable, "-m", "interp_by_design", "train", f"resume={run}"]
    subprocess.run(command, check=True, capture_output=True, text=True)
    found = json.loads((run / "metrics.json").read_text())
    for key, value in EXPECTED["resumed"].items():
        assert found[key] == pytest.approx(value, rel=1e-3, abs=1e-4), key
    assert json.loads((run / PROVENANCE).read_text())["resumed"]


def test_a_run_is_reported(saved: Path) -> None:
    main_of("report", str(saved / "by_design"), "--no-maximize", "--no-figures", "--samples", "4")
    assert "by_design" in (saved / "by_design/report.html").read_text()


def test_an_activation_cache_opens_by_its_folder(saved: Path) -> None:
    (folder,) = (saved / "cache").iterdir()
    batches = list(open_cache(folder))
    assert sum(len(batch.labels) for batch in batches) == 144
    data = Digits()
    data.setup()
    images = torch.cat([batch.images for batch in data.in_order("val")])
    predictor = load(saved / "post_hoc", predictor=saved / "lenet.pth").predictor
    with torch.no_grad():
        seen = predictor(images)
    found = torch.cat([batch.seen.logits for batch in batches])
    torch.testing.assert_close(found, seen.logits, rtol=1e-4, atol=1e-5)
    hidden = torch.cat([batch.seen.hidden[0].float() for batch in batches])
    torch.testing.assert_close(hidden, seen.hidden[0], rtol=2e-3, atol=2e-3)


def test_an_incomplete_or_damaged_cache_is_refused(saved: Path) -> None:
    (folder,) = (saved / "cache").iterdir()
    shard = folder / "00000.shard"
    content = bytearray(shard.read_bytes())
    content[100] ^= 1
    shard.write_bytes(content)
    with pytest.raises(UserError, match="checksum differs"):
        open_cache(folder)
    with pytest.raises(UserError, match="is no cache"):
        open_cache(saved)


@pytest.mark.parametrize(
    "edit",
    [
        {"sizes": [], "checksums": []},
        {"rows": 143},
        {"rows": "144"},
        {"rows_per_shard": 0},
        {"fields": None},
        {"chunk": None},
    ],
)
def test_a_cache_whose_description_does_not_fit_is_refused(
    saved: Path, edit: dict[str, Any]
) -> None:
    (folder,) = (saved / "cache").iterdir()
    file = folder / "cache.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | edit))
    with pytest.raises(UserError):
        open_cache(folder)


def test_every_current_target_of_the_table_exists() -> None:
    for old, current in RENAMED_TARGETS.items():
        assert callable(resolve_name(current)), current
        with pytest.raises((ImportError, AttributeError)):
            resolve_name(old)


def test_the_config_of_a_run_names_what_exists_now(saved: Path) -> None:
    config = RunFolder.existing(saved / "post_hoc").config
    assert "gather" in (saved / "post_hoc" / CONFIG).read_text()
    assert resolve_name(config.cache._target_) is CacheSettings
    assert with_current_targets({"_target_": "mine.Own"}) == {"_target_": "mine.Own"}


@pytest.mark.parametrize("number", [0, 3, None])
def test_a_run_of_an_unknown_format_is_refused(saved: Path, number: int | None) -> None:
    file = saved / "by_design" / PROVENANCE
    file.write_text(json.dumps(json.loads(file.read_text()) | {"format": number}))
    with pytest.raises(
        UserError, match=f"run format {number}, and this version reads formats 1, 2"
    ):
        load(saved / "by_design")


def main_of(*arguments: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["interp", *arguments])
        main()
