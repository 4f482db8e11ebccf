import pytest
import torch

from interp_by_design.learning import Schedule, one_cycle
from interp_by_design.terms import UserError


def test_nothing_before_the_first_step_then_each_step_to_the_next() -> None:
    schedule = Schedule({2: 0.02, 3: 0.3})
    assert [schedule.factor(epoch) for epoch in (1.0, 1.99, 2.0, 2.99, 3.0, 12.0)] == [
        0,
        0,
        0.02,
        0.02,
        0.3,
        0.3,
    ]


def test_a_ramp_climbs_from_the_step_before() -> None:
    schedule = Schedule({1: 1.0, 3: 2.0}, ramp=0.5)
    assert [
        schedule.factor(epoch) for epoch in (1.0, 1.25, 1.5, 2.9, 3.0, 3.25, 3.5, 9.0)
    ] == pytest.approx([0, 0.5, 1, 1, 1, 1.5, 2, 2])


def test_steps_may_come_in_any_order() -> None:
    assert Schedule({3: 1.0, 2: 0.5}).factor(2.5) == 0.5


def test_ramps_that_overlap_are_refused() -> None:
    with pytest.raises(UserError, match="does not end before the next step"):
        Schedule({1: 1.0, 3: 0.0}, ramp=4)


@pytest.mark.parametrize(
    ("steps", "ramp"), [({0: 1.0}, 0), ({1: -1.0}, 0), ({1: 1.0}, -1), ({1: float("nan")}, 0)]
)
def test_what_is_no_schedule_is_refused(steps: dict[float, float], ramp: float) -> None:
    with pytest.raises(UserError, match="A schedule maps epochs"):
        Schedule(steps, ramp)


@pytest.mark.parametrize("steps", [1, 2, 3, 4, 5, 10, 100])
def test_one_cycle_ends_low_for_any_length(steps: int) -> None:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.5)
    scheduler = one_cycle(optimizer, steps, pct_start=0.2)
    rates = []
    for _ in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step() if len(rates) < steps else None
    assert max(rates) == pytest.approx(0.5)
    assert steps < 3 or rates[-1] < 0.01
