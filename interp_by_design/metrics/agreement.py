"""Agreement of f and g with the label, and of g with f.

Among equal logits, the first class is the decision.
"""

from __future__ import annotations

from functools import partial

import torch
from jaxtyping import Bool, Float, Int, Shaped
from torch import Tensor

from interp_by_design.metrics.table_batches import samplewise
from interp_by_design.terms import Indices, InterpretationTable, Labels, Logits

HARD_PART = 10  # the samples of smallest margin are one in so many
TOP = 5  # logits
MIN_CLASS_SAMPLES = 10  # that f decides as a class, for its fidelity to be more than chance

MEANS = (
    "predictor_accuracy",
    "interpreter_accuracy",
    "fidelity",
    "fidelity_top5",
    "kl",
    "probability_error",
)
Scalar = Float[Tensor, ""]


def is_right(logits: Logits, labels: Labels) -> Bool[Tensor, "n"]:
    """Return where `argmax f(x) = y`; the mean is `predictor_accuracy`, or `interpreter_accuracy`.

    Args:
        logits: The logits of f, or of g, [n, C].
        labels: The labels, [n].

    Returns:
        Whether each sample is decided as labelled, [n].

    >>> is_right(torch.tensor([[0.0, 1.0], [1.0, 0.0]]), torch.tensor([1, 1])).tolist()
    [True, False]
    """
    return logits.argmax(dim=1) == labels


def agrees(predictor: Logits, interpreter: Logits) -> Bool[Tensor, "n"]:
    """Return where `argmax g(x) = argmax f(x)`; the mean is FLINT's `fidelity`.

    Args:
        predictor: The logits of f, [n, C].
        interpreter: The logits of g, [n, C].

    Returns:
        Whether f and g decide alike on each sample, [n].

    >>> agrees(torch.tensor([[0.0, 1.0]]), torch.tensor([[2.0, 3.0]])).tolist()
    [True]
    """
    return interpreter.argmax(dim=1) == predictor.argmax(dim=1)


def accuracy(logits: Logits, labels: Labels) -> Scalar:
    """Compute the share of the samples where `argmax f(x) = y`.

    Args:
        logits: The logits of f, or of g, [n, C].
        labels: The labels, [n].

    Returns:
        The accuracy, in 0..1.

    >>> float(accuracy(torch.tensor([[0.0, 1.0], [1.0, 0.0]]), torch.tensor([1, 1])))
    0.5
    """
    return is_right(logits, labels).double().mean()


def fidelity(predictor: Logits, interpreter: Logits) -> Scalar:
    """Compute the share of the samples where `argmax g(x) = argmax f(x)`.

    Args:
        predictor: The logits of f, [n, C].
        interpreter: The logits of g, [n, C].

    Returns:
        The fidelity, in 0..1.

    Source: FLINT, section 4.

    >>> f = torch.tensor([[0.0, 1.0], [1.0, 0.0]])
    >>> float(fidelity(f, f)), float(fidelity(f, f[:1].expand(2, 2)))
    (1.0, 0.5)
    """
    return agrees(predictor, interpreter).double().mean()


def fidelity_hard(predictor: Logits, interpreter: Logits) -> Scalar:
    """Compute the fidelity on the tenth of the samples where f's margin is smallest.

    Args:
        predictor: The logits of f, [n, C].
        interpreter: The logits of g, [n, C].

    Returns:
        The fidelity, in 0..1, over max(1, floor(n / 10)) samples; among equal margins, the earlier.
    """
    return _mean_on_hardest(agrees(predictor, interpreter), margin(predictor))


def fidelity_on_errors(predictor: Logits, interpreter: Logits, labels: Labels) -> Scalar:
    """Compute the fidelity on the samples where f is wrong.

    Args:
        predictor: The logits of f, [n, C].
        interpreter: The logits of g, [n, C].
        labels: The labels, [n].

    Returns:
        The fidelity, in 0..1; NaN where f makes no error.
    """
    return agrees(predictor, interpreter)[~is_right(predictor, labels)].double().mean()


