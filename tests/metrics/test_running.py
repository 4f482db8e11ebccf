import math

import pytest
import torch

from interp_by_design.metrics import RunningScores, scorecard
from interp_by_design.terms import Interpretation, InterpretationTable, UserError
from tests.metrics.tables import relabelled

SHARED = [
    "reconstruction_mse",
    "predictor_accuracy",
    "interpreter_accuracy",
    "fidelity",
    "kl",
    "probability_error",
    "conciseness_abs@5",
]


def images(table: InterpretationTable) -> torch.Tensor:
    """Images at whose distance a black reconstruction has the table's error."""
    return table.reconstruction_error.sqrt().view(-1, 1, 1, 1).expand(-1, 1, 2, 2)


def run(
    scores: RunningScores, table: InterpretationTable, rows: slice, reconstruct: bool = True
) -> None:
    drawn = torch.zeros_like(images(table)[rows]) if reconstruct else None
    seen = Interpretation(
        table.predictor[rows], table.interpreter[rows], table.attributes[rows], drawn
    )
    scores.update(seen, table.labels[rows], images(table)[rows], table.head_weights)


def test_equal_to_the_scorecard_of_the_same_samples() -> None:
    table = relabelled(100, seed=2)
    running = RunningScores(n_attributes=25)
    for start in (0, 32, 64, 96):
        run(running, table, slice(start, start + 32))
    found, expected = running.compute(), scorecard(table, table, seed=0)
    assert {key: float(found[key]) for key in SHARED} == pytest.approx(
        {key: expected[key] for key in SHARED}, rel=1e-5
    )
    assert set(found) == {*SHARED, "silent_attributes"}


def test_silent_attributes() -> None:
    table = relabelled(10, seed=2)
    table.attributes[:, :3] = 0
    table.attributes[4, 2] = 1e-9  # active by no means, but not silent
    running = RunningScores(n_attributes=25)
    run(running, table, slice(0, 10))
    assert running.compute()["silent_attributes"] == 2


def test_no_reconstruction_no_score() -> None:
    running = RunningScores(n_attributes=25)
    run(running, relabelled(10, seed=2), slice(0, 10), reconstruct=False)
    assert "reconstruction_mse" not in running.compute()


def test_reset() -> None:
    table = relabelled(40, seed=2)
    running, fresh = RunningScores(n_attributes=25), RunningScores(n_attributes=25)
    run(running, table, slice(0, 20))
    running.compute()
    running.reset()
    for scores in (running, fresh):
        run(scores, table, slice(20, 40))
    assert running.compute() == fresh.compute()


def test_states_are_sums_so_ranks_add_up() -> None:
    running = RunningScores(n_attributes=25)
    assert {reduction.__name__ for reduction in running._reductions.values()} == {"dim_zero_sum"}
    before = {name: torch.as_tensor(value).numel() for name, value in running.metric_state.items()}
    run(running, relabelled(40, seed=2), slice(0, 40))
    assert {name: value.numel() for name, value in running.metric_state.items()} == before
    assert sum(before.values()) == 25 + 9


def test_huge_logits_stay_finite() -> None:
    table = relabelled(10, seed=2)
    running = RunningScores(n_attributes=25)
    seen = Interpretation(
        1e4 * table.predictor.sign(), -1e4 * table.predictor.sign(), table.attributes, None
    )
    running.update(seen, table.labels, images(table), table.head_weights)
    assert all(value.isfinite() for value in running.compute().values())


def test_what_is_refused_leaves_the_scores_as_they_were() -> None:
    table = relabelled(10, seed=2)
    running = RunningScores(n_attributes=25)
    run(running, table, slice(0, 5))
    expected = running.compute()
    seen = Interpretation(table.predictor, table.interpreter, table.attributes * math.nan, None)
    with pytest.raises(UserError, match="'attributes'"):
        running.update(seen, table.labels, images(table), table.head_weights)
    with pytest.raises(UserError, match="within 0 to 9"):
        running.update(seen, table.labels + 10, images(table), table.head_weights)
    assert running.compute() == expected


def test_no_sample_no_scores() -> None:
    with (
        pytest.warns(UserWarning, match="before"),
        pytest.raises(UserError, match="no running scores"),
    ):
        RunningScores(n_attributes=3).compute()
