"""The command `interp` as a person uses it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from omegaconf import DictConfig, OmegaConf

from interp_by_design import cli
from interp_by_design.run import FORMAT
from interp_by_design.run.configs import config_dir
from interp_by_design.run.folder import RunFolder
from tests.small import CONF, FACTS, composed

Printed = pytest.CaptureFixture[str]
Command = Callable[..., None]
Make = Callable[..., Path]
COMMANDS = [
    "train",
    "report",
    "explain",
    "evaluate",
    "attributes",
    "study",
    "serve",
    "compare",
    "layers",
    "cache",
]
HEAVY = {"torch", "pytorch_lightning", "sklearn", "numpy", "rich"}


def interp(
    *arguments: str, cwd: Path, program: tuple[str, ...] = ("-m", "interp_by_design")
) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, *program, *arguments]
    return subprocess.run(line, capture_output=True, text=True, cwd=cwd, check=False)


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> Command:
    """The command in this process, which has imported what it needs."""

    def command(*arguments: object) -> None:
        monkeypatch.setattr(sys, "argv", ["/bin/interp", *map(str, arguments)])
        monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
        cli.main()

    return command


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> DictConfig:
    return composed(tmp_path_factory.mktemp("run"))


@pytest.fixture
def run_folder(config: DictConfig) -> Make:
    """Makes what a run leaves behind, but for its weights."""

    def leave(path: Path, fidelity: float | None, **entries: Any) -> Path:
        folder = RunFolder(path)
        folder.write_config(OmegaConf.merge(config, entries))
        folder.write_provenance(FACTS, "hash")
        if fidelity is not None:
            folder.write("metrics.json", {"test/fidelity": fidelity, "val/fidelity": fidelity})
        return path

    return leave


# ---------------------------------------------------------------------- itself
@pytest.mark.parametrize("arguments", [["--help"], ["-h"], []])
def test_help_is_short(arguments: list[str], here: Command, capsys: Printed) -> None:
    here(*arguments)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Usage: interp [OPTIONS] COMMAND [ARGS]..."
    assert [line.split()[0] for line in lines[lines.index("Commands:") + 1 :]] == COMMANDS
    assert len(lines) < 24
    assert not any("..." in line for line in lines[1:]), "nothing is cut short"


def test_the_version_names_the_format_of_run_folders(here: Command, capsys: Printed) -> None:
    here("--version")
    assert (
        capsys.readouterr().out
        == f"interp_by_design {version('interp_by_design')} (run format {FORMAT})\n"
    )


def test_an_unknown_command_is_answered_with_the_nearest(here: Command, capsys: Printed) -> None:
    with pytest.raises(SystemExit) as ended:
        here("trian")
    assert ended.value.code == 2
    assert (
        capsys.readouterr().err
        == f"interp: no command 'trian'. Known: {', '.join(COMMANDS)}. Did you mean 'train'?\n"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("explain", "Missing argument 'RUN'"),
        ("explain run", "Missing argument 'IMAGE...'"),
        ("compare", "Missing argument 'RUN...'"),
        ("report run --sampels 3", "No such option: --sampels"),
        (
            "report run --samples many",
            "Invalid value for '--samples': Input should be a valid integer",
        ),
        ("study run answers.json", "FILE and --json go with --answers"),
        ("--versoin", "No such option: --versoin"),
    ],
)
def test_a_command_that_cannot_be_read_is_reported(
    arguments: str, message: str, here: Command, capsys: Printed
) -> None:
    with pytest.raises(SystemExit) as ended:
        here(*arguments.split())
    assert ended.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    ["report {}", "explain {} a.png", "evaluate {}", "attributes {}", "study {}", "serve {}"],
)
def test_what_is_no_run_is_reported_in_a_line(
    arguments: str, tmp_path: Path, here: Command, capsys: Printed
) -> None:
    with pytest.raises(SystemExit) as ended:
        here(*arguments.format(tmp_path).split())
    assert ended.value.code == 1
    (message,) = capsys.readouterr().err.strip().splitlines()
    assert message.startswith(
        f"{tmp_path} is not a run folder: it lacks .hydra/config.yaml and provenance.json."
    )


@pytest.mark.parametrize(
    "arguments",
    [
        *(
            "--help",
            "--version",
            "nonsense",
            "cache ls --help",
            "train --cfg=job",
            "explain",
            "serve --port x",
        ),
        *(f"{command} --help" for command in COMMANDS),
    ],
)
def test_asking_loads_nothing_heavy(arguments: str, tmp_path: Path) -> None:
    looked = f"""
import sys
from interp_by_design import cli
sys.argv = ["interp", *{arguments.split()}]
try:
    cli.main()
finally:
    print("HEAVY", sorted({HEAVY} & set(sys.modules)))
