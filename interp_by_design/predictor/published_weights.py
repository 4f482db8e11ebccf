"""Classifiers of a library by name, with random weights, those of a file, or published ones."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from torch import nn

from interp_by_design.predictor.weights import class_count_error, load_weights
from interp_by_design.terms import UnknownName, UserError


class NetworkRequest(NamedTuple):
    """A classifier that is asked for.

    Args:
        image_shape: shape (c, h, w) of the network's input.
        n_classes: number of classes that it decides among.
        name: the library's name of the network.
        weights: None for random ones, the path of a file, or a tag of the library.
        fresh_head: whether a class head for another number of classes may be drawn again.
        load: False leaves the weights random, in the network that belongs to `weights`.
    """

    image_shape: tuple[int, int, int]
    n_classes: int
    name: str
    weights: str | None = None
    fresh_head: bool = True
    load: bool = True


class PublishedWeights(NamedTuple):
    """Weights that a library publishes.

    Args:
        label: what messages call them.
        n_classes: number of classes that they decide among.
        entry: the library's own record of them.
    """

    label: str
    n_classes: int
    entry: Any


class ModelZoo(ABC):
    """A library of classifiers with published weights."""

    owner: str  # the library's name, in messages

    def network(self, request: NetworkRequest) -> nn.Module:
        """Return the network that is asked for, with its weights.

        Args:
            request: the network and its weights.

        Raises:
            UnknownName: the library has no network, or no tag, of that name.
            UserError: the network does not take such images, or the weights cannot be fetched or
                do not fit.
        """
        self._check(request)
        published = self._requested(request)
        if published is None:
            network = self._create(request, None)
            if request.load and request.weights is not None:
                load_weights(network, request.weights, request.fresh_head)
            return network
        if not request.load:
            return self._create(request, published)
        if not request.fresh_head and published.n_classes != request.n_classes:
            # Before anything is fetched.
            raise class_count_error(f"'{published.label}'", published.n_classes, request.n_classes)
        return self._fetch(request, published)

    def _requested(self, request: NetworkRequest) -> PublishedWeights | None:
        tags = self._tags(request.name)
        owner = f"{self.owner}'s {request.name}"
        if request.weights is None or not is_tag(request.weights, list(tags), owner):
            return None
        return self._published(request.name, tags[request.weights])

    @abstractmethod
    def _check(self, request: NetworkRequest) -> None:
        """Refuse networks that the library does not have, and images that they do not take."""

    @abstractmethod
    def _tags(self, name: str) -> Mapping[str, Any]:
        """Return the library's records of the weights of a network, by their tags."""

    @abstractmethod
    def _published(self, name: str, entry: Any) -> PublishedWeights:
        """Return the weights behind one of the library's records."""

    @abstractmethod
    def _create(self, request: NetworkRequest, published: PublishedWeights | None) -> nn.Module:
        """Return the network with random weights, in the form that `published` ones need."""

    @abstractmethod
    def _fetch(self, request: NetworkRequest, published: PublishedWeights) -> nn.Module:
        """Return the network with published weights, which are fetched once."""


def is_tag(weights: str, tags: Sequence[str], owner: str) -> bool:
    """Return whether `weights` is a tag, rather than the path of a file.

    Args:
        weights: a tag or a path.
        tags: the tags that exist.
        owner: whose tags they are, for the message.

    Raises:
        UnknownName: a word without folder or suffix that is no tag and names no file.
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
    """Turn every failure of a download into a `UserError` that names the weights.

    Args:
        source: the weights that are fetched.

    Raises:
        UserError: the block failed.
    """
    try:
        yield
    except Exception as error:  # each library fails in its own way
        reason = " ".join(str(error).split())
        raise UserError(
            f"The weights '{source}' cannot be fetched ({type(error).__name__}: {reason}). Without "
            "a network, fetch them elsewhere and give the file: predictor.weights=FILE."
        ) from error
