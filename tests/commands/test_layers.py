"""`interp layers` as a person uses it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from interp_by_design import cli

Printed = pytest.CaptureFixture[str]
Command = Callable[..., None]


@pytest.fixture
def layers(monkeypatch: pytest.MonkeyPatch) -> Command:
    def command(*arguments: str) -> None:
        monkeypatch.setattr(sys, "argv", ["/bin/interp", "layers", *arguments])
        monkeypatch.setattr(sys, "path", [*sys.path])
        monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
        cli.main()

    return command


def rows(printed: Printed) -> list[list[str]]:
    return [line.split() for line in printed.readouterr().out.splitlines()]


def test_the_layers_of_a_network_by_name(layers: Command, capsys: Printed) -> None:
    layers(
        "predictor=pretrained", "--image", "3x64x64", "predictor.name=resnet18", "--classes", "5"
    )
    table = rows(capsys)
    assert table[0] == ["layer", "output", "parameters"]
    assert table[1] == ["conv1", "64", "x", "32", "x", "32", "9,408"]
    assert ["layer3.0.bn2", "256", "x", "4", "x", "4", "512"] in table
    assert "fc" not in [row[0] for row in table]


def test_without_an_image_the_data_says_its_shape(layers: Command, capsys: Printed) -> None:
    layers()
    assert rows(capsys)[5][:6] == ["conv2", "50", "x", "2", "x", "2"]


def test_options_and_classes_of_ones_own_are_found(
    layers: Command, capsys: Printed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "conf/predictor").mkdir(parents=True)
    (tmp_path / "conf/predictor/mine.yaml").write_text(
        "network:\n  _target_: my_layers.Mine\n  _partial_: true\nweights: null\n"
    )
    (tmp_path / "my_layers.py").write_text(
        "from torch import nn\n"
        "class Mine(nn.Sequential):\n"
        "    def __init__(self, image_shape, n_classes):\n"
        "        super().__init__(nn.Flatten(), nn.Linear(12, 7), nn.Linear(7, n_classes))\n"
    )
    monkeypatch.chdir(tmp_path)
    layers("predictor=mine", "--config-dir", "conf", "--image=3x2x2", "--classes=3")
    assert rows(capsys)[1:] == [["0", "12", "0"], ["1", "7", "91"]]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--classes=3",), 2, "--classes goes with --image"),
        (("--image=3x224",), 2, "'3x224' is no shape of an image; wanted CxHxW, such as 3x224x224"),
        (("predictor=lenett",), 1, "No option 'lenett' in the group 'predictor'"),
        (
            ("predictor=pretrained", "predictor.name=resnet19", "--image=3x64x64"),
            1,
            "Did you mean 'resnet1",
        ),
        (("predictor=pretrained", "--image=3x8x8"), 1, "too small for SqueezeNet"),
    ],
)
def test_mistakes_are_explained(
    arguments: tuple[str, ...], code: int, message: str, layers: Command, capsys: Printed
) -> None:
    with pytest.raises(SystemExit) as ended:
        layers(*arguments)
    assert ended.value.code == code
    assert message in capsys.readouterr().err
