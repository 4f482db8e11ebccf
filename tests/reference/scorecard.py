"""Reference scorecard in loops, one sample and one attribute at a time."""

from __future__ import annotations

import math
from dataclasses import dataclass

from tests.reference.relevance import Rows, contributions, local_relevance

TAUS = {"1.5": 1.5, "2": 2.0, "2.5": 2.5, "3": 3.0, "4": 4.0, "5": 5.0}


@dataclass
class Columns:
    labels: list[int]
    f: Rows
    g: Rows
    phi: Rows
    error: list[float]
    class_mean_error: list[float]
    w: Rows
    b: list[float]


def decision(logits: list[float]) -> int:
    return logits.index(max(logits))


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


def log_softmax(logits: list[float]) -> list[float]:
    top = max(logits)
    total = math.log(sum(math.exp(z - top) for z in logits))
    return [z - top - total for z in logits]


def kl(f: list[float], g: list[float]) -> float:
    return sum(math.exp(a) * (a - b) for a, b in zip(log_softmax(f), log_softmax(g), strict=True))


def softmax(logits: list[float]) -> list[float]:
    top = max(logits)
    powers = [math.exp(z - top) for z in logits]
    return [power / sum(powers) for power in powers]


def probability_error(f: list[float], g: list[float]) -> float:
    return sum(abs(a - b) for a, b in zip(softmax(f), softmax(g), strict=True)) / 2


def fidelity_by_class(t: Columns) -> dict[int, tuple[float, int]]:
    """For each class that f decides, the share on which g agrees, and the number of samples."""
    classes = {decision(f) for f in t.f}
    decided = {c: [x for x in range(len(t.labels)) if decision(t.f[x]) == c] for c in classes}
    return {
        c: (mean([float(decision(t.g[x]) == c) for x in rows]), len(rows))
        for c, rows in decided.items()
    }


def calibration_error(logits: Rows, labels: list[int]) -> float:
    probabilities = [softmax(z) for z in logits]
    error = 0.0
    for b in range(15):
        inside = [x for x in range(len(labels)) if b / 15 < max(probabilities[x]) <= (b + 1) / 15]
        if inside:
            accuracy = mean([float(decision(logits[x]) == labels[x]) for x in inside])
            confidence = mean([max(probabilities[x]) for x in inside])
            error += len(inside) / len(labels) * abs(accuracy - confidence)
    return error


def calibration(t: Columns) -> dict[str, float]:
    return {
        "calibration_error": calibration_error(t.g, t.labels),
        "predictor_calibration_error": calibration_error(t.f, t.labels),
    }


