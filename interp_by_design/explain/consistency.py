"""Consistency of attributes: whether f separates images with much of one from images with none."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from interp_by_design.attributes import all_features
from interp_by_design.data.pass_size import images_per_pass
from interp_by_design.explain.deletion import MAX_IMAGES, MAX_VALUES
from interp_by_design.metrics.table_batches import row_slices
from interp_by_design.model import InterpretableModel
from interp_by_design.predictor import evaluating
from interp_by_design.terms import Attributes, InterpretationTable

LEVEL = 2.0  # λ
MIN_IMAGES = 5  # images a side: as many as there are folds
MAX_PER_ATTRIBUTE = 100  # N_cc
STRENGTHS = (0.01, 0.1, 1.0, 5.0)  # C


@dataclass(frozen=True, eq=False)
class Consistency:
    """Accuracies of separating images with and without an attribute.

    Args:
        accuracy: CC_j, the share of images that are separated, 0..1; one half by chance, [k].
        attributes: The attributes, [k].
    """

    accuracy: Float[Tensor, "k"]
    attributes: Int[Tensor, "k"]


def consistency(
    model: InterpretableModel,
    train_table: InterpretationTable,
    table: InterpretationTable,
    seed: int,
    n: int = 500,
) -> Consistency:
    """Compute `CC_j = 1/(2N) sum_i [ s_j(x_i+) = 1 ] + [ s_j(x_i-) = 0 ]`.

    x+ = d(Φ with φ_j = 2 max φ_j) and x- = d(Φ with φ_j = 0). The N images are those with the
    largest φ_j where it speaks for the class that g decides, and max φ_j is over them. s_j is a
    linear support vector machine on the hidden layers of f, averaged over positions; it is fitted
    to images from
    `train_table` and scored on those from `table`; five-fold cross-validation chooses its strength.

    At most `n` images of each table are used: N is 5 to 100, and with many attributes some are
    drawn. An attribute that speaks for the decision on fewer than 5 images is left out.

    Source: VisCoIN, Parekh, Bouniot et al. (2025), arXiv 2407.01331, section 4.1 and appendix C.3.1
    (N = 100, λ = 2). Departs from it in using fewer images, in reading the layers that g reads
    instead of one in the middle of f, and in standardising.

    Args:
        model: f and g; its modes are restored.
        train_table: The table of the train images.
        table: The table of the images to score.
        seed: Of the drawn attributes.
        n: Images of each table at most.

    Returns:
        The accuracies.
    """
    rows_of_tables = [speaking_rows(train_table), speaking_rows(table)]
    able = (
        torch.stack([(rows >= 0).sum(dim=1) >= MIN_IMAGES for rows in rows_of_tables])
        .all(dim=0)
        .nonzero()[:, 0]
    )
    order = torch.randperm(len(able), generator=torch.Generator().manual_seed(seed))
    attributes = able[order[: max(1, n // MIN_IMAGES)]].sort().values
    each = max(MIN_IMAGES, min(MAX_PER_ATTRIBUTE, n // max(1, len(attributes))))
    found: list[float] = []
    with evaluating(model), torch.no_grad():
        for j in attributes.tolist():
            rows = [some[j, :each][some[j, :each] >= 0] for some in rows_of_tables]
            codes = train_table.attributes[rows[0]], table.attributes[rows[1]]
            found.append(_separated(*(_embedded(model, imputed(code, j)) for code in codes)))
    return Consistency(torch.tensor(found, dtype=torch.float64), attributes)


def consistency_scores(
    model: InterpretableModel,
    train_table: InterpretationTable,
    table: InterpretationTable,
    seed: int,
    n: int = 500,
) -> dict[str, float]:
    """Compute `consistency`, the mean accuracy; without any attribute, no score.

    Args:
        model: As for `consistency`.
        train_table: As for `consistency`.
        table: As for `consistency`.
        seed: As for `consistency`.
        n: As for `consistency`.

    Returns:
        The score by key.
    """
    found = consistency(model, train_table, table, seed, n)
    return {"consistency": float(found.accuracy.mean())} if len(found.accuracy) else {}


def imputed(attributes: Attributes, j: int) -> Float[Tensor, "twice_n attributes"]:
    """Repeat Φ with φ_j at twice its largest value, then with φ_j = 0.

    Args:
        attributes: Φ, [n, J].
        j: The attribute.

    Returns:
        Both copies, [2n, J].
    """
    high, low = attributes.clone(), attributes.clone()
    high[:, j] = LEVEL * attributes[:, j].max()
    low[:, j] = 0
    return torch.cat([high, low])


def speaking_rows(
    table: InterpretationTable, most: int = MAX_PER_ATTRIBUTE
) -> Int[Tensor, "attributes most"]:
    """Return the rows where each attribute speaks for the class that g decides.

    Args:
        table: The table.
        most: Rows of each attribute at most.

    Returns:
        Row numbers, the largest φ_j first, [J, most]; -1 where there are no more.
    """
    values = table.head_weights.new_zeros(0, table.attributes.shape[1])
    rows = torch.zeros(values.shape, dtype=torch.long)
    for part in row_slices(len(table)):
        weights = table.head_weights[table.interpreter[part].argmax(dim=1)]
        some = torch.where(weights > 0, table.attributes[part], 0.0)
        values = torch.cat([values, some])
        rows = torch.cat(
            [
                rows,
                torch.arange(part.start, part.start + len(some))[:, None].expand(-1, some.shape[1]),
            ]
        )
        order = values.argsort(dim=0, descending=True, stable=True)[:most]
        values, rows = values.gather(0, order), rows.gather(0, order)
    return torch.where(values > 0, rows, -1).T


def _embedded(model: InterpretableModel, attributes: Attributes) -> Tensor:
    """Return f's pooled features of the images decoded from attributes, [n, d]."""
    batch_images = images_per_pass(model.facts.image_shape, MAX_IMAGES, MAX_VALUES)
    given = torch.split(attributes.to(model.interpreter.head.weights), batch_images)
    drawn = (model.interpreter.decoder(some).clamp(0, 1) for some in given)
    return torch.cat([all_features(model.predictor(images).hidden, 1).cpu() for images in drawn])


def _separated(train: Tensor, test: Tensor) -> float:
    """Return the share of `test` rows that a classifier of `train` assigns to the right half."""
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
