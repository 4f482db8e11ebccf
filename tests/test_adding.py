"""The example of docs/adding.md: it passes its suite, trains from its YAML, and loads again."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from interp_by_design.run import load, train
from tests.small import CONF, UNDRAWN

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/adding.md").read_text()


@pytest.fixture
def shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with every file that the page shows, by the name in its first line."""
    for block in re.findall(r"```(?:python|yaml)\n(.*?)```", PAGE, flags=re.DOTALL):
        file = tmp_path / block.splitlines()[0].removeprefix("# ")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(block)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "channel_peaks", raising=False)
    return tmp_path


@pytest.mark.slow
def test_the_dictionary_passes_the_conformance_suite(shown: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        str(shown / "test_channel_peaks.py"),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=None, check=False)
    assert done.returncode == 0, done.stdout
    assert "passed" in done.stdout


@pytest.mark.slow
def test_the_yaml_is_enough_to_train_and_score_it(shown: Path) -> None:
    options = [f"hydra.searchpath=[file://{shown / 'own'}]", f"folder={shown / 'run'}", "name=own"]
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = compose(
            "train",
            [
                *options,
                "experiment=digits",
                "attributes=channel_peaks",
                "trainer.max_epochs=8",
                *UNDRAWN,
            ],
        )
    scores = train(config)
    assert scores["test/fidelity"] > 0.5
    assert scores["test/conciseness_abs@5"] <= 3
    assert load(shown / "run", trust=True).interpreter.n_attributes == 20


def test_every_option_that_the_page_names_is_there() -> None:
    table = PAGE.partition("## What there is")[2].partition("## ")[0]
    named = re.findall(r"(attributes|interpreter)=(\w+)", table)
    assert len(named) >= 10
    for group, name in named:
        assert OmegaConf.load(CONF / group / f"{name}.yaml")
