"""Which image files lie in which class folder. Opens none of them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import torch

from interp_by_design.data.files import FileSplit
from interp_by_design.data.picture import ENDINGS, Picture
from interp_by_design.terms import UserError


def class_names(folder: Path) -> tuple[str, ...]:
    """The names of the class folders in `folder`, sorted; hidden ones are none. Raises UserError where they make no data set."""
    names = (
        tuple(sorted(entry.name for entry in _entries(folder) if entry.is_dir()))
        if folder.is_dir()
        else ()
    )
    if not names:
        raise UserError(
            f"No class folder in '{folder.absolute()}'. Wanted <root>/train/<class>/<image>, and test/ and val/ of the same kind "
            "if you have them. Put the images there, or set data.root=..."
        )
    return names


def class_files(folder: Path, names: tuple[str, ...], picture: Picture) -> FileSplit:
    """The images in the class folders `names`, at any depth, labelled in that order. Raises UserError where there are others."""
    strange = sorted(set(class_names(folder)) - set(names))
    if strange:
        raise UserError(
            f"'{folder.absolute()}' has the class folders {_listing(strange)}, and train has not: it has {_listing(names)}. "
            "Rename them, or take them away."
        )
    found = [sorted(_images(folder / name)) for name in names]
    labels = torch.repeat_interleave(
        torch.arange(len(names)), torch.tensor([len(files) for files in found])
    )
    return FileSplit(
        folder,
        [os.path.relpath(file, folder) for files in found for file in files],
        labels,
        picture,
    )


def listed_classes(file: Path, folders: tuple[str, ...]) -> tuple[str, ...]:
    """The classes in `file`, one a line, in the order of a network's outputs; `folders` may be some of them.

    Raises UserError for a file that cannot be read, a class that it names twice, and a folder that it does not name.
    """
    try:
        names = tuple(line.strip() for line in file.read_text().splitlines() if line.strip())
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(
            f"data.classes={file} cannot be read: {error}. Give a text file with a class a line."
        ) from error
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise UserError(
            f"{file} names {_listing(twice)} more than once. Give each class one line, in the order of the outputs."
        )
    if strange := sorted(set(folders) - set(names)):
        raise UserError(
            f"{file} does not name the class folders {_listing(strange)}. Add them, or take the folders away."
        )
    return names


def check_each_class(split: FileSplit, names: tuple[str, ...], folders: tuple[str, ...]) -> None:
    """Raises UserError unless there is an image of every class that has one of the `folders`."""
    counts = split.labels.bincount(minlength=len(names)).tolist()
    empty = [
        name for name, count in zip(names, counts, strict=True) if name in folders and not count
    ]
    if empty:
        raise UserError(
            f"The class folders {_listing(empty)} in '{split.root.absolute()}' hold no image. Wanted files that end in "
            f"{', '.join(sorted(ENDINGS))}, and that can be read. Put some there, or take the folders away."
        )


def _images(folder: Path) -> Iterator[str]:
    for entry in _entries(folder) if folder.is_dir() else ():
        if entry.is_dir():
            yield from _images(Path(entry.path))
        elif Path(entry.name).suffix.lower() in ENDINGS:
            yield entry.path


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    """What is in a folder; hidden files and folders are left out."""
    try:
        return [entry for entry in os.scandir(folder) if not entry.name.startswith(".")]
    except OSError as refused:
        raise UserError(
            f"'{folder.absolute()}' cannot be listed: {refused.strerror}. Allow it to be read."
        ) from refused


def _listing(names: Iterable[str]) -> str:
    return ", ".join(map(repr, names))
