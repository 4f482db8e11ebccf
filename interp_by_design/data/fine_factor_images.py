"""Data set of 81 fine-grained classes, which differ by one part each; parts can be removed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Unpack, final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from interp_by_design.data.datamodule import Loading
from interp_by_design.data.order import Purpose, generator
from interp_by_design.data.rendered_data import RenderedData
from interp_by_design.data.split import DataSplits, TensorSplit
from interp_by_design.terms import (
    FactorKind,
    Factors,
    Images,
    Indices,
    Labels,
    Normalisation,
    UserError,
)

PARTS = ("top left", "top right", "bottom left", "bottom right")
KINDS = ("cross", "dot", "box")  # of a part
N_CLASSES = len(KINDS) ** len(PARTS)
CLASS_NAMES = tuple(
    " ".join(KINDS[c // len(KINDS) ** p % len(KINDS)] for p in range(len(PARTS)))
    for c in range(N_CLASSES)
)
SIDE = 32  # pixels
ANCHOR = ((9, 9), (9, 23), (23, 9), (23, 23))  # row and column of each part's centre
HALF = 4  # pixels, half a part's side
MAX_SHIFT = 2  # pixels that the whole object moves
FRAME_GRAY = 0.45  # of the frame that all classes share
PART_GRAY = 0.9
NORMALISATION = Normalisation(mean=(0.25,), std=(0.2,))
STREAM = 77  # separates these draws from those of `data=factors`


@final
@dataclass(frozen=True, eq=False)
class PartScenes:
    """What is drawn: a table with a row per object.

    Args:
        kinds: [n, 4], the position in `KINDS` of each part; -1 for a part that was removed.
        across: [n], pixels that the object is shifted to the right.
        down: [n], pixels that it is shifted down.
        background: [n], gray level 0..0.3.
    """

    kinds: Int[Tensor, "n parts"]
    across: Int[Tensor, "n"]
    down: Int[Tensor, "n"]
    background: Float[Tensor, "n"]

    def __len__(self) -> int:
        return len(self.kinds)

    def take(self, rows: Indices | slice) -> PartScenes:
        """Return some of the scenes.

        Args:
            rows: indices of rows, or a slice.

        Returns:
            These rows, in the order given.
        """
        return PartScenes(
            self.kinds[rows], self.across[rows], self.down[rows], self.background[rows]
        )

    def labels(self) -> Labels:
        """Return each label: the kinds as a number in base 3, the first part lowest.

        Raises:
            UserError: if a part is missing.
        """
        if bool((self.kinds < 0).any()):
            raise UserError(
                "An object with a part removed belongs to no class. "
                "Ask for the labels of whole objects."
            )
        return (self.kinds * len(KINDS) ** torch.arange(len(PARTS))).sum(dim=1)

    def without(self, part: int) -> PartScenes:
        """Return the same objects without one of their parts: its place shows the background.

        Args:
            part: position in `PARTS`.

        Returns:
            The changed scenes.

        Raises:
            UserError: if there is no such part.
        """
        if not 0 <= part < len(PARTS):
            raise UserError(
                f"There is no part {part}. The parts are 0 to {len(PARTS) - 1}: {', '.join(PARTS)}."
            )
        kinds = self.kinds.clone()
        kinds[:, part] = -1
        return replace(self, kinds=kinds)

    def places(self) -> Tensor:
        """Return the square of each part, [n, 4, h, w], true inside; no two of them overlap."""
        rows, columns = torch.arange(SIDE)[:, None], torch.arange(SIDE)
        anchors = torch.tensor(ANCHOR)
        down = (anchors[:, 0] + self.down[:, None])[:, :, None, None]
        across = (anchors[:, 1] + self.across[:, None])[:, :, None, None]
        return ((rows - down).abs() <= HALF) & ((columns - across).abs() <= HALF)


def assemble(n: int, seed: int, part: int = 0) -> PartScenes:
    """Draw scenes with independent parts; a pure function of the arguments.

    Args:
        n: how many.
        seed: of the draw.
        part: separates the splits of one seed.

    Returns:
        The scenes.
    """
    draws = generator(Purpose.SCENE, seed, part, STREAM)
    kinds = torch.randint(len(KINDS), (n, len(PARTS)), generator=draws)
    moved = torch.randint(-MAX_SHIFT, MAX_SHIFT + 1, (2, n), generator=draws)
    return PartScenes(kinds, moved[0], moved[1], 0.3 * torch.rand(n, generator=draws))


def render_parts(scenes: PartScenes) -> Images:
    """Render scenes.

    Args:
        scenes: n rows.

    Returns:
        Images [n, 1, 32, 32], float32 in [0, 1] and multiples of 1/255, exactly those of a data set
        with these scenes.
    """
    rows, columns = torch.arange(SIDE)[:, None], torch.arange(SIDE)
    down, across = scenes.down[:, None, None], scenes.across[:, None, None]
    middle = SIDE // 2
    frame = (((rows - down - middle).abs() <= 1) & ((columns - across - middle).abs() <= 7)) | (
        ((columns - across - middle).abs() <= 1) & ((rows - down - middle).abs() <= 7)
    )
    images = torch.where(frame, FRAME_GRAY, scenes.background[:, None, None])
    for part, (row, column) in enumerate(ANCHOR):
        kind = scenes.kinds[:, part, None, None]
        images = torch.where(
            _drawn(kind, rows - down - row, columns - across - column), PART_GRAY, images
        )
    return (images[:, None] * 255).round().div(255)


def _drawn(kind: Tensor, down: Tensor, across: Tensor) -> Tensor:
    """The pixels that a part of each kind lights, from offsets to its centre; none if removed."""
    inside = (down.abs() <= HALF) & (across.abs() <= HALF)
    cross = inside & ((down - across).abs().minimum((down + across).abs()) <= 0)
    dot = down.square() + across.square() <= 5
    box = inside & (down.abs().maximum(across.abs()) == HALF - 1)
    return ((kind == 0) & cross) | ((kind == 1) & dot) | ((kind == 2) & box)


@final
class FineFactorImages(RenderedData[PartScenes]):
    """Gray images 1 x 32 x 32 of 81 classes: four parts at fixed places, each of three kinds.

    A class has 8 neighbours that differ from it in one part.

    Args:
        n_train: images to train on; validation is cut from them.
        n_test: images to test on.
        world: seed of the images.
        loading: the options of all data sets, see `ImageData`.

    Raises:
        UserError: if an option is out of range.
    """

    def __init__(
        self, n_train: int = 16_000, n_test: int = 4_000, world: int = 0, **loading: Unpack[Loading]
    ) -> None:
        super().__init__(
            n_train,
            n_test,
            world,
            lambda n, world, part: assemble(n, world, part=part),
            **loading,
        )

    def factors(self, name: str) -> Factors:
        scenes = self.scenes(name)
        columns = [*scenes.kinds.T, scenes.across, scenes.down, scenes.background]
        parts = len(PARTS)
        discrete: FactorKind = "discrete"
        continuous: FactorKind = "continuous"
        return Factors(
            (*PARTS, "across", "down", "background"),
            torch.stack([column.double() for column in columns], dim=1),
            (discrete,) * parts + (continuous,) * 3,
            (*[True] * parts, False, False, False),
            dict.fromkeys(PARTS, KINDS),
        )

    def read(self) -> DataSplits:
        train, test = (
            TensorSplit((render_parts(scenes) * 255).round().to(torch.uint8), scenes.labels())
            for scenes in self._drawn.values()
        )
        return DataSplits(train, test, CLASS_NAMES, NORMALISATION)