def fidelity_by_class(predictor: Logits, interpreter: Logits) -> Float[Tensor, "classes"]:
    """Compute the fidelity on the samples that f decides as class c, for each c.

    Its mean, weighted by how often f decides each class, is FLINT's fidelity, which a rare class
    hardly moves.

    Args:
        predictor: The logits of f, [n, C].
        interpreter: The logits of g, [n, C].

    Returns:
        The fidelity of each class, [C], in 0..1; NaN where f never decides it.

    >>> f = torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    >>> fidelity_by_class(f, f).tolist()
    [1.0, 1.0, nan]
    """
    decided = predictor.argmax(dim=1)
    return mean_by_class(agrees(predictor, interpreter), decided, predictor.shape[1])[0]


def fidelity_worst_class(predictor: Logits, interpreter: Logits) -> Scalar:
    """Compute the smallest fidelity of a class that f decides on at least ten samples.

    Args:
        predictor: The logits of f, [n, C].
        interpreter: The logits of g, [n, C].

    Returns:
        The fidelity, in 0..1; NaN where there is no such class.
    """
    decided = predictor.argmax(dim=1)
    return _worst(*mean_by_class(agrees(predictor, interpreter), decided, predictor.shape[1]))


def mean_by_class(
    values: Shaped[Tensor, "n"], classes: Indices, n_classes: int
) -> tuple[Float[Tensor, "classes"], Int[Tensor, "classes"]]:
    """Compute the mean of the values of each class.

    Args:
        values: A value a sample, [n].
        classes: The class of each sample, [n].
        n_classes: How many classes there are, C.

    Returns:
        The means, [C], NaN for a class without samples, and the number of samples of each class,
        [C].

    >>> mean_by_class(torch.tensor([1.0, 3.0]), torch.tensor([0, 0]), n_classes=1)
    (tensor([2.], dtype=torch.float64), tensor([2]))
    """
    counts = torch.bincount(classes, minlength=n_classes)
    return torch.bincount(classes, weights=values.double(), minlength=n_classes) / counts, counts


def fidelity_present_classes(
    predictor: Logits, interpreter: Logits, classes: Int[Tensor, "present"]
) -> Bool[Tensor, "n"]:
    """Return where `argmax_c g(x) = argmax_c f(x)`, both over the given classes alone.

    The mean is the fidelity among those classes: for a head of 1,000 classes on images of ten,
    where g need not learn to separate classes that are absent.

    Args:
        predictor: The logits of f, [n, C].
        interpreter: The logits of g, [n, C].
        classes: The classes that are present.

    Returns:
        Whether f and g decide alike on each sample, [n].
    """
    return agrees(predictor[:, classes], interpreter[:, classes])


def in_top(predictor: Logits, interpreter: Logits, k: int = TOP) -> Bool[Tensor, "n"]:
    """Return where `argmax f(x)` is among the k largest of g(x); the mean is `fidelity_top5`.

    Args:
        predictor: The logits of f, [n, C].
        interpreter: The logits of g, [n, C].
        k: How many of g's logits count. With 1 it is the same as `agrees`, ties included.

    Returns:
        Whether f's decision is among them on each sample, [n].

    >>> f, g = torch.tensor([[1.0, 0.0, 0.0]]), torch.tensor([[2.0, 3.0, 1.0]])
    >>> in_top(f, g, k=1).tolist(), in_top(f, g, k=2).tolist()
    ([False], [True])
    """
    # A stable order: topk may pick any of equal logits, and an all-zero g must not score by chance.
    largest = interpreter.argsort(dim=1, descending=True, stable=True)[:, :k]
    return (largest == predictor.argmax(dim=1, keepdim=True)).any(dim=1)


def kl(predictor: Logits, interpreter: Logits) -> Float[Tensor, "n"]:
    """Compute `KL(f || g) = sum_c f_c (log f_c - log g_c)` of the softmaxes.

    Args:
        predictor: The logits of f, [n, C].
        interpreter: The logits of g, [n, C].

    Returns:
        The divergence of each sample, [n], in nats, >= 0 up to rounding.

    >>> kl(torch.zeros(1, 2), torch.zeros(1, 2)).tolist()
    [0.0]
    """
    log_f, log_g = predictor.log_softmax(dim=1), interpreter.log_softmax(dim=1)
    return (log_f.exp() * (log_f - log_g)).sum(dim=1)


