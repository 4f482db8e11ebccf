"""The content of a page, out of a run's tables and explanations. Knows nothing of HTML, and nothing of figures on disk."""

from __future__ import annotations

from dataclasses import dataclass

from interp_by_design.data.split import Split
from interp_by_design.explain import (
    AttributeSheet,
    Disagreement,
    GlobalExplanation,
    LocalColumns,
    disagreement,
    explain_globally,
    local_columns,
)
from interp_by_design.report.names import HEAD, LONGEST
from interp_by_design.report.page.content import Findings
from interp_by_design.report.page.pictures import SMALL, side_for
from interp_by_design.report.page.sample_selection import choose
from interp_by_design.report.page.section_values import (
    LEAST,
    attribute_page,
    class_pages,
    head_of,
    samples,
    spread_of,
)
from interp_by_design.terms import AttributeNames, InterpretationTable

Sheets = tuple[str, tuple[AttributeSheet, ...]]


@dataclass(frozen=True, eq=False)
class Explained:
    """A split and what was found in its table, with the sheets of another split or the same."""

    split_name: str
    split: Split
    table: InterpretationTable
    columns: LocalColumns
    overall: GlobalExplanation
    disagreement: Disagreement
    sheets_split: str
    sheets: tuple[AttributeSheet, ...]

    @classmethod
    def of(
        cls, name: str, split: Split, table: InterpretationTable, tau: float, sheets: Sheets
    ) -> Explained:
        """All that is found in a table, and `sheets`: the name of their split, and themselves."""
        return cls(
            name,
            split,
            table,
            local_columns(table, tau),
            explain_globally(table),
            disagreement(table),
            *sheets,
        )


def findings(
    explained: Explained,
    class_names: tuple[str, ...],
    names: AttributeNames,
    n_samples: int,
    seed: int,
) -> Findings:
    """What the page shows of all that, with at most `n_samples` images, the same ones for the same `seed`."""
    table, columns = explained.table, explained.columns
    choice = choose(table, columns, n_samples, explained.split_name, seed)
    side = side_for(
        len(choice.rows)
        + sum(3 * len(sheet.images) + len(sheet.sweep) for sheet in explained.sheets)
    )
    tops, shares = table.attributes.amax(dim=0).tolist(), explained.overall.active_share.tolist()
    return Findings(
        split=explained.split_name,
        sheets_split=explained.sheets_split,
        n=len(table),
        tau=columns.tau,
        least=LEAST,
        pixelated=max(explained.split.image_shape[1:]) <= SMALL,
        class_names=class_names,
        names=names.names,
        names_head=HEAD,
        longest_name=LONGEST,
        head=head_of(table),
        attributes=tuple(
            attribute_page(
                sheet,
                shares[sheet.attribute],
                tops[sheet.attribute],
                side,
                spread_of(table, explained.split, sheet.attribute, side),
            )
            for sheet in explained.sheets
        ),
        classes=class_pages(table, explained.overall, explained.disagreement, choice),
        samples=samples(table, columns, explained.split, choice, class_names, side),
        chosen=choice.told,
    )
