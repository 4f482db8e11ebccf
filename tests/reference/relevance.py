"""Reference relevance of FLINT in loops: `phi[x][j]`, `w[c][j]`, and one class a sample."""

from __future__ import annotations

Rows = list[list[float]]


def contributions(phi: Rows, w: Rows, classes: list[int]) -> Rows:
    return [[phi[x][j] * w[classes[x]][j] for j in range(len(phi[x]))] for x in range(len(phi))]


def local_relevance(phi: Rows, w: Rows, classes: list[int]) -> Rows:
    result = []
    for alphas in contributions(phi, w, classes):
        largest = 0.0
        for alpha in alphas:
            if abs(alpha) > largest:
                largest = abs(alpha)
        result.append([0.0 if largest == 0 else alpha / largest for alpha in alphas])
    return result


def global_relevance(relevance: Rows, classes: list[int], n_classes: int) -> tuple[Rows, list[int]]:
    means, counts = [], []
    for c in range(n_classes):
        members = [relevance[x] for x in range(len(relevance)) if classes[x] == c]
        counts.append(len(members))
        n_attributes = len(relevance[0])
        means.append(
            [
                sum(r[j] for r in members) / len(members) if members else 0.0
                for j in range(n_attributes)
            ]
        )
    return means, counts


def pairs(relevance: Rows, tau: float) -> set[tuple[int, int]]:
    return {
        (c, j)
        for c in range(len(relevance))
        for j in range(len(relevance[c]))
        if relevance[c][j] > 1 / tau
    }
