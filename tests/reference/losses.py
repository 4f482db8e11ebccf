"""Reference losses of FLINT in loops and `math`, with its official code's reductions."""

from __future__ import annotations

import math

import numpy as np
from scipy.fft import dctn  # type: ignore[import-untyped]
from sklearn.linear_model import Ridge

Rows = list[list[float]]


def softmax(row: list[float]) -> list[float]:
    largest = max(row)
    weights = [math.exp(value - largest) for value in row]
    return [weight / sum(weights) for weight in weights]


def cross_entropy(of: Rows, under: Rows) -> float:
    """mean over samples of - sum_c softmax(of)_c log softmax(under)_c."""
    total = 0.0
    for target, guess in zip(of, under, strict=True):
        largest = max(guess)
        log_sum = largest + math.log(sum(math.exp(value - largest) for value in guess))
        for p, value in zip(softmax(target), guess, strict=True):
            total -= p * (value - log_sum)
    return total / len(of)


def entropy_of(p: list[float]) -> float:
    return -sum(value * math.log(value) for value in p if value > 0)


def conciseness_softmax(attributes: Rows) -> float:
    """mean_x E(Phi(x)) - E(mean_x Phi(x)), with E of a softmax (FLINT, section 3.2)."""
    n = len(attributes)
    each = sum(entropy_of(softmax(row)) for row in attributes) / n
    mean = [sum(row[j] for row in attributes) / n for j in range(len(attributes[0]))]
    return each - entropy_of(softmax(mean))


def conciseness_sum(attributes: Rows, smoothing: float) -> float:
    """The same for codes normalised by their smoothed sum; the batch has the mean code."""
    codes = []
    for row in attributes:
        total = sum(value + smoothing for value in row)
        codes.append([(value + smoothing) / total for value in row])
    mean = [sum(code[j] for code in codes) / len(codes) for j in range(len(codes[0]))]
    return sum(entropy_of(code) for code in codes) / len(codes) - entropy_of(mean)


def anchoring(attributes: Rows, images: np.typing.NDArray[np.float64]) -> float:
    """1 - mean_j of numpy's correlation of attribute j with its part of the cosine transform."""
    transformed = np.array([dctn(image, norm="ortho") for image in images])
    slow = sorted(
        (u + v, max(u, v), u, v)
        for u in range(transformed.shape[1])
        for v in range(transformed.shape[2])
    )
    n_attributes = len(attributes[0])
    first = np.stack(
        [
            transformed[:, u, v] - transformed[:, u, v].mean()
            for _, _, u, v in slow[: (n_attributes + 1) // 2]
        ]
    )
    anchors = np.maximum(np.concatenate([first, -first]), 0)
    found = [
        np.corrcoef(attribute, anchor)[0, 1]
        for attribute, anchor in zip(np.array(attributes).T, anchors, strict=False)
    ]
    return float(1 - np.mean(found))


def independence(attributes: Rows, logits: Rows) -> float:
    """mean_j R^2_j of a ridge regression of each attribute on standardised [log p, p]."""
    p = np.array([softmax(row) for row in logits])
    answer = np.concatenate([np.log(p).clip(-12), p], axis=1)
    answer = (answer - answer.mean(axis=0)) / (answer.std(axis=0) + 1e-4)
    targets = np.array(attributes)
    predicted = Ridge(alpha=0.1 * len(answer)).fit(answer, targets).predict(answer)
    explained = ((predicted - targets.mean(axis=0)) ** 2).mean(axis=0)
    return float((explained / (targets.var(axis=0) + 1e-4)).mean())
