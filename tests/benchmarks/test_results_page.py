"""The page of results says what the run folders say, and judges it by the goals."""

from __future__ import annotations

import statistics

import pytest
from scipy import stats  # type: ignore[import-untyped]

from benchmarks.pages import scores
from benchmarks.pages.goals import GOALS, Goal
from benchmarks.pages.goals_page import goals_section, standing, wanted
from benchmarks.pages.results_page import page
from benchmarks.pages.scores import SHOWN
from benchmarks.pages.short_form import misses, short_table
from benchmarks.runs import RECORD, by_setting, interval, paired, recorded, spread
from benchmarks.tracks import (
    BARE,
    DATA,
    GROUPS,
    TRACKS,
    bare,
    command,
    is_bare,
    of_track,
    with_options,
)
from interp_by_design.metrics import SCORES
from interp_by_design.metrics.seed_stability import SEED_SCORES
from tests.benchmarks.invented_runs import (
    CONTROLS,
    MNIST,
    TOGETHER,
    everything,
    good,
    line,
    of,
    run,
)


def test_a_row_is_mean_and_deviation_over_seeds_next_to_the_papers_own() -> None:
    text = page({"mnist": [run(0, 0.98), run(1, 0.99)]}, {}).partition("# Every experiment")[2]
    row = line(text, "| `mnist` | 2 |")
    assert "98.50 ± 0.71" in row
    assert "15 ± 7" in row
    assert "98.7 ± 0.1" in text
    assert "| 0, 1 | 2026-01-31 | abc | a processor, 2 threads of 2 | 2.15.0 |" in text


def test_one_seed_has_no_deviation_and_absent_scores_stay_empty() -> None:
    assert "| `mnist` | 1 |  |  | 98.00 |" in short_table({"mnist": [run(0, 0.98)]}, {})


def test_the_record_that_is_there_can_be_read() -> None:
    groups = by_setting(recorded())
    text = page(groups, scores.stability())
    for setting in groups:
        assert f"`{setting}`" in text
    assert RECORD.name == "runs.json"


def test_f_alone_is_in_no_table_of_explanations() -> None:
    text = page(of(run(0), run(0, setting=bare("mnist"))), {})
    tables, _, origins = text.partition("# Every experiment")[2].partition(
        "## Where they come from"
    )
    assert "objective.beta=0" not in tables
    assert f"`{command(bare('mnist'))}`" in origins


def test_settings_have_one_name_however_their_options_are_ordered() -> None:
    assert bare("mnist attributes.k=4") == with_options("mnist", *reversed(BARE), "attributes.k=4")
    assert is_bare(bare("mnist attributes.k=4"))
    assert not is_bare("mnist learning.objective.beta=0")
    assert command("digits a=1") == "python train.py a=1"


def test_groups_are_of_known_data_and_none_is_there_twice() -> None:
    assert len({group.setting for group in GROUPS}) == len(GROUPS)
    assert {group.data for group in GROUPS} <= set(DATA)
    assert {group.track for group in GROUPS} <= {*TRACKS, "flint"}
    assert of_track("free", "mnist") == [MNIST]


def test_differences_are_paired_by_seed() -> None:
    ours = [run(0, 0.9), run(2, 0.8), run(5, 0.7)]
    others = [run(2, 0.75), run(0, 0.92), run(7, 0.1)]
    assert paired(ours, others, "test/fidelity") == pytest.approx([-0.02, 0.05])


def test_the_interval_is_students() -> None:
    values = [0.001, -0.002, 0.0005, 0.003, -0.001]
    found = interval(values)
    low, high = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert found is not None
    assert (found.mean, found.low, found.high) == pytest.approx(
        (statistics.mean(values), low, high)
    )
    assert interval([0.1]) is None


def test_spread_of_one_is_itself() -> None:
    assert spread([0.5], 2) == "0.50"


def test_a_setting_that_reaches_everything_meets_every_goal() -> None:
    found = standing(MNIST, everything(), TOGETHER)
    assert (found.missed, found.unknown) == ((), ())
    assert found.summary == "15 of 15"
    assert misses(everything(), TOGETHER) == "Every goal is met."


