"""Explanations that a report shows, computed before anything is drawn or written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

from jaxtyping import Float, Float64
from torch import Tensor

from interp_by_design.data.split import Split
from interp_by_design.explain import (
    AttributeSheet,
    ClassCounts,
    Disagreement,
    GlobalExplanation,
    LocalColumns,
    SampleSelection,
    SheetSettings,
    attribute_sheets,
    class_counts,
    disagreement,
    explain_globally,
    explain_row,
    local_columns,
    rows_by_strength,
    select_samples,
)
from interp_by_design.model import InterpretableModel
from interp_by_design.report.options import ReportOptions
from interp_by_design.terms import Explanation, InterpretationTable

SHEETS_FROM = "train"  # preferred split of the sheets: it has the most images to choose from
N_SPREAD = 12  # images of an attribute, from strong to weak
N_EXAMPLES = 4  # images with a figure each


@final
@dataclass(frozen=True, eq=False)
class Findings:
    """Explanations of one split, and attribute sheets of the same or another split.

    Args:
        split: Name of the explained split.
        table: Its interpretation table, N rows.
        columns: Local explanations of the rows.
        overall: Global explanation of the table.
        disagreement: Where f and g disagree.
        class_counts: How often each class occurs.
        largest: Largest value of each attribute, [J].
        selection: Rows that the page shows.
        example_rows: Rows that have a figure each: the first ones and the first disagreement.
        explanations: Local explanations of the selected rows and the example rows.
        probabilities: f's probabilities on the selected rows, [C] each.
        spread: For each attribute with a sheet, rows from its strongest to its weakest.
        sheets_split: Name of the split that the sheets show.
        sheets: One sheet for each attribute.
    """

    split: str
    table: InterpretationTable
    columns: LocalColumns
    overall: GlobalExplanation
    disagreement: Disagreement
    class_counts: ClassCounts
    largest: Float[Tensor, "attributes"]
    selection: SampleSelection
    example_rows: tuple[int, ...]
    explanations: Mapping[int, Explanation]
    probabilities: Mapping[int, Float64[Tensor, "classes"]]
    spread: Mapping[int, tuple[int, ...]]
    sheets_split: str
    sheets: tuple[AttributeSheet, ...]


def find(
    model: InterpretableModel,
    splits: Mapping[str, Split],
    tables: Mapping[str, InterpretationTable],
    options: ReportOptions,
) -> Findings:
    """Compute everything that a report shows.

    Args:
        model: The trained model; unchanged afterwards.
        splits: Data by split, at least `options.split`.
        tables: Interpretation tables by split, at least `options.split`.
        options: How much the report shows.

    Returns:
        The findings. Sheets are of `train` where both mappings have it.
    """
    sheets_split = SHEETS_FROM if SHEETS_FROM in splits and SHEETS_FROM in tables else options.split
    settings = SheetSettings(samples=options.starts, maximize=options.maximize, seed=options.seed)
    sheets = attribute_sheets(model, splits[sheets_split], tables[sheets_split], settings)
    return find_in_table(tables[options.split], options, sheets_split, sheets)


def find_in_table(
    table: InterpretationTable,
    options: ReportOptions,
    sheets_split: str,
    sheets: Sequence[AttributeSheet],
) -> Findings:
    """Compute what a report shows of one table, which needs neither model nor images.

    Args:
        table: Interpretation table of `options.split`.
        options: How much the report shows.
        sheets_split: Name of the split that the sheets show.
        sheets: One sheet for each attribute.

    Returns:
        The findings.
    """
    columns, differences = local_columns(table, options.tau), disagreement(table)
    selection = select_samples(table, columns, options.samples, options.split, options.seed)
    first = [*range(min(N_EXAMPLES, len(table))), *differences.rows[:1].tolist()]
    example_rows = tuple(dict.fromkeys(first))
    return Findings(
        split=options.split,
        table=table,
        columns=columns,
        overall=explain_globally(table),
        disagreement=differences,
        class_counts=class_counts(table),
        largest=table.attributes.amax(dim=0),
        selection=selection,
        example_rows=example_rows,
        explanations={
            row: explain_row(table, row, columns.tau) for row in {*selection.rows, *example_rows}
        },
        probabilities={row: table.predictor[row].double().softmax(dim=0) for row in selection.rows},
        spread={
            sheet.attribute: tuple(
                rows_by_strength(table.attributes[:, sheet.attribute], N_SPREAD).tolist()
            )
            for sheet in sheets
        },
        sheets_split=sheets_split,
        sheets=tuple(sheets),
    )
