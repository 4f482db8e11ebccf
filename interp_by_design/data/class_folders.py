"""Image files in class folders."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import torch

from interp_by_design.data.files import FileSplit
from interp_by_design.data.picture import ENDINGS, Picture
from interp_by_design.terms import UserError


def class_names(folder: Path) -> tuple[str, ...]:
    """List the class folders of a folder; hidden folders are none.

    Args:
        folder: the folder.

    Returns:
        Their names, sorted.

    Raises:
        UserError: if there is none, or the folder cannot be listed.
    """
    names = (
        tuple(sorted(entry.name for entry in _entries(folder) if entry.is_dir()))
        if folder.is_dir()
        else ()
    )
    if not names:
        raise UserError(
            f"No class folder in '{folder.absolute()}'. "
            "Wanted <root>/train/<class>/<image>, and test/ and val/ likewise if you have them. "
            "Put the images there, or set data.root=..."
        )
    return names


def class_files(folder: Path, names: tuple[str, ...], picture: Picture) -> FileSplit:
    """List the images in class folders, at any depth.

    Args:
        folder: the folder of a split.
        names: the classes, in the order of their labels.
        picture: how images are decoded.

    Returns:
        The split of these files; none is opened.

    Raises:
        UserError: if `folder` has the folder of another class.
    """
    strange = sorted(set(class_names(folder)) - set(names))
    if strange:
        raise UserError(
            f"'{folder.absolute()}' has the class folders {_listing(strange)}, which train "
            f"lacks: it has {_listing(names)}. Rename or remove them."
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
    """Read the names of classes, one per line, in the order of a network's outputs.

    Args:
        file: the text file.
        folders: the class folders that exist; each is one of the classes.

    Returns:
        The classes of the file.

    Raises:
        UserError: if the file cannot be read, names a class twice, or lacks one of the folders.
    """
    try:
        names = tuple(line.strip() for line in file.read_text().splitlines() if line.strip())
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(
            f"data.classes={file} cannot be read: {error}. "
            "Give a text file with one class per line."
        ) from error
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise UserError(
            f"{file} names {_listing(twice)} more than once. "
            "Give each class one line, in the order of the outputs."
        )
    if strange := sorted(set(folders) - set(names)):
        raise UserError(
            f"{file} does not name the class folders {_listing(strange)}. "
            "Add them, or remove the folders."
        )
    return names


def check_each_class(split: FileSplit, names: tuple[str, ...], folders: tuple[str, ...]) -> None:
    """Check that every class folder holds an image.

    Args:
        split: the images.
        names: the classes, in the order of their labels.
        folders: the classes that have a folder.

    Raises:
        UserError: if one of the folders is empty.
    """
    counts = split.labels.bincount(minlength=len(names)).tolist()
    empty = [
        name for name, count in zip(names, counts, strict=True) if name in folders and not count
    ]
    if empty:
        raise UserError(
            f"The class folders {_listing(empty)} in '{split.root.absolute()}' hold no "
            f"image. Wanted readable files that end in {', '.join(sorted(ENDINGS))}. "
            "Put some there, "
            "or remove the folders."
        )


def _images(folder: Path) -> Iterator[str]:
    for entry in _entries(folder) if folder.is_dir() else ():
        if entry.is_dir():
            yield from _images(Path(entry.path))
        elif Path(entry.name).suffix.lower() in ENDINGS:
            yield entry.path


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    """The entries of a folder, without hidden ones."""
    try:
        return [entry for entry in os.scandir(folder) if not entry.name.startswith(".")]
    except OSError as refused:
        raise UserError(
            f"'{folder.absolute()}' cannot be listed: {refused.strerror}. Allow it to be read."
        ) from refused


def _listing(names: Iterable[str]) -> str:
    return ", ".join(map(repr, names))