@pytest.mark.parametrize(
    ("score", "value", "shown"),
    [
        ("fidelity", 0.9955, "fidelity 99.55 ± 0.00 % (goal ≥ 99.6)"),
        ("fidelity_hard", 0.84, "fidelity, hard tenth 84.00 ± 0.00 % (goal ≥ 85)"),
        ("interpreter_accuracy", 0.985, "g - f -0.50 ± 0.00 points (goal ≥ -0.1)"),
        ("predictor_accuracy", 0.986, "f - f alone -0.40 [-0.40, -0.40] points (goal > -0.3)"),
        ("within_class_explained", 0.34, "within_class_explained 0.340 ± 0.000 (goal ≥ 0.35)"),
        ("sufficiency_at_5", 0.97, "sufficiency@5 0.970 ± 0.000 (goal ≥ 0.98)"),
        ("conciseness_abs_at_5", 4.1, "conciseness_abs@5 4.10 ± 0.00 (goal ≤ 4)"),
        ("logit_predictability", 0.81, "logit_predictability 0.810 ± 0.000 (goal ≤ 0.8)"),
        ("dead_attributes", 1.0, "dead 1.0 ± 0.0 (goal 0)"),
        ("always_on_attributes", 2.0, "always on 2.0 ± 0.0 (goal 0)"),
        ("unexplained_share", 0.002, "unexplained 0.0020 ± 0.0000 (goal ≤ 0.001)"),
        ("exclusive_attributes", 6.0, "exclusive 6.0 ± 0.0 (goal ≤ 5)"),
        ("faithfulness_gap_low", 0.0, "faithfulness above random 0.300 ± 0.000; 0.000 (goal > 0)"),
    ],
)
def test_each_goal_can_be_missed(score: str, value: float, shown: str) -> None:
    groups = everything()
    for made in groups["mnist"]:
        made["metrics"][f"test/{score.replace('_at_', '@')}"] = value
    assert shown in misses(groups, TOGETHER)


def test_goals_of_several_runs_are_missed_too() -> None:
    unlike = {"mnist": {"stability_seeds": 0.64, "stability_seeds_random": 0.3}}
    assert "stability_seeds 0.640 (goal ≥ 0.65)" in misses(everything(), unlike)
    groups = everything()
    for control in CONTROLS:
        groups[f"mnist {control}"] = [
            good(0, f"mnist {control}", fidelity=0.5)
        ]  # one gate, no more
    assert "gates that controls fail 1, 1 (goal ≥ 2)" in misses(groups, TOGETHER)


def test_controls_next_to_a_run_count_as_those_of_their_own_runs_do() -> None:
    groups = of(good(0), good(1))
    assert "gates that controls fail" in standing(MNIST, groups, TOGETHER).unknown
    shown = {"fidelity": 0.1, "within_class_explained": 0.0, "fidelity_hard": 0.1}
    groups["mnist"][1]["controls"] = {
        "relabelled": {"fidelity": 1.0, "within_class_explained": 0.0},
        "frozen_random": shown,
    }
    assert "gates that controls fail 3, 1 (goal ≥ 2)" in misses(groups, TOGETHER)


def test_an_interval_that_reaches_over_the_bound_misses_it_though_its_mean_does_not() -> None:
    groups = everything()
    for made, accuracy in zip(groups["mnist"], (0.988, 0.992, 0.99), strict=True):
        made["metrics"]["test/predictor_accuracy"] = accuracy
        made["metrics"]["test/interpreter_accuracy"] = accuracy
    assert "f - f alone +0.00 [-0.50, +0.50] points" in misses(groups, TOGETHER)


def test_the_lowest_end_of_all_runs_is_what_faithfulness_is_judged_by() -> None:
    groups = everything()
    groups["mnist"][1]["metrics"]["test/faithfulness_gap_low"] = -0.01
    assert "faithfulness above random 0.300 ± 0.000; -0.010 (goal > 0)" in misses(groups, TOGETHER)


def test_what_was_not_measured_is_neither_met_nor_missed() -> None:
    groups = of(good(0), good(1))
    for made in groups["mnist"]:
        del made["metrics"]["test/faithfulness_gap_low"]
    found = standing(MNIST, groups, {})
    assert found.summary == "11 of 15, 4 not measured"
    assert set(found.unknown) == {
        "f - f alone",
        "faithfulness above random",
        "stability_seeds",
        "gates that controls fail",
    }
    assert "- `mnist`: not measured: f - f alone" in misses(groups, {})


