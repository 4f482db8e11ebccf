"""The scorecard: its keys, and every score that can be had from the interpretation tables of a run.

Does not know the model: faithfulness, stability and consistency, which need to run it, are found in `explain`. Nor how scores are
shown.
"""

from __future__ import annotations

from dataclasses import dataclass

from interp_by_design.metrics.agreement import agreement_scores
from interp_by_design.metrics.attribute_overlap import overlap_scores
from interp_by_design.metrics.calibration import calibration_scores
from interp_by_design.metrics.gates import Direction
from interp_by_design.metrics.predictability import logit_predictability
from interp_by_design.metrics.reconstruction import reconstruction_scores
from interp_by_design.metrics.table_batches import require_table
from interp_by_design.metrics.tau_curves import TAUS, conciseness_scores, key
from interp_by_design.metrics.usage import usage_scores
from interp_by_design.terms import InterpretationTable


@dataclass(frozen=True)
class Score:
    """A key of the scorecard, where better is (None: neither way), and its meaning in one line."""

    key: str
    direction: Direction | None
    meaning: str


def _at_each_tau(name: str, direction: Direction, meaning: str) -> tuple[Score, ...]:
    return tuple(
        Score(key(name, tau), direction, meaning.format(bound=f"1/{tau:g}")) for tau in TAUS
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
        "the least fidelity of a class, of those that f decides on ten samples at least",
    ),
    Score(
        "fidelity_present_classes",
        "up",
        "fidelity among the classes of the labels, where f knows classes that have no sample",
    ),
    Score(
        "fidelity_rank_probe",
        "up",
        "fidelity of a linear probe of rank J of the same layers; about as far as g can go",
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
        "mean share of g's probability that is with other classes than f's is; over all classes",
    ),
    Score(
        "calibration_error",
        "down",
        "how far g's confidence is from how often it is right, over 15 bins of confidence",
    ),
    Score("predictor_calibration_error", None, "the same of f, which g is to follow"),
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
        "number of attributes that carry the evidence, if they did so evenly; at most all",
    ),
    Score("overlap", "down", "mean absolute correlation between pairs of live attributes"),
    Score(
        "reconstruction_mse", "down", "mean squared error of the decoder's image, pixels in [0, 1]"
    ),
    Score(
        "within_class_explained",
        "up",
        "share of the image that the class's mean leaves open and the attributes tell",
    ),
    Score(
        "logit_predictability",
        "down",
        "how much of the attributes f's answer tells; 1 is a relabelled answer",
    ),
    Score(
        "exclusive_attributes",
        "down",
        "live attributes with more than 90 % of their mass in one class that f decides",
    ),
    Score(
        "faithfulness",
        "up",
        "f's decided probability lost where what the shown attributes look at is taken out of the image",
    ),
    Score(
        "faithfulness_random",
        None,
        "the same for as many active attributes that are not shown: to be well below it",
    ),
    Score(
        "faithfulness_gap_low",
        "up",
        "how much more the shown ones take, at the lower end of the 95 % interval",
    ),
    Score("faithfulness_samples", None, "samples with such attributes, which both are means of"),
    Score(
        "effect_agreement",
        "up",
        "cosine of how two attributes of an image differ in what they do to f, and in what g says",
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
    Score("stability_samples", None, "samples that the one of these rests on that rests on fewest"),
    Score(
        "consistency",
        "up",
        "share of drawn images where f can tell if an attribute was high or zero; chance is 0.5",
    ),
)


OF_TABLE = (
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
    """The scores of `table`, by keys without prefix, in the order of SCORES; a score that is not defined is absent.

    `train_table` and `seed` serve `logit_predictability`, which is fitted on train. Every value is a finite Python float. Beyond
    the tables, memory grows by some thirty numbers a sample and no more. Raises UserError for an empty table, a label that is no
    class, and a column that holds NaN or an infinity, by its name. Definitions: the docstrings of the functions called here.
    """
    require_table(table)
    require_table(train_table)
    scores: dict[str, float] = {}
    for of_table in OF_TABLE:
        scores |= of_table(table)
    predictability = logit_predictability(train_table, table, seed)
    if predictability is not None:
        scores["logit_predictability"] = predictability
    return {score.key: scores[score.key] for score in SCORES if score.key in scores}