def probability_error(predictor: Logits, interpreter: Logits) -> Float[Tensor, "n"]:
    """Compute `1/2 sum_c | f_c - g_c |` of the softmaxes.

    It compares the weighted sum of attributes, g, with all of f's probabilities, not with f's
    decision alone.

    Args:
        predictor: The logits of f, [n, C].
        interpreter: The logits of g, [n, C].

    Returns:
        The share of g's probability that lies with the wrong classes, for each sample, [n], in
        0..1.

    Source: SURF_EMD of Kumar and Ahuja, Measuring the (Un)Faithfulness of Concept-Based
    Explanations (CVPR 2026), arXiv 2504.10833. There, a surrogate is built from the explanation;
    here it is g itself, at whichever layers it reads.

    >>> probability_error(torch.tensor([[100.0, 0.0]]), torch.zeros(1, 2)).tolist()
    [0.5]
    """
    return 0.5 * (predictor.softmax(dim=1) - interpreter.softmax(dim=1)).abs().sum(dim=1)


def margin(predictor: Logits) -> Float[Tensor, "n"]:
    """Compute `f_(1)(x) - f_(2)(x)`, the largest logit less the second.

    It is the log of the ratio of the two probabilities. Their difference would round to 1 for every
    confident sample, and could not order these.

    Args:
        predictor: The logits of f, [n, C], C at least 2.

    Returns:
        The margin of each sample, [n], >= 0.

    >>> margin(torch.tensor([[1.0, 4.0, 2.0]])).tolist()
    [2.0]
    """
    top = predictor.topk(2, dim=1).values
    return top[:, 0] - top[:, 1]


def agreement_scores(table: InterpretationTable) -> dict[str, float]:
    """Compute the accuracies, the fidelities, kl and probability_error.

    Args:
        table: The interpretation table of a split.

    Returns:
        The scores, by key. fidelity_on_errors is absent where f makes no error, and
        fidelity_worst_class where f decides no class on ten samples. fidelity_present_classes, over
        the classes among the labels, is absent where these are all classes, since it is then the
        fidelity, and where there is a single one, on which f and g cannot differ.
    """
    present = torch.tensor(sorted(set(table.labels.tolist())))
    found = samplewise(table, partial(_columns, present=present))
    n_classes = table.predictor.shape[1]
    scores = {key: float(found[key].double().mean()) for key in MEANS}
    scores["fidelity_hard"] = float(_mean_on_hardest(found["fidelity"], found["margin"]))
    wrong = ~found["predictor_accuracy"]
    if wrong.any():
        scores["fidelity_on_errors"] = float(found["fidelity"][wrong].double().mean())
    if 1 < len(present) < n_classes:
        scores["fidelity_present_classes"] = float(
            found["fidelity_present_classes"].double().mean()
        )
    worst = _worst(*mean_by_class(found["fidelity"], found["decided"], n_classes))
    if not worst.isnan():
        scores["fidelity_worst_class"] = float(worst)
    return scores


def _columns(table: InterpretationTable, present: Tensor) -> dict[str, Tensor]:
    f, g = table.predictor, table.interpreter
    return {
        "predictor_accuracy": is_right(f, table.labels),
        "interpreter_accuracy": is_right(g, table.labels),
        "fidelity": agrees(f, g),
        "fidelity_present_classes": fidelity_present_classes(f, g, present),
        "fidelity_top5": in_top(f, g),
        "kl": kl(f, g),
        "probability_error": probability_error(f, g),
        "margin": margin(f),
        "decided": f.argmax(dim=1),
    }


def _mean_on_hardest(agreement: Bool[Tensor, "n"], margins: Float[Tensor, "n"]) -> Scalar:
    hardest = margins.argsort(stable=True)[: max(1, len(margins) // HARD_PART)]
    return agreement[hardest].double().mean()


def _worst(by_class: Float[Tensor, "classes"], counts: Int[Tensor, "classes"]) -> Scalar:
    counted = by_class[counts >= MIN_CLASS_SAMPLES]
    return counted.min() if len(counted) else by_class.new_tensor(torch.nan)
