"""Data set of images that are rendered from known factors."""

from __future__ import annotations

from typing import Unpack, final

from interp_by_design.data.datamodule import Loading
from interp_by_design.data.rendered_data import RenderedData
from interp_by_design.data.rendering import render_bytes
from interp_by_design.data.scene_factors import factors_of
from interp_by_design.data.scenes import CLASS_NAMES, Scenes, draw
from interp_by_design.data.split import DataSplits, TensorSplit
from interp_by_design.terms import Concepts, Factors, Normalisation

NORMALISATION = Normalisation(mean=(0.23, 0.23, 0.23), std=(0.16, 0.16, 0.16))


@final
class FactorImages(RenderedData[Scenes]):
    """Colour images 3 x 32 x 32 of one object.

    The label is its texture (plain, striped, checked) and outline (round, angular).

    Args:
        n_train: images to train on; validation is cut from them.
        n_test: images to test on.
        world: seed of the images. `seed` is that of training: several trainings see one world.
        shortcut: None, or `corner_patch`: white 3 x 3 pixels in the upper left of 95 % of class 0,
            in every split.
        loading: the options of all data sets, see `ImageData`.

    Raises:
        UserError: if an option is out of range.

    To see an image with one factor changed:
    `render(data.scenes("test").changed("texture", "plain"))`.
    """

    def __init__(
        self,
        n_train: int = 20_000,
        n_test: int = 4_000,
        world: int = 0,
        shortcut: str | None = None,
        **loading: Unpack[Loading],
    ) -> None:
        super().__init__(
            n_train,
            n_test,
            world,
            lambda n, world, part: draw(n, world, part=part, shortcut=shortcut),
            **loading,
        )

    def factors(self, name: str) -> Factors:
        return factors_of(self.scenes(name))

    def concepts(self, name: str) -> Concepts:
        """Return the ten named values of shape, texture and distractor, as concepts.

        A shortcut is left out: it is no concept that one would teach.

        Args:
            name: `train`, `val` or `test`.

        Returns:
            The concepts, in the order of the split.
        """
        return self.factors(name).only(("shape", "texture", "distractor")).concepts()

    def read(self) -> DataSplits:
        train, test = (
            TensorSplit(render_bytes(scenes), scenes.labels()) for scenes in self._drawn.values()
        )
        return DataSplits(train, test, CLASS_NAMES, NORMALISATION)