def test_one_pair_has_no_interval_and_is_not_judged() -> None:
    groups = of(good(0), good(0, bare("mnist")))
    assert "f - f alone" in standing(MNIST, groups, {}).unknown
    assert "+0.00 (1 pair), not judged" in goals_section(groups, {})


def test_a_bound_is_met_at_the_bound_but_a_strict_one_is_not() -> None:
    loose, strict = Goal("fidelity", "up", {}), Goal("fidelity", "up", {}, strict=True)
    assert loose.missed_by(0.1 + 0.2, 0.3) is None
    assert loose.missed_by(0.3 - 1e-12, 0.3) is None, "the last bits of a mean"
    assert strict.missed_by(0.3, 0.3) == 0.0
    assert strict.missed_by(0.3001, 0.3) is None
    assert Goal("kl", "down", {}).missed_by(0.5, 0.2) == pytest.approx(0.3)


def test_the_goals_are_those_that_were_set() -> None:
    set_ = {
        (goal.key, track): list(bounds.values())
        for goal in GOALS
        for track, bounds in goal.bounds.items()
    }
    assert set_["fidelity", "paper"] == [0.992, 0.94, 0.94, 0.95]
    assert set_["fidelity", "free"] == [0.996, 0.98, 0.98, 0.98]
    assert (
        set_["g_minus_f", "paper"] == set_["g_minus_f", "free"] == [-0.001, -0.004, -0.004, -0.004]
    )
    assert set_["stability_seeds", "post_hoc"] == [0.8] * 4
    assert ("fidelity_hard", "paper") not in set_


def test_every_goal_is_of_a_score_that_is_shown() -> None:
    assert {goal.key for goal in GOALS} <= set(SHOWN)
    own = {"bare_accuracy", "f_minus_bare_low", "g_minus_f", "gates_failed_by_controls"}
    assert set(SHOWN) - own <= {score.key for score in (*SCORES, *SEED_SCORES)}


def test_a_goal_is_shown_in_the_unit_of_its_score() -> None:
    shown = {goal.key: wanted(goal, goal.bound("free", "mnist", 25) or 0) for goal in GOALS}
    assert shown["fidelity"] == "≥ 99.6"
    assert shown["f_minus_bare_low"] == "> -0.3"
    assert shown["dead_attributes"] == "0"
    assert shown["exclusive_attributes"] == "≤ 5"
    assert shown["faithfulness_gap_low"] == "> 0"


def test_the_page_holds_every_score_next_to_its_goal_and_the_papers() -> None:
    groups = everything() | of(*(run(seed, 0.985, "mnist_flint") for seed in range(2)))
    text = goals_section(groups, TOGETHER)
    assert (
        line(text, "| fidelity, % |") == "| fidelity, % | ≥ 99.6 | 98.70 ± 0.10 | "
        "98.50 ± 0.00, **missed by 1.10** | 99.70 ± 0.00 ✓ |"
    )
    assert (
        line(text, "| stability_seeds |")
        == "| stability_seeds | ≥ 0.65 |  | not measured | 0.700 ✓ |"
    )
    assert line(text, "| stability_seeds, random Ψ |").endswith("| 0.300 |")
    assert "| MNIST | `mnist` | 3 |" in text
    assert "| 15 of 15 | `python train.py experiment=mnist` |" in text
    assert "`python train.py experiment=mnist -m seed=0,1,2`; f alone: 0,1,2" in text


def test_tables_have_as_many_cells_in_each_row() -> None:
    text = page(
        everything()
        | of(run(0, setting="mnist_flint"), run(0, setting="cifar10_resnet20_post_hoc")),
        TOGETHER,
    )
    counts: list[int] = []
    for text_line in [*text.splitlines(), ""]:
        if text_line.startswith("|"):
            counts.append(text_line.replace(r"\|", "").count("|"))
        else:
            assert len(set(counts)) <= 1, text_line
            counts = []


def test_a_miss_too_small_for_the_tables_digits_is_still_seen() -> None:
    groups = everything()
    for made in groups["mnist"]:
        made["metrics"]["test/fidelity"] = 0.99598
    assert "99.60 ± 0.00, **missed by 0.002**" in goals_section(groups, TOGETHER)


def test_tracks_without_runs_have_no_section() -> None:
    assert goals_section(of(run(0, setting="digits")), {}) == ""
    assert "published hidden layer" not in goals_section(of(good(0)), {})
