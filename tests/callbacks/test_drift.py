"""Drift of attributes: planted changes, a slow reference, and resumed runs."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import torch
from matplotlib.figure import Figure

from interp_by_design.callbacks.drift import Drift
from interp_by_design.callbacks.loggers import Drawing
from tests.callbacks.fits import PowerCut, figure, fit


def shown(monkeypatch: pytest.MonkeyPatch) -> list[list[list[float]]]:
    """What is drawn, correlations [E, J] as rounded numbers, each time that something is."""
    drawn: list[list[list[float]]] = []

    def draw(epochs: list[int], correlations: torch.Tensor, *args: object) -> Figure:
        rows = correlations.nan_to_num(-9).tolist()
        drawn.append(
            [
                [epoch, *(round(value, 5) for value in row)]
                for epoch, row in zip(epochs, rows, strict=True)
            ]
        )
        return figure()

    monkeypatch.setattr("interp_by_design.callbacks.drift.drift", draw)
    return drawn


def test_it_begins_with_the_second_interval_and_says_more_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = shown(monkeypatch)
    fit(tmp_path, [Drift(tmp_path, 1)], 4)
    assert [[int(row[0]) for row in table] for table in drawn] == [[2], [2, 3], [2, 3, 4]]
    assert drawn[2][:2] == drawn[1]
    assert {len(row) for row in drawn[2]} == {7}


def test_a_resumed_run_remembers_the_interval_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn, kept = shown(monkeypatch), tmp_path / "kept.ckpt"
    fit(tmp_path, [Drift(tmp_path, 1)], 4)
    whole = drawn.pop()
    with pytest.raises(RuntimeError, match="power cut"):
        fit(tmp_path, [Drift(tmp_path, 1), PowerCut(kept, 2)], 4)
    fit(tmp_path, [Drift(tmp_path, 1)], 4, ckpt_path=str(kept))
    assert drawn.pop() == whole


def test_another_fit_starts_from_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn, drift = shown(monkeypatch), Drift(tmp_path, 1)
    for _ in range(2):
        fit(tmp_path, [drift], 2)
    assert [len(table) for table in drawn] == [1, 1]
    assert drawn[0] == drawn[1]


def test_its_state_is_bounded_and_of_plain_types(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("interp_by_design.callbacks.drift.MAX_INTERVALS", 3)
    drawn, drift = shown(monkeypatch), Drift(tmp_path, 1)
    fit(tmp_path, [drift], 8)
    assert [int(row[0]) for row in drawn[-1]] == [6, 7, 8]
    file = io.BytesIO()
    torch.save(drift.state_dict(), file)
    file.seek(0)
    assert torch.load(file, weights_only=True)["epochs"] == [6, 7, 8]


def test_it_draws_for_real(tmp_path: Path) -> None:
    fit(tmp_path, [Drift(tmp_path, 2)], 4)
    [file] = tmp_path.rglob("*.png")
    assert file.parts[-3:] == ("epoch_0004", "attributes", "drift.png")
    assert Drawing("", "", file.read_bytes()).pixels().std() > 1
