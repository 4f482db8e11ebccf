"""The command line of training: messages of user errors, and light imports without training."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from interp_by_design.commands.errors import run_reporting_errors, user_message
from interp_by_design.run import train
from interp_by_design.terms import UserError
from tests.small import CONF, composed

ROOT = CONF.parent


def command(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, str(ROOT / "train.py"), f"hydra.run.dir={folder}", *arguments]
    return subprocess.run(line, capture_output=True, text=True, cwd=folder.parent, check=False)


@pytest.mark.parametrize(
    ("argument", "explanation"),
    [
        (
            "learning.objective.bet=1",
            "No key or group 'learning.objective.bet' in the configuration",
        ),
        ("learning.objectiv.beta=1", "Did you mean 'learning.objective.beta'?"),
        ("data=mnst", "No option 'mnst' in the group 'data'. Known: "),
        ("data=mnst", "Did you mean 'mnist'?"),
        ("experiment=minst", "Did you mean 'mnist'?"),
        (
            "predictor.hidden_layers=[conv9,fc1]",
            "No layer 'conv9' in LeNet. Known: conv1, conv2, fc1, head. Did you mean 'conv",
        ),
        ("predictor.hidden_layers=[head]", "an interpreter that reads the logits explains nothing"),
        ("predictor.hidden_layers=[]", "at least one layer"),
        ("attributes=flint", "attributes=topk, which reads vectors too"),
        ("attributes.n_attributes=0", "n_attributes must be a whole number of at least 1, not 0"),
        ("attributes.k=21", "n_attributes=20, must be a whole number from 1 to 20, not 21"),
        ("learning.objective.gamma=-1", "The weight gamma must be a finite number >= 0, not -1"),
        (
            "learning.objective.forms.codes=softmx",
            "No form of codes 'softmx'. Known: sum, softmax. Did you mean 'softmax'?",
        ),
        ("data.batch_size=0", "batch_size must be a whole number"),
        ("seed=-1", "seed must be a whole number"),
        ("trainer.accelerator=abacus", "abacus"),
        ("trainer.precision=12", "12"),
        ("learning.optimizer.lr=-1", "Invalid learning rate: -1"),
        ("learning.scheduler.pct_start=5", "Optimiser and scheduler cannot be made"),
        ("predictor.network.channels=[20]", "The options of predictor do not work"),
        ("trainer.max_epochs=abc", "trainer.max_epochs must be a whole number"),
        ("data.augmentation=shift", "augmentation='shift' is no augmentation"),
        ("learning.objective.schedule={conciseness:{steps:{2:1}}}", "+learning.objective.schedule"),
        ("checkpoint=beste", "No checkpoint 'beste'. Known: best, last. Did you mean 'best'?"),
        ("data._target_=interp_by_design.data.Digit", "interp_by_design.data.Digit"),
    ],
)
def test_a_mistake_is_explained_with_what_was_wanted(
    argument: str, explanation: str, tmp_path: Path
) -> None:
    with pytest.raises(Exception) as raised:  # noqa: PT011  # any error is explained
        train(composed(tmp_path / "run", argument))
    message = user_message(raised.value)
    assert message is not None
    assert explanation in message


def test_data_that_is_not_there_is_explained_with_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"data\.download=true"):
        train(composed(tmp_path / "run", "data=mnist", f"data.root={tmp_path}"))


def test_a_defect_of_ours_is_not_explained_away() -> None:
    assert user_message(RuntimeError("a bug")) is None


def test_a_mistake_ends_the_process_without_a_stack_trace(tmp_path: Path) -> None:
    ran = command("data=mnst", folder=tmp_path / "run")
    assert ran.returncode == 1
    assert "Did you mean 'mnist'?\n(debug=true shows" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_mistake_found_while_training_ends_it_too(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def main() -> None:
        raise UserError("k must be smaller.")

    monkeypatch.setattr("sys.argv", ["train.py"])
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    with pytest.raises(SystemExit) as ended:
        run_reporting_errors(main, "python train.py")
    assert ended.value.code == 1
    assert capsys.readouterr().err == "\nk must be smaller.\n"


def test_debug_brings_the_stack_trace_back(tmp_path: Path) -> None:
    ran = command("data=mnst", "debug=true", folder=tmp_path / "run")
    assert ran.returncode != 0
    assert "Traceback" in ran.stderr


@pytest.mark.parametrize("argument", ["--help", "--cfg=job"])
def test_asking_does_not_import_what_training_needs(argument: str, tmp_path: Path) -> None:
    looked = f"""
import runpy, sys
sys.argv = ["train.py", "{argument}"]
try:
    runpy.run_path({str(ROOT / "train.py")!r}, run_name="__main__")
finally:
    print("HEAVY", sorted({{"torch", "pytorch_lightning", "sklearn"}} & set(sys.modules)))
"""
    ran = subprocess.run(
        [sys.executable, "-c", looked], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert "HEAVY []" in ran.stdout, ran.stderr
    assert "experiment" in ran.stdout


@pytest.mark.slow
def test_a_compiled_model_trains(tmp_path: Path) -> None:
    # In a separate process: here annotations are checked, and their checker cannot be compiled.
    ran = command("compile=aot_eager", "trainer.max_epochs=1", "threads=1", folder=tmp_path / "run")
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.slow
def test_multirun_makes_a_run_folder_for_each_value(tmp_path: Path) -> None:
    line = [sys.executable, str(ROOT / "train.py"), "-m", "seed=0,1", "trainer.max_epochs=1"]
    ran = subprocess.run(line, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert ran.returncode == 0, ran.stderr
    (sweep,) = tmp_path.glob("runs/*/*-digits-sweep")
    for job in ("0", "1"):
        assert (sweep / job / "metrics.json").is_file()
        assert (sweep / job / "checkpoints" / "last.ckpt").is_file()


def test_the_package_is_imported_in_milliseconds() -> None:
    start = "import interp_by_design, sys; print('torch' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", start], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"