def agreement(t: Columns) -> dict[str, float]:
    n = range(len(t.labels))
    same = [float(decision(t.g[x]) == decision(t.f[x])) for x in n]
    # Python's sort is stable: of equal logits the lower class first, then the first row.
    top = [sorted(range(len(t.g[x])), key=lambda c, x=x: -t.g[x][c])[:5] for x in n]
    margins = [sorted(t.f[x])[-1] - sorted(t.f[x])[-2] for x in n]
    hard = sorted(n, key=lambda x: margins[x])[: max(1, len(t.labels) // 10)]
    scores = {
        "predictor_accuracy": mean([float(decision(t.f[x]) == t.labels[x]) for x in n]),
        "interpreter_accuracy": mean([float(decision(t.g[x]) == t.labels[x]) for x in n]),
        "fidelity": mean(same),
        "fidelity_top5": mean([float(decision(t.f[x]) in top[x]) for x in n]),
        "fidelity_hard": mean([same[x] for x in hard]),
        "kl": mean([kl(t.f[x], t.g[x]) for x in n]),
        "probability_error": mean([probability_error(t.f[x], t.g[x]) for x in n]),
    }
    often = [share for share, count in fidelity_by_class(t).values() if count >= 10]
    if often:
        scores["fidelity_worst_class"] = min(often)
    errors = [same[x] for x in n if decision(t.f[x]) != t.labels[x]]
    present = sorted(set(t.labels))
    if 1 < len(present) < len(t.w):
        chosen = [
            decision([t.f[x][c] for c in present]) == decision([t.g[x][c] for c in present])
            for x in n
        ]
        scores["fidelity_present_classes"] = mean([float(alike) for alike in chosen])
    return scores | ({"fidelity_on_errors": mean(errors)} if errors else {})


def conciseness(t: Columns) -> dict[str, float]:
    decided = [decision(g) for g in t.g]
    r, alpha = local_relevance(t.phi, t.w, decided), contributions(t.phi, t.w, decided)
    n, attributes = range(len(t.labels)), range(len(t.w[0]))
    scores = {}
    for name, tau in TAUS.items():
        enough, left = [], []
        for x in n:
            shown = [j for j in attributes if abs(r[x][j]) > 1 / tau]
            logits = [t.b[c] + sum(t.phi[x][j] * t.w[c][j] for j in shown) for c in range(len(t.w))]
            enough.append(float(decision(logits) == decision(t.f[x])))
            total = sum(abs(a) for a in alpha[x])
            if total > 0:
                left.append(sum(abs(alpha[x][j]) for j in attributes if j not in shown) / total)
        scores[f"conciseness@{name}"] = mean(
            [sum(1.0 for j in attributes if r[x][j] > 1 / tau) for x in n]
        )
        scores[f"conciseness_abs@{name}"] = mean(
            [sum(1.0 for j in attributes if abs(r[x][j]) > 1 / tau) for x in n]
        )
        scores[f"sufficiency@{name}"] = mean(enough)
        if left:
            scores[f"left_out@{name}"] = mean(left)
    return scores


def usage(t: Columns) -> dict[str, float]:
    n, attributes = range(len(t.labels)), range(len(t.w[0]))
    positive = [p for row in t.phi for p in row if p > 0]
    epsilon = 0.01 * mean(positive) if positive else 0.0
    share = [mean([float(t.phi[x][j] > epsilon) for x in n]) for j in attributes]
    alpha = contributions(t.phi, t.w, [decision(g) for g in t.g])
    mass = [
        [sum(t.phi[x][j] for x in n if decision(t.f[x]) == c) for c in range(len(t.w))]
        for j in attributes
    ]
    scores = {
        "unexplained_share": mean([float(all(p <= epsilon for p in t.phi[x])) for x in n]),
        "dead_attributes": sum(1.0 for j in attributes if share[j] < 0.001),
        "always_on_attributes": sum(1.0 for j in attributes if share[j] > 0.99),
        "exclusive_attributes": sum(
            1.0 for j in attributes if share[j] >= 0.001 and max(mass[j]) / sum(mass[j]) > 0.9
        ),
    }
    sizes = [sum(abs(alpha[x][j]) for x in n) for j in attributes]
    if sum(sizes) > 0:
        shares = [s / sum(sizes) for s in sizes]
        scores["effective_attributes"] = math.exp(-sum(p * math.log(p) for p in shares if p > 0))
    return scores


def correlation(a: list[float], b: list[float]) -> float:
    da, db = [v - mean(a) for v in a], [v - mean(b) for v in b]
    product = sum(p * q for p, q in zip(da, db, strict=True))
    return product / math.sqrt(sum(p * p for p in da)) / math.sqrt(sum(q * q for q in db))


def overlap(t: Columns) -> dict[str, float]:
    positive = [p for row in t.phi for p in row if p > 0]
    epsilon = 0.01 * mean(positive) if positive else 0.0
    columns = [[row[j] for row in t.phi] for j in range(len(t.w[0]))]
    live = [
        c for c in columns if mean([float(p > epsilon) for p in c]) >= 0.001 and max(c) > min(c)
    ]
    pairs = [abs(correlation(live[i], live[j])) for i in range(len(live)) for j in range(i)]
    return {"overlap": mean(pairs)} if pairs else {}


def reconstruction(t: Columns) -> dict[str, float]:
    scores = {"reconstruction_mse": mean(t.error)}
    if mean(t.class_mean_error) > 0:
        scores["within_class_explained"] = 1 - mean(t.error) / mean(t.class_mean_error)
    return scores


def r_squared(truth: list[float], predicted: list[float]) -> float:
    middle = mean(truth)
    residual = sum((t - p) ** 2 for t, p in zip(truth, predicted, strict=True))
    return 1 - residual / sum((t - middle) ** 2 for t in truth)
