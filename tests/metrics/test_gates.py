import math

from interp_by_design.metrics import GATES, SCORES, Gate, failed_gates


def test_a_value_on_the_bound_passes() -> None:
    assert failed_gates({gate.key: gate.limit(25) for gate in GATES}, n_attributes=25) == []


def test_failed_gates_come_in_order() -> None:
    scores = {"dead_attributes": 1.0, "fidelity": 0.9, "fidelity_hard": 0.71}
    assert [gate.key for gate in failed_gates(scores, n_attributes=25)] == [
        "fidelity",
        "dead_attributes",
    ]


def test_a_share_of_the_attributes() -> None:
    assert failed_gates({"exclusive_attributes": 5}, n_attributes=25) == []
    assert [gate.key for gate in failed_gates({"exclusive_attributes": 5}, n_attributes=24)] == [
        "exclusive_attributes"
    ]


def test_nan_passes_no_gate_and_an_absent_score_is_not_judged() -> None:
    gate = Gate("kl", 1.0, "down")
    assert failed_gates({"kl": math.nan}, 1, [gate]) == [gate]
    assert failed_gates({}, 1, [gate]) == []


def test_every_gate_is_of_a_score_and_in_its_direction() -> None:
    directions = {score.key: score.direction for score in SCORES}
    assert all(directions[gate.key] == gate.direction for gate in GATES)
