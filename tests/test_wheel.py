"""The wheel works alone: in a separate environment, in a folder without a checkout."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from tests.small import CONF

pytestmark = pytest.mark.slow

ROOT = CONF.parent
OWN = {  # what a user may have in the folder where a command is given
    "my_module.py": "from interp_by_design.data import Digits\n\nclass Mine(Digits):\n    pass\n",
    "own/data/mine.yaml": "defaults: [digits]\n_target_: my_module.Mine\n",
    "own/experiment/mine.yaml": "# @package _global_\ndefaults:\n  - override /data: mine\n",
    "conf/train.yaml": "this: is another program's\n",
}
LOOK = """
import sys, interp_by_design
from interp_by_design.cli import main
print(interp_by_design.__file__)
interp_by_design.load("run")
sys.argv = ["interp", "compare", "run", "--html=page.html"]
main()
"""


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what a wheel is made of."""
    copy = tmp_path_factory.mktemp("sources")
    for folder in ("interp_by_design", "conf"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / file, copy)
    return copy


@pytest.fixture(scope="module")
def wheel(sources: Path) -> Path:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", "dist"],
        cwd=sources,
        check=True,
    )
    (built,) = (sources / "dist").glob("*.whl")
    return built


@pytest.fixture(scope="module")
def programs(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment with the wheel, which takes all else from this one."""
    venv = tmp_path_factory.mktemp("venv")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    python = venv / "bin/python"
    asked = [
        "pip",
        "install",
        "--quiet",
        "--offline",
        "--no-cache",
        "--no-deps",
        "--python",
        python,
        wheel,
    ]
    subprocess.run([sys.executable, "-m", "uv", *asked], check=True)
    (site,) = venv.glob("lib/python*/site-packages")
    (site / "borrowed.pth").write_text(
        sysconfig.get_path("purelib") + "\n"
    )  # whose own .pth files, of the checkout, do not count
    return python.parent


def run(program: Path, *arguments: str, cwd: Path) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    ran = subprocess.run(
        [program, *arguments], capture_output=True, text=True, cwd=cwd, env=environment, check=False
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_the_wheel_holds_the_configuration_inside_the_package(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    here = {
        f"interp_by_design/conf/{file.relative_to(CONF).as_posix()}"
        for file in CONF.rglob("*.yaml")
    }
    assert here == {name for name in names if name.endswith(".yaml")}
    assert {
        "interp_by_design/py.typed",
        "interp_by_design/report/comparison/comparison.html",
    } <= set(names)
    assert {name.split("/")[0].split("-")[0] for name in names} == {"interp_by_design"}, (
        "nothing next to the package"
    )


def test_an_editable_install_holds_no_copy_of_it(sources: Path) -> None:
    build = "import sys; from hatchling import build; print(build.build_editable(sys.argv[1]))"
    folder = sources / "editable"
    folder.mkdir()
    subprocess.run([sys.executable, "-c", build, folder], cwd=sources, check=True)
    (built,) = folder.glob("*.whl")
    assert not [
        name for name in zipfile.ZipFile(built).namelist() if name.startswith("interp_by_design/")
    ]


def test_the_wheel_trains_compares_and_loads_alone(programs: Path, tmp_path: Path) -> None:
    interp, python = programs / "interp", programs / "python"
    for file, text in OWN.items():
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(text)
    assert "interp train [experiment=NAME]" in run(interp, "train", "--help", cwd=tmp_path)
    short = ["trainer.max_epochs=1", "hydra.run.dir=run"]
    run(interp, "train", "--config-dir=own", "experiment=mine", *short, cwd=tmp_path)
    assert (
        "bin/interp train --config-dir=own"
        in json.loads((tmp_path / "run/provenance.json").read_text())["command"]
    )
    assert (tmp_path / "run/train.log").is_file()
    assert run(python, "-c", LOOK, cwd=tmp_path).startswith(str(programs.parent))
    assert "1 run compared" in (tmp_path / "page.html").read_text()
