"""Weights that others publish under a tag: which words are tags, and what is said where they cannot be fetched."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from interp_by_design.terms import UnknownName, UserError


def is_tag(weights: str, tags: Sequence[str], owner: str) -> bool:
    """Whether `weights` is one of the `tags` of `owner`, or else the path of a file.

    Raises `UnknownName` for what is neither: a word without folder or suffix that names no file.
    """
    if weights in tags:
        return True
    path = Path(weights)
    if path.name == weights and not path.suffix and not path.exists():
        raise UnknownName.among(
            "weights", weights, tags, owner=f"{owner}, and no file of that name either"
        )
    return False


@contextmanager
def fetching(source: str) -> Iterator[None]:
    """Whatever goes wrong while weights are fetched is a `UserError` that names them."""
    try:
        yield
    except Exception as error:  # each library of theirs fails in its own way
        told = " ".join(str(error).split())
        raise UserError(
            f"The weights '{source}' cannot be fetched ({type(error).__name__}: {told}). Where there is no network, fetch them "
            "elsewhere and give the file: predictor.weights=FILE."
        ) from error
