"""Attribute sheets: the results on one attribute, collected for people."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from interp_by_design.data.split import Split
from interp_by_design.explain.activation_maximization import Maximized, maximize
from interp_by_design.explain.decoder_images import LEVELS, decoder_views, strong_value
from interp_by_design.explain.deletion import DeletionCheck, deletion_check
from interp_by_design.explain.global_explanation import GlobalExplanation, explain_globally
from interp_by_design.explain.heat_maps import Heatmaps, heatmaps
from interp_by_design.explain.maximization import maximization_for, preset_named
from interp_by_design.explain.top_samples import maximum_activating
from interp_by_design.model import InterpretableModel
from interp_by_design.terms import Attributes, Batch, Indices, InterpretationTable, UserError

# Values of the images that are processed together, unless one attribute has more.
MAX_GROUP_VALUES = 2**22


@final
@dataclass(frozen=True, eq=False)
class AttributeSheet:
    """One attribute over a split; images are in [0, 1], on the CPU, the most active first.

    An attribute that is active nowhere has no samples and no sweep.

    Args:
        attribute: Its number.
        images: The l samples that activate it most, [l, c, h, w].
        indices: Their indices, [l].
        labels: Their labels, [l].
        values: φ_j there, [l].
        maximized: Each sample after φ_j is raised, [l, c, h, w]; None if not computed.
        maximized_values: φ_j then, [l]; None if not computed.
        heatmaps: Where on each sample it looks, [l, h, w] in 0..1.
        heatmap_method: Of the heat maps.
        deletion: Share of φ_j lost without the hottest tenth of a sample, mean; NaN without
            samples.
        deletion_random: The same without a random tenth.
        sweep: The first sample decoded with φ_j at each of `levels`.
        levels: From 0 to the 99th percentile of φ_j.
        active_share: Share of the images of the split where it is active, 0..1.
        class_relevance: r_{j,c}, [C].
    """

    attribute: int
    images: Float[Tensor, "l c h w"]
    indices: Int[Tensor, "l"]
    labels: Int[Tensor, "l"]
    values: Float[Tensor, "l"]
    maximized: Float[Tensor, "l c h w"] | None
    maximized_values: Float[Tensor, "l"] | None
    heatmaps: Float[Tensor, "l h w"]
    heatmap_method: str
    deletion: float
    deletion_random: float
    sweep: Float[Tensor, "levels c h w"]
    levels: Float[Tensor, "levels"]
    active_share: float
    class_relevance: Float[Tensor, "classes"]


@final
@dataclass(frozen=True)
class SheetSettings:
    """What sheets hold.

    Args:
        samples: Samples of each attribute at most.
        maximize: Whether activation maximisation runs; it takes most of the time.
        preset: Its preset by name; None for one that suits the images.
        chunk: Pairs that are optimised together; None for as many as take a few hundred MiB.
        seed: Of what is drawn.
        attributes: Which ones, in this order; None for all.
    """

    samples: int = 3
    maximize: bool = True
    preset: str | None = None
    chunk: int | None = None
    seed: int = 0
    attributes: tuple[int, ...] | None = None


def attribute_sheets(
    model: InterpretableModel,
    split: Split,
    table: InterpretationTable,
    sheets: SheetSettings | None = None,
) -> list[AttributeSheet]:
    """Make a sheet for each attribute, some at a time. The model's modes are restored.

    Args:
        model: f and g.
        split: The images.
        table: The table of `split`.
        sheets: What the sheets hold.

    Returns:
        The sheets.

    Raises:
        UserError: If the table is empty, or an attribute, a preset or a number of samples is
            invalid.
    """
    sheets = sheets or SheetSettings()
    n_attributes = table.head_weights.shape[1]
    chosen = list(range(n_attributes)) if sheets.attributes is None else list(sheets.attributes)
    if not all(0 <= j < n_attributes for j in chosen):
        raise UserError(
            f"Sheets were asked for of attributes {chosen}; this model has 0 to {n_attributes - 1}."
        )
    about = _About(model, split, table, explain_globally(table), sheets)
    top = maximum_activating(table, sheets.samples)
    size = max(1, MAX_GROUP_VALUES // (sheets.samples * math.prod(split.image_shape)))
    groups = (chosen[start : start + size] for start in range(0, len(chosen), size))
    return [sheet for group in groups for sheet in _sheets(about, [(j, top.of(j)) for j in group])]


class _About(NamedTuple):
    """Inputs of all sheets."""

    model: InterpretableModel
    split: Split
    table: InterpretationTable
    overall: GlobalExplanation
    settings: SheetSettings


class _Looked(NamedTuple):
    """Results on some samples, one row each; `maximized` is None if not computed."""

    batch: Batch
    heat: Heatmaps
    check: DeletionCheck
    maximized: Maximized | None


def _sheets(about: _About, group: Sequence[tuple[int, list[int]]]) -> list[AttributeSheet]:
    """Make the sheets of some attributes, each given with the indices of its samples."""
    indices = torch.tensor([index for _, found in group for index in found], dtype=torch.long)
    attributes = torch.tensor([j for j, found in group for _ in found], dtype=torch.long)
    looked = (
        _looked(about, about.split.batch(indices), attributes) if len(indices) else _unseen(about)
    )
    ends = torch.tensor([len(found) for _, found in group]).cumsum(dim=0).tolist()
    return [
        _sheet(about, j, looked, slice(end - len(found), end))
        for (j, found), end in zip(group, ends, strict=True)
    ]


def _looked(about: _About, batch: Batch, attributes: Indices) -> _Looked:
    model, settings = about.model, about.settings
    device = model.interpreter.head.weights.device
    images, chosen = batch.images.to(device), attributes.to(device)
    heat = heatmaps(model, images, chosen)
    check = deletion_check(model, images, chosen, heat.maps, seed=settings.seed)
    if not settings.maximize:
        return _Looked(batch, heat, check, None)
    preset = (
        maximization_for(model.facts) if settings.preset is None else preset_named(settings.preset)
    )
    return _Looked(
        batch, heat, check, maximize(model, images, chosen, preset, settings.chunk, settings.seed)
    )


def _unseen(about: _About) -> _Looked:
    """Return empty results, for attributes without samples."""
    images, none, whole = (
        torch.zeros(0, *about.split.image_shape),
        torch.zeros(0),
        torch.zeros(0, dtype=torch.long),
    )
    maximized = Maximized(images, none, none, none, whole) if about.settings.maximize else None
    heat = Heatmaps(images[:, 0], none, "")
    return _Looked(Batch(images, whole, whole), heat, DeletionCheck(none, none, 0.0), maximized)


def _sheet(about: _About, j: int, looked: _Looked, rows: slice) -> AttributeSheet:
    batch, found = looked.batch, looked.maximized
    indices = batch.indices[rows]
    sweep, levels = _swept(about, j, indices)
    return AttributeSheet(
        attribute=j,
        images=batch.images[rows],
        indices=indices,
        labels=batch.labels[rows],
        values=_attributes(about.table, indices)[:, j],
        maximized=None if found is None else found.images[rows],
        maximized_values=None if found is None else found.end_values[rows],
        heatmaps=looked.heat.maps[rows].cpu(),
        heatmap_method=looked.heat.method,
        deletion=float(looked.check.drop[rows].mean()),
        deletion_random=float(looked.check.random[rows].mean()),
        sweep=sweep,
        levels=levels,
        active_share=float(about.overall.active_share[j]),
        class_relevance=about.overall.relevance[:, j],
    )


def _swept(about: _About, j: int, indices: Indices) -> tuple[Tensor, Tensor]:
    """Return images and levels of the sweep of the first sample, if there is one."""
    if not len(indices):
        return torch.zeros(0, *about.split.image_shape), torch.zeros(0)
    first = _attributes(about.table, indices[:1])[0]
    views = decoder_views(about.model, first, j, strong_value(about.table, j), LEVELS)
    return views.sweep, views.levels


def _attributes(table: InterpretationTable, indices: Indices) -> Attributes:
    """Return the attributes of images by their index, which need not be the row."""
    rows = [int((table.indices == index).nonzero()[0]) for index in indices]
    return table.attributes[torch.tensor(rows, dtype=torch.long)]
