"""Agreement: of f and g with the label, and of g with f. Knows nothing of attributes."""

from __future__ import annotations

from functools import partial

import torch
from jaxtyping import Bool, Float, Int, Shaped
from torch import Tensor

from interp_by_design.metrics.table_batches import samplewise
from interp_by_design.terms import Indices, InterpretationTable, Labels, Logits

HARD_PART = 10  # one sample in so many: those with f's smallest margin
TOP = 5
FEWEST = 10  # samples that f decides as a class, for its fidelity to be more than chance


def is_right(logits: Logits, labels: Labels) -> Bool[Tensor, "n"]:
    """`argmax f(x) = y`; among equal logits the first class is the decision, here and in all of this file."""
    return logits.argmax(dim=1) == labels


def agrees(predictor: Logits, interpreter: Logits) -> Bool[Tensor, "n"]:
    """`argmax g(x) = argmax f(x)`; its mean is FLINT's fidelity."""
    return interpreter.argmax(dim=1) == predictor.argmax(dim=1)


def fidelity_by_class(predictor: Logits, interpreter: Logits) -> Float[Tensor, "classes"]:
    """The share of the samples that f decides as class c where g decides c too, for each c; NaN where f decides c on none.

    The mean of it, weighted by how often f decides each class, is FLINT's fidelity, which a rare class hardly moves.
    """
    return mean_by_class(
        agrees(predictor, interpreter), predictor.argmax(dim=1), predictor.shape[1]
    )[0]


def mean_by_class(
    values: Shaped[Tensor, "n"], classes: Indices, n_classes: int
) -> tuple[Float[Tensor, "classes"], Int[Tensor, "classes"]]:
    """The mean of the values of each class, NaN where it has none, and how many it has."""
    counts = torch.bincount(classes, minlength=n_classes)
    return torch.bincount(classes, weights=values.double(), minlength=n_classes) / counts, counts


def fidelity_present_classes(
    predictor: Logits, interpreter: Logits, classes: Int[Tensor, "present"]
) -> Bool[Tensor, "n"]:
    """`argmax_c g(x) = argmax_c f(x)`, both over the given classes alone; its mean is the fidelity among those.

    For a head of 1,000 classes on images of ten, where g need not learn to tell what is not there.
    """
    return agrees(predictor[:, classes], interpreter[:, classes])


def in_top(predictor: Logits, interpreter: Logits, k: int = TOP) -> Bool[Tensor, "n"]:
    """`argmax f(x)` is among the k largest of g(x), k at most C; with k = 1 the same as `agrees`, ties included."""
    # A stable order, where topk's choice among equals is open: an all-zero g must not score by chance.
    largest = interpreter.argsort(dim=1, descending=True, stable=True)[:, :k]
    return (largest == predictor.argmax(dim=1, keepdim=True)).any(dim=1)


def divergence(predictor: Logits, interpreter: Logits) -> Float[Tensor, "n"]:
    """`KL(f || g) = sum_c f_c (log f_c - log g_c)` of the softmaxes, in nats, >= 0 up to rounding."""
    log_f, log_g = predictor.log_softmax(dim=1), interpreter.log_softmax(dim=1)
    return (log_f.exp() * (log_f - log_g)).sum(dim=1)


def probability_error(predictor: Logits, interpreter: Logits) -> Float[Tensor, "n"]:
    """`1/2 sum_c | f_c - g_c |` of the softmaxes, 0..1: the share of g's probability that is with the wrong classes.

    Source: SURF_EMD of Kumar and Ahuja, Measuring the (Un)Faithfulness of Concept-Based Explanations (CVPR 2026), arXiv
    2504.10833: what a person adds up from an explanation, a weighted sum of attributes and nothing that is trained behind it,
    against all that f says and not its decision alone. Here that sum is g itself, at whatever layers it reads.
    """
    return 0.5 * (predictor.softmax(dim=1) - interpreter.softmax(dim=1)).abs().sum(dim=1)


def margin(predictor: Logits) -> Float[Tensor, "n"]:
    """`f_(1)(x) - f_(2)(x)`: the largest logit less the second, >= 0; the log of the ratio of the two probabilities.

    Logits, not probabilities: the difference of probabilities rounds to 1 for every confident sample and could not order them.
    """
    top = predictor.topk(2, dim=1).values
    return top[:, 0] - top[:, 1]


def agreement_scores(table: InterpretationTable) -> dict[str, float]:
    """The accuracies, the fidelities, kl and probability_error, by key; `fidelity_on_errors` is absent where f makes no error.

    `fidelity_worst_class` is the least of `fidelity_by_class` among the classes that f decides on ten samples at least, and
    absent where there is none such.
    `fidelity_hard` is over the floor(N/10) samples of smallest margin, one at least; among equal margins the earlier row.
    `fidelity_present_classes` is over the classes that are among the table's labels. It is absent where those are all classes,
    for then it is `fidelity`, and where there is one alone, on which f and g cannot differ.
    """
    present = torch.tensor(sorted(set(table.labels.tolist())))
    seen = samplewise(table, partial(_columns, present=present))
    scores = {key: float(seen[key].double().mean()) for key in KEYS}
    hardest = seen["margin"].argsort(stable=True)[: max(1, len(table) // HARD_PART)]
    scores["fidelity_hard"] = float(seen["fidelity"][hardest].double().mean())
    wrong = ~seen["predictor_accuracy"]
    if wrong.any():
        scores["fidelity_on_errors"] = float(seen["fidelity"][wrong].double().mean())
    if 1 < len(present) < table.predictor.shape[1]:
        scores["fidelity_present_classes"] = float(seen["fidelity_present_classes"].double().mean())
    of_class, counts = mean_by_class(seen["fidelity"], seen["decided"], table.predictor.shape[1])
    if bool((counts >= FEWEST).any()):
        scores["fidelity_worst_class"] = float(of_class[counts >= FEWEST].min())
    return scores


KEYS = (
    "predictor_accuracy",
    "interpreter_accuracy",
    "fidelity",
    "fidelity_top5",
    "kl",
    "probability_error",
)


def _columns(table: InterpretationTable, present: Tensor) -> dict[str, Tensor]:
    return {
        "predictor_accuracy": is_right(table.predictor, table.labels),
        "interpreter_accuracy": is_right(table.interpreter, table.labels),
        "fidelity": agrees(table.predictor, table.interpreter),
        "fidelity_present_classes": fidelity_present_classes(
            table.predictor, table.interpreter, present
        ),
        "fidelity_top5": in_top(table.predictor, table.interpreter),
        "kl": divergence(table.predictor, table.interpreter),
        "probability_error": probability_error(table.predictor, table.interpreter),
        "margin": margin(table.predictor),
        "decided": table.predictor.argmax(dim=1),
    }
