import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from interp_by_design.predictor import load_weights, mismatches, weights_hash
from interp_by_design.terms import UserError


class Small(nn.Sequential):
    def __init__(self, n_classes: int = 3, width: int = 4) -> None:
        super().__init__(
            nn.Conv2d(1, width, 3), nn.BatchNorm2d(width), nn.Flatten(), nn.Linear(width, n_classes)
        )


def prefixed(state: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {prefix + name: value for name, value in state.items()}


def same(one: nn.Module, other: nn.Module) -> bool:
    return all(
        torch.equal(value, other.state_dict()[name]) for name, value in one.state_dict().items()
    )


@pytest.mark.parametrize(
    "wrapped",
    [
        lambda state: state,
        lambda state: {"state_dict": state, "epoch": 3},
        lambda state: {"state_dict": prefixed(state, "module."), "best_prec1": 0.9},
        lambda state: prefixed(state, "model."),
        lambda state: prefixed(state, "module.model."),
        lambda state: prefixed(state, "model.module."),
        lambda state: prefixed(state, "net.backbone."),
        lambda state: prefixed(state, "_orig_mod.module."),
        lambda state: prefixed(state, "module._orig_mod.model."),
        lambda state: {
            name.replace("0.", "0._orig_mod.", 1): value for name, value in state.items()
        },
        lambda state: {"model": state, "optimizer": {"state": {}}, "epoch": 3},
        lambda state: {"model_state_dict": prefixed(state, "network."), "loss": 0.1},
        lambda state: {"state_dict": {"model": prefixed(state, "module.")}},
        lambda state: {
            "state_dict": prefixed(state, "model.predictor.network.")
            | {"model.interpreter.head.weight": torch.ones(2)}
        },
        lambda state: {
            "state_dict": prefixed(state, "classifier.inner.") | {"criterion.weight": torch.ones(3)}
        },
        lambda state: prefixed(state, "model.") | prefixed(state, "ema."),
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
    source, target = Small(), Small()
    save_file(source.state_dict(), path := tmp_path / "weights.safetensors")
    load_weights(target, path)
    assert same(source, target)
    path.write_bytes(b"no such thing")
    with pytest.raises(UserError, match="no file of safetensors"):
        load_weights(target, path)


def test_a_head_for_another_number_of_classes_is_left_out(tmp_path: Path) -> None:
    source, target = Small(n_classes=1000), Small(n_classes=3)
    fresh = {name: value.clone() for name, value in target.state_dict().items()}
    torch.save(source.state_dict(), path := tmp_path / "weights.pth")
    load_weights(target, path)
    assert same(source[0], target[0])
    assert torch.equal(target[3].weight, fresh["3.weight"])
    assert torch.equal(target[3].bias, fresh["3.bias"])


def test_where_a_fresh_head_is_not_wanted_another_number_of_classes_is_refused(
    tmp_path: Path,
) -> None:
    torch.save(Small(n_classes=1000).state_dict(), path := tmp_path / "weights.pth")
    target = Small(n_classes=3)
    before = weights_hash(target)
    with pytest.raises(
        UserError,
        match=r"'weights.pth' is for 1000 classes, and the data has 3.*data.classes=.*by_design",
    ):
        load_weights(target, path, fresh_head=False)
    assert weights_hash(target) == before
    load_weights(whole := Small(n_classes=1000), path, fresh_head=False)
    assert len(whole[3].bias) == 1000


def test_one_line_says_what_was_loaded_and_another_what_was_ignored(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    torch.save(
        prefixed(Small().state_dict(), "net.") | {"criterion.weight": torch.ones(3)},
        path := tmp_path / "last.ckpt",
    )
    load_weights(Small(), path)
    assert caplog.messages == [
        "Ignored in 'last.ckpt', as not under 'net.': criterion.weight",
        "9 tensors from 'last.ckpt', all that Small has",
    ]


def test_a_network_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    state = Small().state_dict()
    torch.save(
        prefixed(state, "teacher.") | prefixed(state, "student."), path := tmp_path / "weights.pth"
    )
    with pytest.raises(
        UserError, match=r"holds the network more than once, under 'teacher\.' and 'student\.'"
    ):
        load_weights(Small(), path)


def test_half_precision_is_widened(tmp_path: Path) -> None:
    source, target = Small(), Small()
    torch.save(source.half().state_dict(), path := tmp_path / "weights.pth")
    load_weights(target, path)
    assert target[0].weight.dtype == torch.float32
    assert torch.equal(target[0].weight, source[0].weight.float())


def test_the_old_names_of_torchvisions_densenets_are_known(tmp_path: Path) -> None:
    layer = nn.ModuleDict({"norm1": nn.BatchNorm2d(2), "conv2": nn.Conv2d(2, 2, 1)})
    network = nn.ModuleDict({"denselayer1": layer})
    state = {
        name.replace("norm1", "norm.1").replace("conv2", "conv.2"): value
        for name, value in network.state_dict().items()
    }
    torch.save(state, path := tmp_path / "weights.pth")
    load_weights(network, path)


def test_weights_that_do_not_fit_are_reported_and_nothing_is_loaded(tmp_path: Path) -> None:
    state = Small(width=5).state_dict()
    state["surplus"] = state.pop("1.bias")
    torch.save(state, path := tmp_path / "weights.pth")
    target = Small()
    before = {name: value.clone() for name, value in target.state_dict().items()}
    message = (
        r"not those of this Small: missing: 1.bias; unexpected: surplus; of another shape: "
        r"0.weight \(5 x 1 x 3 x 3, the model's is 4 x 1 x 3 x 3\), 0.bias \(5, the model's is "
        r"4\), 1.weight \(5, the model's is 4\) and 3 more"
    )
    with pytest.raises(UserError, match=message):
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


def test_an_empty_file_is_refused_and_one_of_other_things_says_what_it_holds(
    tmp_path: Path,
) -> None:
    torch.save({}, path := tmp_path / "weights.pth")
    with pytest.raises(UserError, match="holds an empty dict; wanted a state dict"):
        load_weights(Small(), path)
    torch.save({"epoch": 1, "loss": 0.5}, path)
    with pytest.raises(UserError, match="holds a dict of epoch, loss; wanted a state dict"):
        load_weights(Small(), path)


def test_equal_weights_have_no_mismatches() -> None:
    assert mismatches(Small().state_dict(), Small().state_dict()) == []


class Both(nn.Module):
    """A parameter, a buffer, and one that is not kept."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.arange(24.0).view(1, 2, 3, 4))
        self.register_buffer("count", torch.tensor(3))
        self.register_buffer("passing", torch.zeros(2), persistent=False)


@pytest.mark.parametrize(
    "change",
    [
        lambda network: network.weight.data[0, 1, 2, 3].add_(1e-6),
        lambda network: network.count.add_(1),
        lambda network: network.double(),
        lambda network: setattr(network, "weight", nn.Parameter(network.weight.view(2, 3, 4))),
        lambda network: network.register_buffer("more", torch.zeros(0)),
    ],
)
def test_a_hash_differs_for_any_difference(change: Callable[[nn.Module], object]) -> None:
    network = Both()
    network.weight.data.div_(100)
    before = weights_hash(network)
    change(network)
    assert weights_hash(network) != before


def test_a_hash_sees_neither_layout_nor_what_is_not_kept_nor_compiling() -> None:
    network = Both()
    before = weights_hash(network)
    assert len(before) == 64
    network.passing.add_(1)
    assert weights_hash(network.to(memory_format=torch.channels_last)) == before
    assert weights_hash(torch.compile(network, backend="eager")) == before
