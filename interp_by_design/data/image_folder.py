"""One's own images, a folder a class. Knows nothing of how a file is decoded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, Unpack, final

from interp_by_design.data.class_folders import (
    check_each_class,
    class_files,
    class_names,
    listed_classes,
)
from interp_by_design.data.datamodule import ImageData, Loading
from interp_by_design.data.files import FileSplit
from interp_by_design.data.picture import Picture
from interp_by_design.data.split import Reading, Split, count_held_out, hold_out
from interp_by_design.terms import Normalisation, UserError


class FolderOptions(Loading, total=False):
    """The options of `ImageFolder` that say what becomes of a file, and those that all data sets share."""

    size: int
    fit: str
    channels: int
    classes: str | Path | None
    mean: Sequence[float] | None
    std: Sequence[float] | None


@final
class ImageFolder(ImageData):
    """Images in `root`/train/<class>/, and in `root`/test/<class>/ and `root`/val/<class>/ where there are such folders.

    test: where there is no test folder, how many of train are held out: a count, or a fraction below 1. As for `validation`.
    in_memory: decode every image once and keep it as bytes; for sets that fit.
    skip_unreadable: read every file once at the start, and go on without those that cannot be read.
    size, fit, channels: as `Picture` has them.
    classes: a text file that names a class a line, in the order of a network's outputs: all 1,000 of ImageNet, say, where there
        are folders of ten. None takes the folders, sorted.
    mean, std: of each channel, for the model to normalise by; None leaves images in [0, 1].
    """

    def __init__(
        self,
        root: str | Path,
        test: int | float = 0.2,
        in_memory: bool = False,
        skip_unreadable: bool = False,
        **options: Unpack[FolderOptions],
    ) -> None:
        given: dict[str, Any] = {"workers": 2, **options}
        self.picture = Picture(
            **{
                field.name: given.pop(field.name)
                for field in fields(Picture)
                if field.name in given
            }
        )
        self.normalisation = _normalisation(
            given.pop("mean", None), given.pop("std", None), self.picture.channels
        )
        self.classes = given.pop("classes", None)
        super().__init__(**given)
        self.root, self.test = Path(root), test
        self.in_memory, self.skip_unreadable = in_memory, skip_unreadable

    def read(self) -> Reading:
        folders = class_names(self.root / "train")
        names = folders if self.classes is None else listed_classes(Path(self.classes), folders)
        if len(names) == 1:
            raise UserError(
                f"'{self.root / 'train'}' has one class folder alone, {names[0]!r}. Give two or more to tell apart."
            )
        train = self._files("train", names)
        check_each_class(train, names, folders)
        test = self._files("test", names) if (self.root / "test").is_dir() else None
        if test is None:
            kept, held = hold_out(train.labels, count_held_out(self.test, len(train), "test"))
            train, test = train.take(kept), train.take(held)
        val = self._files("val", names) if (self.root / "val").is_dir() else None
        return Reading(train, test, names, self.normalisation, val)

    def hold(self, split: Split) -> Split:
        return (
            split.in_memory(self.workers)
            if self.in_memory and isinstance(split, FileSplit)
            else split
        )

    def _files(self, part: str, names: tuple[str, ...]) -> FileSplit:
        files = class_files(self.root / part, names, self.picture)
        if self.skip_unreadable:
            files = files.readable(self.workers)
        else:
            files.check()
        if not len(files):
            raise UserError(
                f"There is no image in '{(self.root / part).absolute()}'. Put some there, or take the folder away."
            )
        return files


def _normalisation(
    mean: Sequence[float] | None, std: Sequence[float] | None, channels: int
) -> Normalisation:
    normalisation = Normalisation(tuple(mean or [0.0] * channels), tuple(std or [1.0] * channels))
    if len(normalisation.mean) != channels:
        raise UserError(
            f"mean={mean} and std={std} do not fit images of {channels} channels. Give one number for each of them."
        )
    return normalisation
