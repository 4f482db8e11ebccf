"""Content for a page, made up: from a random linear head and random images, quick to make and hostile where a test wants it."""

from __future__ import annotations

import torch
from torch import Tensor

from interp_by_design.metrics import SCORES
from interp_by_design.report.names import HEAD, LONGEST
from interp_by_design.report.page.content import (
    About,
    AttributePage,
    ClassPage,
    Example,
    Findings,
    Head,
    PageContent,
    Sample,
)
from interp_by_design.report.page.pictures import heat_picture, picture
from interp_by_design.report.page.scores import charts, scorecard

DIGITS = tuple("0123456789")
SCORED = {f"{split}/{score.key}": 0.5 for split in ("val", "test") for score in SCORES}
HISTORY = {key: ([0, 10, 20], [2.0, 1.0, 0.5]) for key in ("train/loss", "val/fidelity", "val/kl")}


def made_up(
    class_names: tuple[str, ...] = DIGITS,
    n_attributes: int = 5,
    n_samples: int = 12,
    shape: tuple[int, int, int] = (1, 8, 8),
    names: dict[int, str] | None = None,
) -> PageContent:
    """A page's content in which every part is there; the samples' decisions are those of its head."""
    draw = torch.Generator().manual_seed(0)
    n_classes = len(class_names)
    weights, bias = (
        torch.randn(n_classes, n_attributes, generator=draw),
        torch.randn(n_classes, generator=draw),
    )
    attributes = torch.rand(n_samples, n_attributes, generator=draw) * 3
    image = picture(torch.rand(shape, generator=draw))
    example = Example(
        3, 0, 1.5, image, heat_picture(torch.rand(shape[1:], generator=draw)), image, 2.5
    )
    typical = (0,) if n_samples else ()
    occurring = range(min(n_classes, 20))
    findings = Findings(
        split="test",
        sheets_split="train",
        n=100,
        tau=5.0,
        least=1e-4,
        pixelated=True,
        class_names=class_names,
        names=names or {},
        names_head=HEAD,
        longest_name=LONGEST,
        head=Head(tuple(map(tuple, weights.tolist())), tuple(bias.tolist())),
        attributes=tuple(
            AttributePage(
                j,
                (j + 1) / (n_attributes + 1),
                3.0,
                (example,) * 3,
                "evidence",
                0.6,
                0.1,
                (image,) * 3,
                (0.0, 1.0, 2.0),
            )
            for j in range(n_attributes)
        ),
        classes=tuple(
            ClassPage(
                c,
                10,
                10,
                10,
                0.9,
                tuple(weights[c].clamp(-1, 1).tolist()),
                typical,
                ((c, 9),),
                ((c, 8),),
            )
            for c in occurring
        ),
        samples=tuple(
            _sample(index, image, row, int((weights @ row + bias).argmax()))
            for index, row in enumerate(attributes)
        ),
        chosen="Made up, not chosen.",
    )
    about = About("interp train", "a: 1", "{}", (("made", "up"),))
    return PageContent(
        "made up", scorecard(SCORED, n_attributes, 5.0), charts(SCORED, HISTORY), findings, about
    )


def _sample(index: int, image: str, attributes: Tensor, decided: int) -> Sample:
    return Sample(
        index=index,
        image=image,
        label=decided if index % 3 else 0,
        predictor=decided if index % 2 else 0,
        interpreter=decided,
        sufficient=bool(index % 4),
        unexplained=False,
        attributes=tuple(attributes.tolist()),
        probabilities=((0, 0.75), (1, 0.25)),
        statement="g decides so.",
        chosen=("made up",),
    )