"""
    ran = interp(cwd=tmp_path, program=("-c", looked))
    assert "HEAVY []" in ran.stdout, ran.stderr


# ---------------------------------------------------------------------- train
def test_help_names_the_command_that_was_given(tmp_path: Path) -> None:
    module = interp("train", "--help", cwd=tmp_path).stdout
    script = interp("--help", cwd=tmp_path, program=(str(CONF.parent / "train.py"),)).stdout
    assert "usage: python -m interp_by_design train [" in module
    assert "usage: python train.py [" in script
    assert module.replace("python -m interp_by_design train", "python train.py") == script


def test_train_is_train_py(tmp_path: Path) -> None:
    asked = ["experiment=mnist", "seed=3", "--cfg=job"]
    assert (
        interp("train", *asked, cwd=tmp_path).stdout
        == interp(*asked, cwd=tmp_path, program=(str(CONF.parent / "train.py"),)).stdout
    )


def test_a_mistake_is_explained_with_the_command_that_was_given(tmp_path: Path) -> None:
    ran = interp("train", "learning.objectiv.beta=1", cwd=tmp_path)
    assert ran.returncode == 1
    assert (
        "Did you mean 'learning.objective.beta'? "
        "`python -m interp_by_design train --cfg job` lists them all" in ran.stderr
    )
    assert "Traceback" not in ran.stderr


def test_a_folder_conf_of_the_users_own_is_read_only_when_it_is_named(tmp_path: Path) -> None:
    (tmp_path / "conf/attributes").mkdir(parents=True)
    (tmp_path / "conf/attributes/mine.yaml").write_text("_target_: my_module.Mine\n")
    asked = ["--cfg=job", "--package=attributes", "attributes=mine", "experiment=mnist"]
    assert (
        "No option 'mine' in the group 'attributes'. Known: concepts, flint"
        in interp("train", *asked, cwd=tmp_path).stderr
    )
    assert (
        "_target_: my_module.Mine"
        in interp("train", *asked, "--config-dir=conf", cwd=tmp_path).stdout
    )


# ---------------------------------------------------------------------- compare
def test_a_sweep_is_compared_and_filed(
    tmp_path: Path, here: Command, run_folder: Make, capsys: Printed
) -> None:
    for job, fidelity in enumerate([0.5, 0.75, None, *[0.25] * 8]):
        run_folder(tmp_path / f"sweep/{job}", fidelity, seed=job)
    here(
        "compare",
        tmp_path / "sweep",
        tmp_path / "sweep/0",
        "--csv",
        tmp_path / "t.csv",
        "--html",
        tmp_path / "t.html",
    )
    printed = capsys.readouterr().out
    lines = [line.split() for line in printed.splitlines() if line.strip()]
    assert [line[0] for line in lines if line[0].isdigit()] == [str(job) for job in range(11)]
    assert ["1", "1", "*0.7500"] in lines
    assert ["2", "unfinished", "2", "-"] in lines
    assert "data." not in printed, "data.seed is ${seed} in each"
    assert "val/fidelity" in (tmp_path / "t.csv").read_text()
    assert "11 runs compared" in (tmp_path / "t.html").read_text()
    here("compare", tmp_path / "sweep", "--all")
    assert "val/" in capsys.readouterr().out


def test_broken_runs_are_named_and_left_out(
    tmp_path: Path, here: Command, run_folder: Make, capsys: Printed
) -> None:
    run_folder(tmp_path / "good", 0.5)
    (run_folder(tmp_path / "cut", 0.5) / "metrics.json").write_text('{"test/fidelity": 0.')
    (run_folder(tmp_path / "nan", 0.5) / "metrics.json").write_text('{"test/fidelity": NaN}')
    (run_folder(tmp_path / "words", 0.5) / "metrics.json").write_text('{"test/fidelity": "high"}')
    (run_folder(tmp_path / "early", None) / "provenance.json").unlink()
    old = run_folder(tmp_path / "old", 0.5) / "provenance.json"
    old.write_text(json.dumps(json.loads(old.read_text()) | {"format": 0}))
    here("compare", tmp_path)
    out, err = capsys.readouterr()
    assert "good" in out
    assert err.count("Left out: ") == 5
    for message in (
        "cut/metrics.json",
        "nan/metrics.json",
        "words/metrics.json",
        "early is not a run",
        "written in run format 0",
    ):
        assert message in err


@pytest.mark.parametrize(
    ("place", "message"),
    [("empty", "No run folder in"), ("gone", "No run folder in"), ("bad", "None of these")],
)
def test_nothing_to_compare_is_reported(
    place: str, message: str, tmp_path: Path, here: Command, run_folder: Make, capsys: Printed
) -> None:
    (tmp_path / "empty").mkdir()
    (run_folder(tmp_path / "bad", 0.5) / "provenance.json").unlink()
    with pytest.raises(SystemExit) as ended:
        here("compare", tmp_path / place)
    assert ended.value.code == 1
    assert message in capsys.readouterr().err


def test_comparing_resolves_nothing_that_a_config_says(
    tmp_path: Path, here: Command, run_folder: Make, capsys: Printed
) -> None:
    run_folder(tmp_path / "a", 0.5, threads="${oc.env:HOME}")
    run_folder(tmp_path / "b", 0.5, threads="${not_there:}")
    here("compare", tmp_path)
    assert "${oc.env:HOME}" in capsys.readouterr().out


def test_the_configuration_of_a_checkout_is_next_to_the_package() -> None:
    assert config_dir() == CONF
