"""The goals of each track and data set, with the keys of `pages.scores`; shares are 0..1."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from benchmarks.tracks import DATA
from interp_by_design.metrics.gates import Direction

Bounds = Mapping[str, Mapping[str, float]]  # by track, then data set


@dataclass(frozen=True)
class Goal:
    """A bound on a score, reached where the score is on its good side.

    Args:
        key: the score.
        direction: which side is good.
        bounds: the bounds, by track and data set.
        strict: whether the bound itself misses the goal.
        per_attribute: whether bounds are shares of the number of attributes.
    """

    key: str
    direction: Direction
    bounds: Bounds
    strict: bool = False
    per_attribute: bool = False

    def bound(self, track: str, data: str, n_attributes: int) -> float | None:
        """Return the bound for a data set in a track; None where there is no goal.

        Args:
            track: a key of TRACKS.
            data: a key of DATA.
            n_attributes: number of attributes of the setting.
        """
        found = self.bounds.get(track, {}).get(data)
        return None if found is None else found * n_attributes if self.per_attribute else found

    def missed_by(self, value: float, bound: float) -> float | None:
        """Return how far a value is on the wrong side; None where the goal is reached.

        Args:
            value: the score.
            bound: the goal's bound.
        """
        short = bound - value if self.direction == "up" else value - bound
        # Means of counts and of shares are exact up to their last bits only.
        return short if short > 1e-9 or (self.strict and short > -1e-12) else None


def _each(mnist: float, fashion_mnist: float, quickdraw: float, cifar10: float) -> dict[str, float]:
    return dict(zip(DATA, (mnist, fashion_mnist, quickdraw, cifar10), strict=True))


def _all(bound: float, *tracks: str) -> Bounds:
    return {track: dict.fromkeys(DATA, bound) for track in tracks}


def _in(tracks: Iterable[str], bounds: Mapping[str, float]) -> Bounds:
    return dict.fromkeys(tracks, bounds)


BY_DESIGN = ("paper", "free")
ANY_LAYER = ("free", "post_hoc")

GOALS = (
    Goal(
        "fidelity",
        "up",
        {"paper": _each(0.992, 0.94, 0.94, 0.95), "free": _each(0.996, 0.98, 0.98, 0.98)},
    ),
    Goal("g_minus_f", "up", _in(BY_DESIGN, _each(-0.001, -0.004, -0.004, -0.004))),
    Goal("within_class_explained", "up", _in(BY_DESIGN, _each(0.35, 0.45, 0.20, 0.20))),
    Goal("sufficiency@5", "up", _in(BY_DESIGN, _each(0.98, 0.95, 0.95, 0.95))),
    Goal("conciseness_abs@5", "down", _in(BY_DESIGN, _each(4, 4, 4, 5))),
    Goal("f_minus_bare_low", "up", _all(-0.003, "free"), strict=True),
    Goal("fidelity_hard", "up", _all(0.85, *ANY_LAYER)),
    Goal("logit_predictability", "down", _all(0.80, *ANY_LAYER)),
    Goal("dead_attributes", "down", _all(0, *ANY_LAYER)),
    Goal("always_on_attributes", "down", _all(0, *ANY_LAYER)),
    Goal("unexplained_share", "down", _all(0.001, *ANY_LAYER)),
    Goal("exclusive_attributes", "down", _all(0.20, *ANY_LAYER), per_attribute=True),
    Goal("faithfulness_gap_low", "up", _all(0, *ANY_LAYER), strict=True),
    Goal("stability_seeds", "up", {**_all(0.65, "free"), **_all(0.80, "post_hoc")}),
    Goal("gates_failed_by_controls", "up", _all(2, *ANY_LAYER)),
)
