"""Images of the explained split that a report shows, read once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor

from interp_by_design.data.split import Split
from interp_by_design.report.findings import Findings
from interp_by_design.report.image_encoding import MAX_SMALL, picture, side_for
from interp_by_design.terms import InterpretationTable

SPREAD_SIDE = 96  # pixels of the longer side
BATCH_IMAGES = 64  # images read together


@final
@dataclass(frozen=True, eq=False)
class ReportImages:
    """Images by row of the interpretation table.

    Args:
        samples: Data URIs of the selected rows.
        spread: Data URIs of the rows that show an attribute from strong to weak.
        examples: Images [c, h, w] of the rows that have a figure each.
        side: Longest side of an image on the page, in pixels.
        pixelated: Whether images are so small that single pixels matter.
    """

    samples: Mapping[int, str]
    spread: Mapping[int, str]
    examples: Mapping[int, Float[Tensor, "c h w"]]
    side: int
    pixelated: bool


def read_images(split: Split, findings: Findings) -> ReportImages:
    """Read every image that the page and the figures show.

    Args:
        split: The explained split.
        findings: What the report shows of it.

    Returns:
        The images; those of the page already encoded, so that few are in memory at a time.
    """
    sheet_images = sum(3 * len(sheet.images) + len(sheet.sweep) for sheet in findings.sheets)
    side = side_for(len(findings.selection.rows) + sheet_images)
    spread_side = min(side, SPREAD_SIDE)
    selected, examples = set(findings.selection.rows), set(findings.example_rows)
    spread = {row for rows in findings.spread.values() for row in rows}
    sample_uris: dict[int, str] = {}
    spread_uris: dict[int, str] = {}
    tensors: dict[int, Tensor] = {}
    for row, image in _images_of(split, findings.table, selected | spread | examples):
        if row in selected:
            sample_uris[row] = picture(image, side)
        if row in spread:
            spread_uris[row] = picture(image, spread_side)
        if row in examples:
            tensors[row] = image.clone()
    pixelated = max(split.image_shape[1:]) <= MAX_SMALL
    return ReportImages(sample_uris, spread_uris, tensors, side, pixelated)


def _images_of(
    split: Split, table: InterpretationTable, rows: Iterable[int]
) -> Iterator[tuple[int, Tensor]]:
    for some in torch.split(torch.tensor(sorted(rows), dtype=torch.long), BATCH_IMAGES):
        yield from zip(some.tolist(), split.batch(table.indices[some].clone()).images, strict=True)
