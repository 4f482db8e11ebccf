"""Your own images, one folder per class."""

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
from interp_by_design.data.factor_file import FACTOR_FILE, FactorFile, read_factor_file
from interp_by_design.data.files import FileSplit
from interp_by_design.data.picture import Picture
from interp_by_design.data.split import DataSplits, Split, count_held_out, hold_out
from interp_by_design.terms import Factors, Normalisation, UserError


class FolderOptions(Loading, total=False):
    """The options of `ImageFolder` for decoding, and those that all data sets share."""

    size: int
    fit: str
    channels: int
    classes: str | Path | None
    mean: Sequence[float] | None
    std: Sequence[float] | None


@final
class ImageFolder(ImageData):
    """Your own images in `root`/train/<class>/, and test/<class>/ and val/<class>/ if they exist.

    A file `root`/factors.csv describes the generative factors of the images, if they are known:
    see `interp_by_design.data.factor_file`.

    Args:
        root: the folder that holds `train`.
        test: without a test folder, the images of train to hold out: a count, or a fraction
            below 1.
        in_memory: whether to decode every image once and keep it as bytes; for sets that fit.
        skip_unreadable: whether to read every file once at the start, and leave out those that
            cannot be read.
        options: `size`, `fit` and `channels`, see `Picture`; the options of all data sets, see
            `ImageData`; and these three. `classes`: a text file that names a class per line, in
            the order of a network's outputs, such as all 1,000 of ImageNet where there are
            folders of ten; None takes the folders, sorted. `mean` and `std`: of each channel, for
            the model to normalise by; None leaves images in [0, 1].

    Raises:
        UserError: if an option is out of range; at `setup`, if the folders make no data set.
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
        self._names: dict[str, list[str]] = {}
        self._factors: FactorFile | None = None

    def read(self) -> DataSplits:
        folders = class_names(self.root / "train")
        names = folders if self.classes is None else listed_classes(Path(self.classes), folders)
        if len(names) == 1:
            raise UserError(
                f"'{self.root / 'train'}' has a single class folder, {names[0]!r}. "
                "Give two or more."
            )
        train = self._files("train", names)
        check_each_class(train, names, folders)
        test = self._files("test", names) if (self.root / "test").is_dir() else None
        if test is None:
            kept, held = hold_out(train.labels, count_held_out(self.test, len(train), "test"))
            train, test = train.take(kept), train.take(held)
        val = self._files("val", names) if (self.root / "val").is_dir() else None
        self._names = {
            name: [_relative(self.root, split, file) for file in split.names]
            for name, split in (("train", train), ("val", val), ("test", test))
            if split is not None
        }
        self._factors = self._read_factors()
        return DataSplits(train, test, names, self.normalisation, val)

    def factors(self, name: str) -> Factors | None:
        rows = self.rows(name).tolist()
        if self._factors is None:
            return None
        names = self._names["train" if name == "val" and "val" not in self._names else name]
        return self._factors.of([names[row] for row in rows])

    def hold(self, split: Split) -> Split:
        return (
            split.in_memory(self.workers)
            if self.in_memory and isinstance(split, FileSplit)
            else split
        )

    def _read_factors(self) -> FactorFile | None:
        path = self.root / FACTOR_FILE
        if not path.exists():
            return None
        factors = read_factor_file(path)
        factors.of([name for names in self._names.values() for name in names])  # all described
        return factors

    def _files(self, part: str, names: tuple[str, ...]) -> FileSplit:
        files = class_files(self.root / part, names, self.picture)
        if self.skip_unreadable:
            files = files.readable(self.workers)
        else:
            files.check()
        if not len(files):
            raise UserError(
                f"There is no image in '{(self.root / part).absolute()}'. "
                "Put some there, or remove the folder."
            )
        return files


def _relative(root: Path, split: FileSplit, name: str) -> str:
    return (split.root / name).relative_to(root).as_posix()


def _normalisation(
    mean: Sequence[float] | None, std: Sequence[float] | None, channels: int
) -> Normalisation:
    normalisation = Normalisation(tuple(mean or [0.0] * channels), tuple(std or [1.0] * channels))
    if len(normalisation.mean) != channels:
        raise UserError(
            f"mean={mean} and std={std} do not fit images of {channels} channels. "
            "Give one number per channel."
        )
    return normalisation
