import dataclasses
import math
import time

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from interp_by_design.metrics import SCORES, failed_gates, scorecard
from interp_by_design.metrics.agreement import agreement_scores
from interp_by_design.metrics.attribute_overlap import overlap_scores
from interp_by_design.metrics.calibration import calibration_scores
from interp_by_design.metrics.reconstruction import reconstruction_scores
from interp_by_design.metrics.tau_curves import conciseness_scores
from interp_by_design.metrics.usage import usage_scores
from interp_by_design.terms import InterpretationTable, UserError
from tests.metrics.tables import lists, relabelled, table_of
from tests.reference import scorecard as reference

# Few values, exact in binary: ties and bounds occur often, and sums do not depend on their order.
attribute = st.sampled_from([0.0, 0.0, 0.001, 0.25, 0.5, 1.0, 2.0, 5.0])
weight = st.sampled_from([-4.0, -1.0, -0.5, 0.0, 0.25, 1.0, 3.0])
logit = st.sampled_from([-1e4, -2.0, 0.0, 0.5, 1.0, 4.0, 1e4])
error = st.sampled_from([0.0, 0.125, 0.5, 1.0])

PROBES = (
    "fidelity_rank_probe",
    "fidelity_full_probe",
)  # of hidden layers, which are not in a table
# computed by running the model
MODEL_SCORES = {
    score.key
    for score in SCORES
    if score.key.partition("_")[0] in ("faithfulness", "effect", "stability", "consistency")
}


@st.composite
def tables(draw: st.DrawFn) -> InterpretationTable:
    n, n_classes, n_attributes = (
        draw(st.integers(1, 24)),
        draw(st.integers(2, 7)),
        draw(st.integers(1, 4)),
    )

    def column(values: st.SearchStrategy[float], size: int) -> list[float]:
        return draw(st.lists(values, min_size=size, max_size=size))

    def matrix(values: st.SearchStrategy[float], rows: int, size: int) -> list[list[float]]:
        flat = column(values, rows * size)
        return [flat[start : start + size] for start in range(0, rows * size, size)]

    return table_of(
        matrix(attribute, n, n_attributes),
        matrix(weight, n_classes, n_attributes),
        bias=draw(st.none() | st.lists(weight, min_size=n_classes, max_size=n_classes)),
        f=matrix(logit, n, n_classes),
        g=draw(st.none() | st.just(matrix(logit, n, n_classes))),
        labels=column(st.integers(0, n_classes - 1), n),
        error=column(error, n),
        class_mean_error=column(error, n),
    )


@pytest.mark.parametrize(
    ("scores", "literal"),
    [
        (agreement_scores, reference.agreement),
        (calibration_scores, reference.calibration),
        (conciseness_scores, reference.conciseness),
        (usage_scores, reference.usage),
        (overlap_scores, reference.overlap),
        (reconstruction_scores, reference.reconstruction),
    ],
)
@given(table=tables())
def test_against_the_reference(scores, literal, table: InterpretationTable) -> None:
    assert scores(table) == pytest.approx(literal(lists(table)), rel=1e-9, abs=1e-9)


def test_the_relabelled_control_is_faithful_and_fails_the_gates() -> None:
    table = relabelled(1000, seed=2)
    scores = scorecard(table, relabelled(1300, seed=1), seed=0)
    assert scores["fidelity"] == 1
    assert (
        scores["dead_attributes"]
        == scores["exclusive_attributes"]
        == scores["unexplained_share"]
        == 0
    )
    assert {"logit_predictability", "within_class_explained"} <= {
        gate.key for gate in failed_gates(scores, n_attributes=25)
    }


def test_values_are_finite_floats_and_keys_in_order() -> None:
    table = relabelled(200, seed=2)
    scores = scorecard(table, table, seed=0)
    assert all(type(value) is float and math.isfinite(value) for value in scores.values())
    # f makes errors and each class has samples, so that no other key is absent
    assert list(scores) == [
        score.key
        for score in SCORES
        if score.key not in ("fidelity_present_classes", *PROBES, *MODEL_SCORES)
    ]


def test_a_class_without_samples_adds_one_score() -> None:
    table = relabelled(200, seed=2)
    fewer = dataclasses.replace(table, labels=table.labels % 9)
    assert set(scorecard(fewer, table, seed=0)) - set(scorecard(table, table, seed=0)) == {
        "fidelity_present_classes"
    }


def test_huge_logits_and_a_silent_dictionary() -> None:
    table = relabelled(60, seed=2)
    silent = dataclasses.replace(
        table,
        predictor=1e4 * table.predictor.sign(),
        interpreter=-1e4 * table.predictor.sign(),
        attributes=torch.zeros_like(table.attributes),
    )
    scores = scorecard(silent, silent, seed=0)
    assert all(math.isfinite(value) for value in scores.values())
    assert scores["dead_attributes"] == 25
    assert not {"effective_attributes", "logit_predictability", "left_out@2", "overlap"} & set(
        scores
    )


def test_the_batch_size_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    table = relabelled(300, seed=2)
    whole = scorecard(table, table, seed=0)
    monkeypatch.setattr("interp_by_design.metrics.table_batches.BATCH_ROWS", 7)
    assert scorecard(table, table, seed=0) == pytest.approx(whole, rel=1e-6)


def test_half_precision_tables_are_scored() -> None:
    table = relabelled(100, seed=2)
    halves = {field.name: getattr(table, field.name) for field in dataclasses.fields(table)}
    halves = {
        name: column.half() if column.is_floating_point() else column
        for name, column in halves.items()
    }
    assert scorecard(InterpretationTable(**halves), table, seed=0)["fidelity"] > 0.98


def test_an_empty_table_is_refused() -> None:
    table = relabelled(5, seed=0)
    columns = {field.name: getattr(table, field.name) for field in dataclasses.fields(table)}
    empty = {
        name: column if name.startswith("head") else column[:0] for name, column in columns.items()
    }
    with pytest.raises(UserError, match="empty"):
        scorecard(InterpretationTable(**empty), table, seed=0)


@pytest.mark.parametrize("stranger", [-1, 10])
def test_labels_out_of_range_are_refused(stranger: int) -> None:
    table = relabelled(5, seed=0)
    with pytest.raises(UserError, match="within 0 to 9"):
        scorecard(dataclasses.replace(table, labels=torch.full((5,), stranger)), table, seed=0)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
@pytest.mark.parametrize(
    "name",
    [
        "predictor",
        "interpreter",
        "attributes",
        "reconstruction_error",
        "class_mean_error",
        "head_weights",
        "head_bias",
    ],
)
def test_a_column_that_is_not_finite_is_named(name: str, bad: float) -> None:
    table = relabelled(5, seed=0)
    column = getattr(table, name).clone()
    column[3] = bad
    broken = dataclasses.replace(table, **{name: column})
    for pair in ((broken, table), (table, broken)):
        with pytest.raises(
            UserError, match=f"'{name}' holds NaN or an infinity in 1 of .* first in row 3"
        ):
            scorecard(*pair, seed=0)


def test_it_is_quick() -> None:
    table, train = relabelled(2000, seed=2), relabelled(1300, seed=1)
    start = time.process_time()
    scorecard(table, train, seed=0)
    assert (
        time.process_time() - start < 10
    )  # about 1; the bound is for a machine that does other work
