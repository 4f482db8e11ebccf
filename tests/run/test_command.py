"""The command line as a person uses it: each mistake in its own process, told in a few lines."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def train(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "train.py"), f"hydra.run.dir={folder}", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder.parent, check=False)


@pytest.mark.parametrize(
    ("argument", "explanation"),
    [
        (
            "learnin.objective.beta=1",
            "No key or group 'learnin.objective.beta' in the configuration. Did you mean 'learning.objective.beta'?",
        ),
        (
            "data=mnst",
            "No option 'mnst' in the group 'data'. Known: digits, factors, fashion_mnist, mnist, quickdraw. Did you mean 'mnist'?",
        ),
        ("experiment=minst", "Did you mean 'mnist'?"),
        ("predictor.hidden_layers=[conv9,fc1]", "No layer 'conv9' in LeNet. Known: conv1, conv2, fc1, head. Did you mean 'conv"),
        ("predictor.hidden_layers=[head]", "an interpreter that reads the answer explains nothing"),
        ("predictor.hidden_layers=[]", "at least one layer"),
        ("attributes=flint", "attributes=topk, which reads vectors too"),
        ("attributes.n_attributes=0", "n_attributes must be a whole number of at least 1, not 0"),
        ("attributes.n_attributes=many", "n_attributes must be a whole number of at least 1, not 'many'"),
        ("attributes.k=21", "from 1 to n_attributes=20, not 21"),
        ("learning.objective.gamma=-1", "The weight gamma must be a finite number >= 0, not -1"),
        ("learning.objective.forms.codes=softmx", "No form of codes 'softmx'. Known: softmax, sum. Did you mean 'softmax'?"),
        ("data.batch_size=0", "batch_size=0 holds no image"),
        ("seed=-1", "seed=-1 is negative"),
        ("trainer.accelerator=abacus", "abacus"),
        ("checkpoint=beste", "No checkpoint called 'beste'. Known: best, last. Did you mean 'best'?"),
    ],
)
def test_a_mistake_is_told_without_a_stack_trace(argument: str, explanation: str, tmp_path: Path) -> None:
    ran = train(argument, folder=tmp_path / "run")
    assert ran.returncode == 1
    assert explanation in ran.stderr
    assert "Traceback" not in ran.stderr


def test_data_that_is_not_there_is_told_with_what_to_do(tmp_path: Path) -> None:
    ran = train("data=mnist", "data.root=nowhere", folder=tmp_path / "run")
    assert ran.returncode == 1
    assert "nowhere" in ran.stderr
    assert "data.download=true" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_debug_brings_the_stack_trace_back(tmp_path: Path) -> None:
    ran = train("attributes.k=21", "debug=true", folder=tmp_path / "run")
    assert ran.returncode != 0
    assert "Traceback" in ran.stderr


@pytest.mark.parametrize("argument", ["--help", "--cfg=job"])
def test_asking_does_not_import_what_training_needs(argument: str, tmp_path: Path) -> None:
    looked = f"import sys, runpy; sys.argv = ['train.py', '{argument}']\ntry: runpy.run_path('{ROOT / 'train.py'}', run_name='__main__')\n"
    looked += "finally: print('HEAVY', sorted({'torch', 'pytorch_lightning', 'sklearn'} & set(sys.modules)))"
    ran = subprocess.run([sys.executable, "-c", looked], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert "HEAVY []" in ran.stdout, ran.stderr
    assert "experiment" in ran.stdout


def test_multirun_makes_a_run_folder_for_each_value(tmp_path: Path) -> None:
    command = [
        sys.executable,
        str(ROOT / "train.py"),
        "-m",
        "seed=0,1",
        "trainer.max_epochs=1",
        f"hydra.sweep.dir={tmp_path / 'sweep'}",
    ]
    ran = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert ran.returncode == 0, ran.stderr
    for job in ("0", "1"):
        assert (tmp_path / "sweep" / job / "metrics.json").is_file()
        assert (tmp_path / "sweep" / job / "checkpoints" / "last.ckpt").is_file()


def test_the_package_is_imported_in_milliseconds() -> None:
    start = "import time; t = time.perf_counter(); import interp_by_design, sys; print('torch' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", start], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"
