"""Whether an attribute does the same to every image: can f tell images drawn with much of it from images drawn with none?

Does not know the data's own images; the decoder draws them from attributes.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from interp_by_design.attributes import all_features
from interp_by_design.data.pass_size import images_per_pass
from interp_by_design.explain.deletion import MAX_IMAGES, MAX_VALUES
from interp_by_design.model import InterpretableModel
from interp_by_design.predictor import evaluating
from interp_by_design.terms import Attributes, InterpretationTable

LEVEL = 2.0  # λ
FEWEST = 5  # images a side: as many as there are folds
MOST = 100  # N_cc
STRENGTHS = (0.01, 0.1, 1.0, 5.0)  # C
ROWS = 4096  # of a table, at once


@dataclass(frozen=True, eq=False)
class Consistency:
    """CC_j, the share of images that are told apart, 0..1 and one half by chance, for each of `attributes`."""

    accuracy: Float[Tensor, "k"]
    attributes: Int[Tensor, "k"]


def consistency(
    model: InterpretableModel,
    train_table: InterpretationTable,
    table: InterpretationTable,
    seed: int,
    n: int = 500,
) -> Consistency:
    """`CC_j = 1/(2N) sum_i [ s_j(x_i+) = 1 ] + [ s_j(x_i-) = 0 ]`, x+ = d(Φ with φ_j = 2 max φ_j), x- = d(Φ with φ_j = 0).

    The N images are those with the largest φ_j where it speaks for what g decides, and max φ_j is among them. s_j is a linear
    support vector machine on the hidden layers, averaged over positions, that f makes of such images; it is fitted to those from
    `train_table` and asked of those from `table`, its strength chosen by cross-validation in five parts.

    At most `n` images of each table are looked at: N is 5 to 100, and with many attributes some are drawn. One that speaks for
    the decision on fewer than 5 images is left out. The model is left as it was.

    Source: VisCoIN, Parekh, Bouniot et al. (2025), arXiv 2407.01331, section 4.1 and appendix C.3.1 (N = 100, λ = 2). Departs
    from it in fewer images, in reading the layers that g reads where it takes one in the middle of f, and in standardising.
    """
    tellers = [telling(train_table), telling(table)]
    able = (
        torch.stack([(rows >= 0).sum(dim=1) >= FEWEST for rows in tellers])
        .all(dim=0)
        .nonzero()[:, 0]
    )
    order = torch.randperm(len(able), generator=torch.Generator().manual_seed(seed))
    attributes = able[order[: max(1, n // FEWEST)]].sort().values
    each = max(FEWEST, min(MOST, n // max(1, len(attributes))))
    found: list[float] = []
    with evaluating(model), torch.no_grad():
        for j in attributes.tolist():
            rows = [some[j, :each][some[j, :each] >= 0] for some in tellers]
            codes = train_table.attributes[rows[0]], table.attributes[rows[1]]
            found.append(_told_apart(*(_embedded(model, imputed(code, j)) for code in codes)))
    return Consistency(torch.tensor(found, dtype=torch.float64), attributes)


def consistency_scores(
    model: InterpretableModel,
    train_table: InterpretationTable,
    table: InterpretationTable,
    seed: int,
    n: int = 500,
) -> dict[str, float]:
    """consistency, the mean over attributes; absent where none speaks for any decision."""
    found = consistency(model, train_table, table, seed, n)
    return {"consistency": float(found.accuracy.mean())} if len(found.accuracy) else {}


def imputed(attributes: Attributes, j: int) -> Float[Tensor, "twice_n attributes"]:
    """Φ twice, [2n, J]: first with φ_j twice its largest value, then with φ_j = 0; the other attributes as they are."""
    high, low = attributes.clone(), attributes.clone()
    high[:, j] = LEVEL * attributes[:, j].max()
    low[:, j] = 0
    return torch.cat([high, low])


def telling(table: InterpretationTable, most: int = MOST) -> Int[Tensor, "attributes most"]:
    """For each attribute the rows where it speaks for what g decides, the largest φ_j first; -1 where there are no more."""
    values = table.head_weights.new_zeros(0, table.attributes.shape[1])
    rows = torch.zeros(values.shape, dtype=torch.long)
    for start in range(0, len(table), ROWS):
        part = slice(start, start + ROWS)
        weights = table.head_weights[table.interpreter[part].argmax(dim=1)]
        some = torch.where(weights > 0, table.attributes[part], 0.0)
        values = torch.cat([values, some])
        rows = torch.cat(
            [rows, torch.arange(start, start + len(some))[:, None].expand(-1, some.shape[1])]
        )
        order = values.argsort(dim=0, descending=True, stable=True)[:most]
        values, rows = values.gather(0, order), rows.gather(0, order)
    return torch.where(values > 0, rows, -1).T


def _embedded(model: InterpretableModel, attributes: Attributes) -> Tensor:
    """What f makes of the images that the decoder draws from attributes, [n, d]."""
    chunk = images_per_pass(model.facts.image_shape, MAX_IMAGES, MAX_VALUES)
    given = torch.split(attributes.to(model.interpreter.head.weights), chunk)
    drawn = (model.interpreter.decoder(some).clamp(0, 1) for some in given)
    return torch.cat([all_features(model.predictor(images).hidden, 1).cpu() for images in drawn])


def _told_apart(train: Tensor, test: Tensor) -> float:
    """The share of the rows of `test` that a classifier of `train` puts into the right half."""
    from sklearn.exceptions import ConvergenceWarning  # a second to import
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import LinearSVC

    halves = [(torch.arange(len(one)) < len(one) // 2).numpy() for one in (train, test)]
    machine = make_pipeline(StandardScaler(), LinearSVC(dual="auto", random_state=0))
    search = GridSearchCV(machine, {"linearsvc__C": list(STRENGTHS)}, cv=5)
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", ConvergenceWarning
        )  # what is separable is separated before the last digit is found
        search.fit(train.numpy(), halves[0])
    return float(search.score(test.numpy(), halves[1]))
