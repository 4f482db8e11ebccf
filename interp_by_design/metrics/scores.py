"""The scorecard: its keys, and the scores of interpretation tables."""

from __future__ import annotations

from dataclasses import dataclass

from interp_by_design.metrics.agreement import agreement_scores
from interp_by_design.metrics.attribute_overlap import overlap_scores
from interp_by_design.metrics.calibration import calibration_scores
from interp_by_design.metrics.gates import Direction
from interp_by_design.metrics.predictability import logit_predictability
from interp_by_design.metrics.reconstruction import reconstruction_scores
from interp_by_design.metrics.table_batches import require_table
from interp_by_design.metrics.tau_curves import TAUS, conciseness_scores, score_key
from interp_by_design.metrics.usage import usage_scores
from interp_by_design.terms import InterpretationTable


@dataclass(frozen=True)
class Score:
    """A key of the scorecard.

    Args:
        key: The key, without the split.
        direction: Where better is; None where neither way is.
        meaning: The definition in one line.
    """

    key: str
    direction: Direction | None
    meaning: str


def _at_each_tau(name: str, direction: Direction, meaning: str) -> tuple[Score, ...]:
    return tuple(
        Score(score_key(name, tau), direction, meaning.format(bound=f"1/{tau:g}")) for tau in TAUS
    )


SCORES = (
    Score("predictor_accuracy", "up", "share of samples where f decides the label"),
    Score("interpreter_accuracy", "up", "share of samples where g decides the label"),
    Score("fidelity", "up", "share of samples where g decides what f decides"),
    Score("fidelity_top5", "up", "share of samples where f's decision is among g's five largest"),
    Score(
        "fidelity_hard", "up", "fidelity on the tenth of the samples where f's margin is smallest"
    ),
    Score("fidelity_on_errors", "up", "fidelity where f is wrong"),
    Score(
        "fidelity_worst_class",
        "up",
        "smallest fidelity of a class, among those that f decides on at least ten samples",
    ),
    Score(
        "fidelity_present_classes",
        "up",
        "fidelity among the classes of the labels, where f knows classes that have no sample",
    ),
    Score(
        "fidelity_rank_probe",
        "up",
        "fidelity of a linear probe of rank J of the same layers, about the most that g can reach",
    ),
    Score(
        "fidelity_full_probe",
        "up",
        "fidelity of a linear probe of the same layers without a bound on its rank",
    ),
    Score("kl", "down", "mean KL divergence of g from f, in nats"),
    Score(
        "probability_error",
        "down",
        "half the mean L1 distance between the probabilities of f and g, over all classes",
    ),
    Score(
        "calibration_error",
        "down",
        "mean gap between g's confidence and its accuracy, over 15 bins of confidence",
    ),
    Score("predictor_calibration_error", None, "the same of f, which g should follow"),
    *_at_each_tau(
        "conciseness",
        "down",
        "mean number of attributes with relevance > {bound}; low, but 1 is a bare class name",
    ),
    *_at_each_tau(
        "conciseness_abs",
        "down",
        "mean number of attributes with |relevance| > {bound}, the ones an explanation shows",
    ),
    *_at_each_tau(
        "sufficiency",
        "up",
        "share of samples where the attributes with |relevance| > {bound} alone decide as f does",
    ),
    *_at_each_tau(
        "left_out", "down", "mean share of the evidence in attributes with |relevance| <= {bound}"
    ),
    Score("unexplained_share", "down", "share of samples with no active attribute"),
    Score("dead_attributes", "down", "attributes active on less than 0.1 % of the samples"),
    Score("always_on_attributes", "down", "attributes active on more than 99 % of the samples"),
    Score(
        "effective_attributes",
        "up",
        "number of attributes that would carry the evidence if all did so evenly",
    ),
    Score("overlap", "down", "mean absolute correlation between pairs of live attributes"),
    Score(
        "reconstruction_mse", "down", "mean squared error of the decoder's image, pixels in [0, 1]"
    ),
    Score(
        "within_class_explained",
        "up",
        "share of the variation around the class's mean image that the attributes explain",
    ),
    Score(
        "logit_predictability",
        "down",
        "how well f's answer predicts the attributes; 1 is a relabelled answer",
    ),
    Score(
        "exclusive_attributes",
        "down",
        "live attributes with more than 90 % of their mass in one class that f decides",
    ),
    Score(
        "faithfulness",
        "up",
        "loss of f's decided probability when the pixels behind the shown attributes are blurred",
    ),
    Score(
        "faithfulness_random",
        None,
        "the same for as many active attributes that are not shown; should be well below it",
    ),
    Score(
        "faithfulness_gap_low",
        "up",
        "lower end of the 95 % interval of the difference of these two",
    ),
    Score(
        "faithfulness_samples",
        None,
        "samples with attributes of both kinds, over which both are means",
    ),
    Score(
        "effect_agreement",
        "up",
        "agreement between measured and predicted effects of removing an attribute, as a cosine",
    ),
    Score(
        "stability_noise",
        "up",
        "mean cosine of the attributes with those of the image under noise that does not move f",
    ),
    Score(
        "stability_jpeg20",
        "up",
        "the same under JPEG compression of quality 20 that does not move f",
    ),
    Score(
        "stability_shift", "up", "the same under a shift by one or two pixels that does not move f"
    ),
    Score("stability_samples", None, "smallest sample count among the stability scores"),
    Score(
        "consistency",
        "up",
        "share of drawn images where f separates a high attribute from one at zero; chance is 0.5",
    ),
)


TABLE_SCORES = (
    agreement_scores,
    calibration_scores,
    conciseness_scores,
    usage_scores,
    overlap_scores,
    reconstruction_scores,
)


def scorecard(
    table: InterpretationTable, train_table: InterpretationTable, seed: int
) -> dict[str, float]:
    """Compute the scores of an interpretation table.

    Beyond the tables, memory grows by some thirty numbers a sample.

    Args:
        table: The table of the split to score.
        train_table: The table of the train split, on which logit_predictability is fitted.
        seed: The seed of logit_predictability.

    Returns:
        Finite numbers by key, in the order of `SCORES`. A score that is not defined is absent.

    Raises:
        UserError: A table is empty, a label is no class, or a column holds NaN or an infinity.
    """
    require_table(table)
    require_table(train_table)
    scores: dict[str, float] = {}
    for compute in TABLE_SCORES:
        scores |= compute(table)
    predictability = logit_predictability(train_table, table, seed)
    if predictability is not None:
        scores["logit_predictability"] = predictability
    return {score.key: scores[score.key] for score in SCORES if score.key in scores}
