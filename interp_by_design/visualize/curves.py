"""Curves of scores over τ, and of losses over training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from interp_by_design.terms import SPLITS
from interp_by_design.visualize.bars import said
from interp_by_design.visualize.frame import Frame, Words
from interp_by_design.visualize.plot import Curve, Panel, Scale
from interp_by_design.visualize.theme import LIGHT, Theme
from interp_by_design.visualize.words import count

History = Mapping[str, tuple[Sequence[float], Sequence[float]]]

# The objective and its terms, which come first.
FIRST = ("loss", "prediction", "output_fidelity", "input_fidelity", "conciseness")
WIDE = 3.05  # inches of a panel
TALL = 2.25  # inches of a panel
N_COLUMNS = 3  # panels in a row
MAX_PANELS = 12
MAX_POINTS = 250  # of a curve; of more values, means are drawn


def tau_curves(scores: Mapping[str, float], theme: Theme = LIGHT, over: str = "") -> Figure:
    """Draw conciseness, sufficiency and the share left out over τ, and the fidelity as a level.

    Args:
        scores: by the scorecard's keys, such as `conciseness@5`. If all have a prefix, such as
            `test/conciseness@5`, the scores of test are drawn, else those of val, else of train.
            Other keys are ignored.
        theme: the colours.
        over: the data that the figure is of, for the caption.

    Returns:
        The figure; an absent score has no curve.
    """
    scores = _of_one_split(scores)
    taus = sorted({_tau(key) for key in scores if "@" in key})
    across = Scale.of(np.array(taus), n=5, log=False)
    frame = Frame(
        WIDE * 3,
        TALL,
        Words("Short explanations, and what they leave out, over τ", said(TAU_CAPTION, over)),
        theme,
    )
    for i, (heading, names, bounds) in enumerate(PANELS):
        curves = _over_tau(scores, names, taus)
        values = np.array([value for curve in curves for value in curve.y])
        panel = Panel(frame, WIDE * i, 0, WIDE - 0.15, TALL)
        panel.draw(heading, "τ", curves, across, Scale.of(values, log=False, bounds=bounds))
    return frame.figure


PANELS: tuple[tuple[str, tuple[str, ...], tuple[float | None, float | None]], ...] = (
    ("Attributes an explanation holds", ("conciseness", "conciseness_abs"), (0.0, None)),
    ("Is what is shown enough?", ("sufficiency", "fidelity"), (None, 1.0)),
    ("Share of the evidence left out", ("left_out",), (0.0, None)),
)
TAU_CAPTION = (
    "An attribute is shown at τ where |r| > 1/τ. conciseness: "
    "mean number of attributes with r > 1/τ, conciseness_abs: with "
    "|r| > 1/τ; sufficiency: share of images where those alone decide as f does, next to the "
    "fidelity of all attributes together; "
    "left out: mean share of the evidence in the attributes that are not shown."
)


def loss_curves(history: History, theme: Theme = LIGHT, over: str = "") -> Figure:
    """Draw a panel per term of the objective, with a curve per split.

    A scale is logarithmic where positive values differ a hundredfold. Non-finite values leave a
    gap, and the panel counts them. Of more than `MAX_PANELS` terms, the caption names the others.

    Args:
        history: steps and values by key, such as `train/output_fidelity`.
        theme: the colours.
        over: the data that the figure is of, for the caption.

    Returns:
        The figure.
    """
    terms = _terms(history)
    shown = list(terms)[:MAX_PANELS]
    words = Words(
        "Training, term by term", said(_loss_caption(history, list(terms)[MAX_PANELS:]), over)
    )
    rows = max(1, -(-len(shown) // N_COLUMNS))
    frame = Frame(WIDE * min(N_COLUMNS, max(2, len(shown))), TALL * rows - 0.1, words, theme)
    across = Scale.of(
        np.array([step for steps, _ in history.values() for step in steps], dtype=float),
        n=4,
        log=False,
    )
    for i, term in enumerate(shown):
        row, column = divmod(i, N_COLUMNS)
        curves = [_thinned(split, *history[key]) for split, key in terms[term].items()]
        values = np.array([value for curve in curves for value in curve.y])
        lost = sum(
            int((~np.isfinite(np.asarray(history[key][1], dtype=float))).sum())
            for key in terms[term].values()
        )
        panel = Panel(frame, WIDE * column, TALL * row, WIDE - 0.15, TALL - 0.1)
        heading, up = (
            f"{term}: {count(lost, 'value')} not finite" if lost else term,
            Scale.of(values, n=4),
        )
        panel.draw(f"{heading} (logarithmic)" if up.log else heading, "step", curves, across, up)
    if not shown:
        frame.text(0, 0.2, "Nothing has been logged yet.")
    return frame.figure


def _of_one_split(scores: Mapping[str, float]) -> dict[str, float]:
    """Scores without prefix, or of the first of test, val and train with a curve over τ."""
    for start in ("", "test/", "val/", "train/"):
        found = {
            key.removeprefix(start): value for key, value in scores.items() if key.startswith(start)
        }
        if any("@" in key and "/" not in key for key in found):
            break
    return {key: value for key, value in found.items() if "/" not in key}


def _over_tau(
    scores: Mapping[str, float], names: Sequence[str], taus: Sequence[float]
) -> list[Curve]:
    """A curve for each of the names; a score that has no τ is level."""
    curves: list[Curve] = []
    for name in names:
        points = sorted(
            (_tau(key), value) for key, value in scores.items() if key.startswith(f"{name}@")
        )
        level = name in scores and not points
        points = [(tau, scores[name]) for tau in (taus[0], taus[-1])] if level and taus else points
        if points:
            curves.append(
                Curve(
                    name,
                    [tau for tau, _ in points],
                    [value for _, value in points],
                    len(curves),
                    not level,
                )
            )
    return curves


def _tau(key: str) -> float:
    return float(key.rpartition("@")[2])


def _terms(history: History) -> dict[str, dict[str, str]]:
    """Keys by term and split, the objective's terms first, then in the order they came."""
    terms: dict[str, dict[str, str]] = {name: {} for name in FIRST}
    for key in history:
        split, _, term = key.rpartition("/")
        terms.setdefault(term, {})[split] = key
    return {term: keys for term, keys in terms.items() if keys}


def _thinned(split: str, steps: Sequence[float], values: Sequence[float]) -> Curve:
    """The curve of a split in its own style; of many values, means over equal parts."""
    x, y = np.asarray(steps, dtype=float), np.asarray(values, dtype=float)
    if len(x) > MAX_POINTS:
        parts = np.array_split(np.arange(len(x)), MAX_POINTS)
        x = np.array([x[part].mean() for part in parts])
        y = np.array([_mean(y[part]) for part in parts])
    return Curve(
        split or "value",
        x.tolist(),
        y.tolist(),
        SPLITS.index(split) if split in SPLITS else len(SPLITS),
    )


def _mean(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> float:
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if finite.size else np.nan


def _loss_caption(history: History, left_out: Sequence[str]) -> str:
    text = "Unweighted terms, the loss as their weighted sum, and scores, as logged."
    longest = max((len(steps) for steps, _ in history.values()), default=0)
    if longest > MAX_POINTS:
        text += f" Of more than {MAX_POINTS} values, means over equal stretches are drawn."
    return text + (f" Left out: {', '.join(left_out)}." if left_out else "")
