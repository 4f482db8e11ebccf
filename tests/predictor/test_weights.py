import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from interp_by_design.predictor import load_weights
from interp_by_design.terms import UserError


class Small(nn.Sequential):
    def __init__(self, n_classes: int = 3, width: int = 4) -> None:
        super().__init__(nn.Conv2d(1, width, 3), nn.BatchNorm2d(width), nn.Flatten(), nn.Linear(width, n_classes))


def prefixed(state: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {prefix + name: value for name, value in state.items()}


def same(one: nn.Module, other: nn.Module) -> bool:
    return all(torch.equal(value, other.state_dict()[name]) for name, value in one.state_dict().items())


@pytest.mark.parametrize(
    "wrapped",
    [
        lambda state: state,
        lambda state: {"state_dict": state, "epoch": 3},
        lambda state: {"state_dict": prefixed(state, "module."), "best_prec1": 0.9},
        lambda state: prefixed(state, "model."),
        lambda state: prefixed(state, "module.model."),
        lambda state: prefixed(state, "model.module."),
        lambda state: {name: value for name, value in state.items() if "num_batches" not in name},
    ],
)
def test_a_state_dict_loads_however_it_was_wrapped(tmp_path: Path, wrapped: Any) -> None:
    source, target = Small(), Small()
    torch.save(wrapped(source.state_dict()), path := tmp_path / "weights.pth")
    load_weights(target, path)
    assert same(source, target)


def test_a_prefix_that_is_the_networks_own_name_stays(tmp_path: Path) -> None:
    source, target = nn.ModuleDict({"model": Small()}), nn.ModuleDict({"model": Small()})
    torch.save(source.state_dict(), path := tmp_path / "weights.pth")
    load_weights(target, path)
    assert same(source, target)


def test_safetensors_load(tmp_path: Path) -> None:
    torch_files = pytest.importorskip("safetensors.torch")
    source, target = Small(), Small()
    torch_files.save_file(source.state_dict(), path := tmp_path / "weights.safetensors")
    load_weights(target, path)
    assert same(source, target)
    path.write_bytes(b"no such thing")
    with pytest.raises(UserError, match="no file of safetensors"):
        load_weights(target, path)


def test_safetensors_without_the_library_say_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "weights.safetensors").touch()
    monkeypatch.setitem(sys.modules, "safetensors", None)
    with pytest.raises(UserError, match="pip install safetensors"):
        load_weights(Small(), tmp_path / "weights.safetensors")


def test_a_head_for_another_number_of_classes_is_left_out(tmp_path: Path) -> None:
    source, target = Small(n_classes=1000), Small(n_classes=3)
    fresh = {name: value.clone() for name, value in target.state_dict().items()}
    torch.save(source.state_dict(), path := tmp_path / "weights.pth")
    load_weights(target, path)
    assert same(source[0], target[0])
    assert torch.equal(target[3].weight, fresh["3.weight"])
    assert torch.equal(target[3].bias, fresh["3.bias"])


def test_weights_that_do_not_fit_are_reported_and_nothing_is_loaded(tmp_path: Path) -> None:
    state = Small(width=5).state_dict()
    state["surplus"] = state.pop("1.bias")
    torch.save(state, path := tmp_path / "weights.pth")
    target = Small()
    before = {name: value.clone() for name, value in target.state_dict().items()}
    told = (
        r"not those of this Small: 1 \(1.bias\) missing, 1 \(surplus\) unexpected, "
        r"6 \(0.weight \[5, 1, 3, 3\] for \[4, 1, 3, 3\], 0.bias \[5\] for \[4\], 1.weight \[5\] for \[4\], …\) of another shape"
    )
    with pytest.raises(UserError, match=told):
        load_weights(target, path)
    assert all(torch.equal(value, before[name]) for name, value in target.state_dict().items())


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="No file of weights"):
        load_weights(Small(), tmp_path / "nowhere.pth")


def test_a_whole_pickled_network_is_refused(tmp_path: Path) -> None:
    torch.save(Small(), path := tmp_path / "network.pth")
    with pytest.raises(UserError, match="state_dict"):
        load_weights(Small(), path)


@pytest.mark.parametrize("content", [b"", b"no such thing"])
def test_a_damaged_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (path := tmp_path / "weights.pth").write_bytes(content)
    with pytest.raises(UserError, match="damaged"):
        load_weights(Small(), path)


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    torch.save([torch.rand(3)], path := tmp_path / "list.pth")
    with pytest.raises(UserError, match="holds list; wanted a state dict"):
        load_weights(Small(), path)
