"""The axes of a layer's output: maps, vectors, or tokens on a grid of patches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from torch import Tensor, nn

from interp_by_design.predictor.logits import shape_or_type
from interp_by_design.terms import Images, UnknownName, UserError

PREFIX = "prefix"  # `blocks.5:prefix` is the class and register tokens of `blocks.5`
PREFIX_TOKENS = ("cls_token", "class_token", "dist_token", "reg_token", "register_tokens")


class LayerName(NamedTuple):
    """A layer as the user names it.

    Args:
        path: the dotted name inside the network.
        part: `prefix` for the class and register tokens alone, else empty.
    """

    path: str
    part: str

    @classmethod
    def parse(cls, name: str) -> LayerName:
        """Split a name into path and part.

        Args:
            name: a layer's name, such as `layer3` or `blocks.5:prefix`.

        Raises:
            UnknownName: the part does not exist.

        >>> LayerName.parse("blocks.5:prefix")
        LayerName(path='blocks.5', part='prefix')
        """
        path, colon, part = name.partition(":")
        if colon and part != PREFIX:
            raise UnknownName.among("part", part, [PREFIX], owner=f"the layer '{path}'")
        return cls(path, part)


class ActivationLayout(NamedTuple):
    """The axes of one layer's output, and the part of it that is read.

    Args:
        name: the layer.
        patches: the module around the layer that knows the grid of its patches, if any.
        channels_last: whether maps are [n, h, w, c].
    """

    name: LayerName
    patches: nn.Module | None
    channels_last: bool

    @classmethod
    def of_layer(cls, network: nn.Module, name: str) -> ActivationLayout:
        """Return the layout of a layer, from the modules around it.

        Args:
            network: the network that holds the layer.
            name: the layer's name.
        """
        parsed = LayerName.parse(name)
        around = list(_around(network, parsed.path))
        patches = next((part for part in around if _grid(part, (1, 1)) is not None), None)
        return cls(parsed, patches, _has_channels_last(parsed.path, around))

    def arrange(self, activation: object, images: Images) -> Tensor:
        """Return a layer's output as maps [n, c, h, w] or vectors [n, d].

        Tokens [n, t, d] become a map [n, d, h, w] of the patches alone where the network has a grid
        of patches, else [n, d, t, 1].

        Args:
            activation: the output, or input, of the layer.
            images: the network's input [n, c, h, w] of that pass.

        Raises:
            UserError: the value is neither maps, vectors nor tokens, or has no class tokens where
                they are asked for.
        """
        if (
            not isinstance(activation, Tensor)
            or activation.ndim not in (2, 3, 4)
            or activation.shape[0] != images.shape[0]
        ):
            raise UserError(
                f"Layer '{self.name.path}' gives {shape_or_type(activation)}; wanted maps "
                f"[n, c, h, w], vectors [n, d] or tokens [n, t, d] of n={images.shape[0]} images. "
                "Choose a layer inside it, or behind it."
            )
        if activation.ndim == 3:
            rows, columns = images.shape[2:]
            return self._from_tokens(activation, (rows, columns))
        if self.name.part:
            raise self.no_prefix()
        last = self.channels_last and activation.ndim == 4
        return activation.movedim(3, 1) if last else activation

    def _from_tokens(self, tokens: Tensor, size: tuple[int, int]) -> Tensor:
        grid = _grid(self.patches, size)
        before = tokens.shape[1] - grid[0] * grid[1] if grid else 0
        known = grid is not None and before in (0, _n_prefix_tokens(self.patches))
        if self.name.part:
            if not known or before == 0:
                raise self.no_prefix()
            return tokens[:, :before].flatten(1)
        maps = tokens.transpose(1, 2)
        if known and grid:
            return maps[:, :, before:].reshape(*maps.shape[:2], *grid)
        return maps.unsqueeze(3)

    def no_prefix(self) -> UserError:
        """Return the error for class tokens that are asked for where there are none."""
        path = self.name.path
        return UserError(
            f"Layer '{path}' has no class or register tokens that the network declares. "
            f"Read '{path}' itself."
        )


def is_submodule(network: nn.Module, path: str) -> bool:
    """Return whether `path` leads to a module inside the network, compiled parts included.

    Args:
        network: the network to search.
        path: a dotted name.
    """
    try:
        return bool(path) and network.get_submodule(path) is not None
    except AttributeError:
        return False


def _around(network: nn.Module, path: str) -> Iterator[nn.Module]:
    """Yield the modules that hold a layer, nearest first; the layer itself where it is a module."""
    steps = path.split(".")
    for depth in range(len(steps), -1, -1):
        try:
            yield network.get_submodule(".".join(steps[:depth]))
        except AttributeError:  # an operation is no module
            continue


def _grid(owner: nn.Module | None, size: tuple[int, int]) -> tuple[int, int] | None:
    """Return rows and columns of patches for images of `size`, in timm's and torchvision's way."""
    embedding = getattr(owner, "patch_embed", None)
    if callable(grid_of := getattr(embedding, "dynamic_feat_size", None)):
        rows, columns = grid_of(size)
        return int(rows), int(columns)
    if isinstance(fixed := getattr(embedding, "grid_size", None), tuple):
        return int(fixed[0]), int(fixed[1])
    side = getattr(owner, "patch_size", None)
    sides = (side, side) if isinstance(side, int) else side
    if isinstance(sides, tuple) and len(sides) == 2:
        return size[0] // sides[0], size[1] // sides[1]
    return None


def _n_prefix_tokens(owner: nn.Module | None) -> int:
    if isinstance(count := getattr(owner, "num_prefix_tokens", None), int):
        return count
    tokens = (getattr(owner, name, None) for name in PREFIX_TOKENS)
    return sum(
        token.shape[-2] if token.ndim > 1 else 1 for token in tokens if isinstance(token, Tensor)
    )


def _has_channels_last(path: str, around: list[nn.Module]) -> bool:
    """Return whether four-dimensional outputs are [n, h, w, c], as timm's networks declare."""
    if isinstance(around[0], nn.Conv2d | nn.BatchNorm2d):
        return False
    # These act on the last axis; their subclasses may not.
    if type(around[0]) in (nn.Linear, nn.LayerNorm):
        return True
    declared = next(
        (getattr(part, "output_fmt", None) for part in around if hasattr(part, "output_fmt")), None
    )
    swin = any(_is_torchvision_swin(part) for part in around)
    return getattr(declared, "value", declared) == "NHWC" or (
        swin and not path.endswith(("permute", "avgpool"))
    )


def _is_torchvision_swin(part: nn.Module) -> bool:
    # By name: to import torchvision takes a second, which no other network needs.
    home = "torchvision.models.swin_transformer"
    return any(
        (base.__module__, base.__name__) == (home, "SwinTransformer") for base in type(part).__mro__
    )
