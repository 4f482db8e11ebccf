"""Many classes that differ in one part each: what a class is made of is known, and every part can be taken away.

Knows nothing of how classes look to a network.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Unpack, final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from interp_by_design.data.datamodule import ImageData, Loading
from interp_by_design.data.order import Purpose, generator
from interp_by_design.data.split import Reading, TensorSplit
from interp_by_design.terms import Images, Indices, Labels, Normalisation, UserError, check_whole

PARTS = ("top left", "top right", "bottom left", "bottom right")
KINDS = ("cross", "dot", "box")  # of a part
N_CLASSES = len(KINDS) ** len(PARTS)
CLASS_NAMES = tuple(
    " ".join(KINDS[c // len(KINDS) ** p % len(KINDS)] for p in range(len(PARTS)))
    for c in range(N_CLASSES)
)
SIDE, ANCHOR, HALF = (
    32,
    ((9, 9), (9, 23), (23, 9), (23, 23)),
    4,
)  # row and column of each part's centre; half a part's side
JITTER = 2  # pixels that the whole object moves at most
LINK, LIGHT = 0.45, 0.9  # gray of the frame that all classes share, and of parts
NORMALISATION = Normalisation(mean=(0.25,), std=(0.2,))
STREAM = 77  # tells these draws from those of `factors`


@final
@dataclass(frozen=True, eq=False)
class PartScenes:
    """The record of n objects: kinds [n, 4], the position in `KINDS` of each part, -1 for one that was taken away.

    across, down: pixels that the object is moved. background: gray level 0..0.3.
    """

    kinds: Int[Tensor, "n parts"]
    across: Int[Tensor, "n"]
    down: Int[Tensor, "n"]
    background: Float[Tensor, "n"]

    def __len__(self) -> int:
        return len(self.kinds)

    def take(self, rows: Indices | slice) -> PartScenes:
        """The scenes of some rows, in the order given."""
        return PartScenes(
            self.kinds[rows], self.across[rows], self.down[rows], self.background[rows]
        )

    def labels(self) -> Labels:
        """The rule: the kinds as a number in base 3, the first part lowest. `UserError` where a part is missing."""
        if bool((self.kinds < 0).any()):
            raise UserError(
                "An object whose part was taken away belongs to no class. Ask for the labels of whole objects."
            )
        return (self.kinds * len(KINDS) ** torch.arange(len(PARTS))).sum(dim=1)

    def without(self, part: int) -> PartScenes:
        """The same objects with one part taken away: its place shows the background."""
        if not 0 <= part < len(PARTS):
            raise UserError(
                f"There is no part {part}: the parts are 0 to {len(PARTS) - 1}, {', '.join(PARTS)}."
            )
        kinds = self.kinds.clone()
        kinds[:, part] = -1
        return replace(self, kinds=kinds)

    def places(self) -> Tensor:
        """The square that holds each part, [n, 4, h, w], true inside. No two of an object overlap."""
        rows, columns = torch.arange(SIDE)[:, None], torch.arange(SIDE)
        anchors = torch.tensor(ANCHOR)
        down = (anchors[:, 0] + self.down[:, None])[:, :, None, None]
        across = (anchors[:, 1] + self.across[:, None])[:, :, None, None]
        return ((rows - down).abs() <= HALF) & ((columns - across).abs() <= HALF)


def assemble(n: int, seed: int, part: int = 0) -> PartScenes:
    """`n` scenes with independent parts, a pure function of the arguments; `part` tells splits of one seed apart."""
    draws = generator(Purpose.SCENE, seed, part, STREAM)
    kinds = torch.randint(len(KINDS), (n, len(PARTS)), generator=draws)
    moved = torch.randint(-JITTER, JITTER + 1, (2, n), generator=draws)
    return PartScenes(kinds, moved[0], moved[1], 0.3 * torch.rand(n, generator=draws))


def render_parts(scenes: PartScenes) -> Images:
    """Images [n, 1, 32, 32], float32 in [0, 1] and multiples of 1/255: exactly those of a data set with these scenes."""
    rows, columns = torch.arange(SIDE)[:, None], torch.arange(SIDE)
    down, across = scenes.down[:, None, None], scenes.across[:, None, None]
    middle = SIDE // 2
    frame = (((rows - down - middle).abs() <= 1) & ((columns - across - middle).abs() <= 7)) | (
        ((columns - across - middle).abs() <= 1) & ((rows - down - middle).abs() <= 7)
    )
    images = torch.where(frame, LINK, scenes.background[:, None, None])
    for part, (row, column) in enumerate(ANCHOR):
        kind = scenes.kinds[:, part, None, None]
        images = torch.where(
            _drawn(kind, rows - down - row, columns - across - column), LIGHT, images
        )
    return (images[:, None] * 255).round().div(255)


def _drawn(kind: Tensor, down: Tensor, across: Tensor) -> Tensor:
    """Which pixels a part of each kind lights, from the offsets to its centre; none of one that was taken away."""
    inside = (down.abs() <= HALF) & (across.abs() <= HALF)
    cross = inside & ((down - across).abs().minimum((down + across).abs()) <= 0)
    dot = down.square() + across.square() <= 5
    box = inside & (down.abs().maximum(across.abs()) == HALF - 1)
    return ((kind == 0) & cross) | ((kind == 1) & dot) | ((kind == 2) & box)


@final
class FineFactorImages(ImageData):
    """Gray images 1 x 32 x 32 of 81 classes: four parts at fixed places, each of three kinds.

    A class has 8 neighbours that differ from it in one part.

    n_train, n_test: images rendered; validation is cut from n_train. world: seed of the images.
    """

    def __init__(
        self, n_train: int = 16_000, n_test: int = 4_000, world: int = 0, **loading: Unpack[Loading]
    ) -> None:
        super().__init__(**loading)
        check_whole("n_train", n_train, minimum=2)
        check_whole("n_test", n_test, minimum=1)
        check_whole("world", world, minimum=0)
        self._drawn = {
            "train": assemble(n_train, world, part=0),
            "test": assemble(n_test, world, part=1),
        }

    def scenes(self, split: str) -> PartScenes:
        """What each image of `train`, `val` or `test` is made of, in the order of its indices."""
        rows = self.rows(split)
        return self._drawn["test" if split == "test" else "train"].take(rows)

    def factors(self, name: str) -> Factors:
        scenes = self.scenes(name)
        columns = [*scenes.kinds.T, scenes.across, scenes.down, scenes.background]
        parts = len(PARTS)
        return Factors(
            (*PARTS, "across", "down", "background"),
            torch.stack([column.double() for column in columns], dim=1),
            (*["discrete"] * parts, "continuous", "continuous", "continuous"),
            (*[True] * parts, False, False, False),
            dict.fromkeys(PARTS, KINDS),
        )

    def read(self) -> Reading:
        train, test = (
            TensorSplit((render_parts(scenes) * 255).round().to(torch.uint8), scenes.labels())
            for scenes in self._drawn.values()
        )
        return Reading(train, test, CLASS_NAMES, NORMALISATION)
