"""Loading: what comes back, what is said of a damaged run, and that a checkpoint runs nothing."""

from __future__ import annotations

import io
import json
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

import interp_by_design
from interp_by_design.run import FORMAT
from interp_by_design.run.folder import CONFIG, PROVENANCE
from interp_by_design.terms import UserError


@pytest.fixture
def checkpoint(run: Path) -> Path:
    return run / "checkpoints/last.ckpt"


def test_the_weights_of_the_checkpoint_come_back(run: Path, checkpoint: Path) -> None:
    model = interp_by_design.load(run)
    saved = torch.load(checkpoint, weights_only=True)["state_dict"]
    assert all(
        torch.equal(value, saved[f"model.{key}"]) for key, value in model.state_dict().items()
    )
    assert not model.training


# ---------------------------------------------------------------------- checkpoints
def archive() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as opened:
        opened.writestr("holiday.txt", "a zip of something else")
    return file.getvalue()


@pytest.mark.parametrize(
    "damaged",
    [
        lambda whole: b"",
        lambda whole: whole[: len(whole) // 2],
        lambda whole: whole[:-1],
        lambda whole: whole[:1000] + bytes(1000) + whole[2000:],
        lambda whole: b"These are not the weights you are looking for.",
        lambda whole: archive(),
        lambda whole: pickle.dumps({"state_dict": {}}, protocol=4) + b"more",
    ],
    ids=["empty", "half", "a byte short", "overwritten", "text", "another zip", "a pickle"],
)
def test_a_file_that_is_no_checkpoint_is_named(
    damaged: Callable[[bytes], bytes], run: Path, checkpoint: Path
) -> None:
    checkpoint.write_bytes(damaged(checkpoint.read_bytes()))
    with pytest.raises(
        UserError, match=r"last\.ckpt .*(Take another checkpoint|of another model|no state_dict)"
    ):
        interp_by_design.load(run)


@pytest.mark.parametrize(
    "content", [{}, [1, 2], {"state_dict": None}, {"state_dict": {"model.x": 1}}, torch.zeros(2)]
)
def test_a_checkpoint_without_a_state_dict_is_none_of_a_run(
    content: Any, run: Path, checkpoint: Path
) -> None:
    torch.save(content, checkpoint)
    with pytest.raises(
        UserError, match=r"last\.ckpt is no checkpoint of a run: it has no state_dict"
    ):
        interp_by_design.load(run)


class Malice:
    """What runs where it is unpickled."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.file),)


@pytest.mark.parametrize(
    "save",
    [torch.save, lambda content, file: file.write_bytes(pickle.dumps(content))],
    ids=["torch", "pickle"],
)
@pytest.mark.parametrize("trust", [False, True])
def test_a_checkpoint_runs_nothing(
    save: Callable[[Any, Path], None], trust: bool, run: Path, checkpoint: Path, tmp_path: Path
) -> None:
    state = torch.load(checkpoint, weights_only=True)["state_dict"]
    save({"state_dict": state, "more": Malice(tmp_path / "ran")}, checkpoint)
    with pytest.raises(
        UserError, match=r"last\.ckpt is no whole checkpoint, or it holds more than tensors"
    ):
        interp_by_design.load(run, trust=trust)
    assert not (tmp_path / "ran").exists()


def test_weights_of_another_model_are_reported_apart_by_name_and_shape(
    run: Path, checkpoint: Path
) -> None:
    state = torch.load(checkpoint, weights_only=True)["state_dict"]
    first, second, *_ = [key for key in state if key.startswith("model.predictor.network")]
    state["model.predictor.other"] = state.pop(first)
    state[second] = torch.zeros(2, 7)
    torch.save({"state_dict": state}, checkpoint)
    with pytest.raises(UserError) as raised:
        interp_by_design.load(run)
    message = str(raised.value)
    assert f"missing: {first.removeprefix('model.')}" in message
    assert "unexpected: predictor.other" in message
    assert f"of another shape: {second.removeprefix('model.')} (2 x 7, the model's is" in message


def test_a_whole_other_architecture_is_reported_in_a_few_names(
    run: Path, change: Callable[..., None]
) -> None:
    change(interpreter__decoder__width=7, attributes__n_attributes=5)
    with pytest.raises(
        UserError, match=r"of another shape: .*, .*, .* and \d more\. Load it from the run folder"
    ):
        interp_by_design.load(run)


def test_the_weights_that_training_began_with_are_not_wanted_again(
    run: Path, change: Callable[..., None]
) -> None:
    change(predictor__weights="gone.pt")
    interp_by_design.load(run)


# ---------------------------------------------------------------------- run folders
@pytest.mark.parametrize(
    ("file", "content"),
    [
        (CONFIG, ""),
        (CONFIG, "predictor: {network"),
        (CONFIG, "- predictor"),
        (CONFIG, "predictor: lenet"),
        (CONFIG, "7"),
        (CONFIG, "\0"),
        (CONFIG, "seed: !!python/object/apply:os.getcwd []"),
        (
            CONFIG,
            "predictor: ${attributes}\nattributes: ${predictor}\ninterpreter: {}\ncheckpoint: last",
        ),
        (CONFIG, "predictor: {}\nattributes: {}\ninterpreter: {}\ncheckpoint: last"),
        (PROVENANCE, ""),
        (PROVENANCE, '{"format": 1'),
        (PROVENANCE, "[1]"),
        (PROVENANCE, '{"format": 1}'),
        (
            PROVENANCE,
            '{"format": 1, "data": {"image_shape": [8, 8], "class_names": ["a"], '
            '"mean": [0], "std": [1]}}',
        ),
        (
            PROVENANCE,
            '{"format": 1, "data": {"image_shape": [1, 8, 8], "class_names": ["a"], '
            '"mean": [0], "std": [0]}}',
        ),
        (PROVENANCE, "[" * 100_000),
    ],
)
def test_a_damaged_file_of_the_run_is_named(file: str, content: str, run: Path) -> None:
    (run / file).write_text(content)
    with pytest.raises(UserError, match=Path(file).name):
        interp_by_design.load(run)


@pytest.mark.parametrize("file", [CONFIG, PROVENANCE, "checkpoints/last.ckpt"])
def test_a_folder_where_a_file_should_be_is_reported(file: str, run: Path) -> None:
    (run / file).unlink()
    (run / file).mkdir()
    with pytest.raises(UserError, match=r"lacks|No checkpoint 'last'"):
        interp_by_design.load(run)


@pytest.mark.parametrize("file", [CONFIG, PROVENANCE, "checkpoints/last.ckpt"])
def test_a_file_that_may_not_be_read_is_named(
    file: str, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = io.open

    def refusing(
        path: Any, *arguments: Any, **options: Any
    ) -> Any:  # as chmod 000, which does not hold for root
        if str(path).endswith(file):
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, *arguments, **options)

    monkeypatch.setattr("io.open", refusing)
    monkeypatch.setattr("builtins.open", refusing)
    with pytest.raises(UserError, match=rf"{Path(file).name} cannot be read: Permission denied"):
        interp_by_design.load(run)


@pytest.mark.parametrize("number", [0, FORMAT + 1, None, "one"])
def test_a_run_of_another_format_is_refused_by_its_number(number: Any, run: Path) -> None:
    provenance = json.loads((run / PROVENANCE).read_text())
    (run / PROVENANCE).write_text(json.dumps(provenance | {"format": number}))
    with pytest.raises(
        UserError,
        match=f"was written in run format {number}, and this version reads formats 1, {FORMAT}",
    ):
        interp_by_design.load(run)
