"""A data set whose causes are known: every image is rendered from factors on record. Knows nothing of how they look."""

from __future__ import annotations

from typing import Unpack, final

from interp_by_design.data.datamodule import ImageData, Loading
from interp_by_design.data.render import render_bytes
from interp_by_design.data.scene_factors import factors_of
from interp_by_design.data.scenes import CLASS_NAMES, Scenes, draw
from interp_by_design.data.split import Reading, TensorSplit
from interp_by_design.terms import Concepts, Factors, Normalisation, check_whole

NORMALISATION = Normalisation(mean=(0.23, 0.23, 0.23), std=(0.16, 0.16, 0.16))


@final
class FactorImages(ImageData):
    """Colour images 3 x 32 x 32 of one object; the label is its texture (plain, striped, checked) and outline (round, angular).

    n_train, n_test: images rendered; validation is cut from n_train.
    world: seed of the images. Not `seed`, which is that of training: several trainings see the same world.
    shortcut: None, or `corner_patch`: white 3 x 3 pixels in the upper left of 95 % of class 0, in every split.

    To see an image with one factor changed: `render(data.scenes("test").changed("texture", "plain"))`.
    """

    def __init__(
        self,
        n_train: int = 20_000,
        n_test: int = 4_000,
        world: int = 0,
        shortcut: str | None = None,
        **loading: Unpack[Loading],
    ) -> None:
        super().__init__(**loading)
        check_whole("n_train", n_train, minimum=2)
        check_whole("n_test", n_test, minimum=1)
        check_whole("world", world, minimum=0)
        self._drawn = {
            "train": draw(n_train, world, part=0, shortcut=shortcut),
            "test": draw(n_test, world, part=1, shortcut=shortcut),
        }

    def scenes(self, split: str) -> Scenes:
        """The factors of each image of `train`, `val` or `test`, in the order of its indices."""
        rows = self.rows(split)
        return self._drawn["test" if split == "test" else "train"].take(rows)

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

    def read(self) -> Reading:
        train, test = (
            TensorSplit(render_bytes(scenes), scenes.labels()) for scenes in self._drawn.values()
        )
        return Reading(train, test, CLASS_NAMES, NORMALISATION)
