"""What a layer gives, as maps [n, c, h, w] or vectors [n, d]: asks the network where its tokens and channels are.

Knows nothing of how a layer was read.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from torch import Tensor, nn

from interp_by_design.predictor.logits import kind_of
from interp_by_design.terms import Images, UnknownName, UserError

PREFIX = "prefix"  # `blocks.5:prefix` is the class and register tokens of `blocks.5`
PREFIX_TOKENS = ("cls_token", "class_token", "dist_token", "reg_token", "register_tokens")


class LayerName(NamedTuple):
    """A layer as the user names it: `path` inside the network, and `part`, empty for all but the class and register tokens."""

    path: str
    part: str

    @classmethod
    def parse(cls, name: str) -> LayerName:
        """Raises `UnknownName` for a part that there is not."""
        path, colon, part = name.partition(":")
        if colon and part != PREFIX:
            raise UnknownName.among("part", part, [PREFIX], owner=f"the layer '{path}'")
        return cls(path, part)


class Layout(NamedTuple):
    """How the output of one layer is laid out, and what of it was asked for."""

    name: LayerName
    patches: nn.Module | None  # the module around the layer that knows its grid of patches
    channels_last: bool  # maps are [n, h, w, c]

    @classmethod
    def of(cls, network: nn.Module, name: str) -> Layout:
        """The layout of layer `name`, as the network and the modules around the layer tell it."""
        parsed = LayerName.parse(name)
        around = list(_around(network, parsed.path))
        patches = next((part for part in around if _grid(part, (1, 1)) is not None), None)
        return cls(parsed, patches, _has_channels_last(parsed.path, around))

    def arranged(self, output: object, images: Images) -> Tensor:
        """Maps or vectors of what the layer gave for `images`.

        Tokens [n, t, d] become a map [n, d, h, w] of the patches alone where the network tells their grid; else [n, d, t, 1].
        Raises `UserError` for an output that is neither maps, vectors nor tokens, and for class tokens where there are none.
        """
        if (
            not isinstance(output, Tensor)
            or output.ndim not in (2, 3, 4)
            or output.shape[0] != images.shape[0]
        ):
            raise UserError(
                f"Layer '{self.name.path}' gives {kind_of(output)}; wanted maps [n, c, h, w], vectors [n, d] or tokens [n, t, d] "
                f"of n={images.shape[0]} images. Choose a layer inside it, or behind it."
            )
        if output.ndim == 3:
            rows, columns = images.shape[2:]
            return self._of_tokens(output, (rows, columns))
        if self.name.part:
            raise self.no_prefix()
        return output.movedim(3, 1) if self.channels_last and output.ndim == 4 else output

    def _of_tokens(self, tokens: Tensor, size: tuple[int, int]) -> Tensor:
        grid = _grid(self.patches, size)
        before = tokens.shape[1] - grid[0] * grid[1] if grid else 0
        known = grid is not None and before in (0, _n_prefix_tokens(self.patches))
        if self.name.part:
            if not known or before == 0:
                raise self.no_prefix()
            return tokens[:, :before].flatten(1)
        maps = tokens.transpose(1, 2)
        return (
            maps[:, :, before:].reshape(*maps.shape[:2], *grid)
            if known and grid
            else maps.unsqueeze(3)
        )

    def no_prefix(self) -> UserError:
        """The error for class tokens that are asked for where there are none."""
        return UserError(
            f"Layer '{self.name.path}' has no class or register tokens that the network tells of. Read '{self.name.path}' itself."
        )


def is_submodule(network: nn.Module, path: str) -> bool:
    """Whether `path` leads to a module inside the network; through one that is compiled, too."""
    try:
        return bool(path) and network.get_submodule(path) is not None
    except AttributeError:
        return False


def _around(network: nn.Module, path: str) -> Iterator[nn.Module]:
    """The modules that a layer is in, from the nearest to the network; the layer itself first, where it is a module."""
    steps = path.split(".")
    for depth in range(len(steps), -1, -1):
        try:
            yield network.get_submodule(".".join(steps[:depth]))
        except AttributeError:  # an operation is no module
            continue


def _grid(owner: nn.Module | None, size: tuple[int, int]) -> tuple[int, int] | None:
    """Rows and columns of patches for images of `size`, where `owner` tells: timm's, torchvision's and many others do."""
    embedding = getattr(owner, "patch_embed", None)
    if callable(told := getattr(embedding, "dynamic_feat_size", None)):
        rows, columns = told(size)
        return int(rows), int(columns)
    if isinstance(fixed := getattr(embedding, "grid_size", None), tuple):
        return int(fixed[0]), int(fixed[1])
    side = getattr(owner, "patch_size", None)
    sides = (side, side) if isinstance(side, int) else side
    return (
        (size[0] // sides[0], size[1] // sides[1])
        if isinstance(sides, tuple) and len(sides) == 2
        else None
    )


def _n_prefix_tokens(owner: nn.Module | None) -> int:
    """How many tokens stand before the patches."""
    if isinstance(count := getattr(owner, "num_prefix_tokens", None), int):
        return count
    tokens = (getattr(owner, name, None) for name in PREFIX_TOKENS)
    return sum(
        token.shape[-2] if token.ndim > 1 else 1 for token in tokens if isinstance(token, Tensor)
    )


def _has_channels_last(path: str, around: list[nn.Module]) -> bool:
    """Whether four-dimensional outputs are [n, h, w, c]: timm's networks say so, torchvision's Swin is known to."""
    if isinstance(around[0], nn.Conv2d | nn.BatchNorm2d):
        return False
    if type(around[0]) in (
        nn.Linear,
        nn.LayerNorm,
    ):  # they act on the last axis; subclasses may not
        return True
    told = next(
        (getattr(part, "output_fmt", None) for part in around if hasattr(part, "output_fmt")), None
    )
    swin = any(_is_torchvision_swin(part) for part in around)
    return getattr(told, "value", told) == "NHWC" or (
        swin and not path.endswith(("permute", "avgpool"))
    )


def _is_torchvision_swin(part: nn.Module) -> bool:
    # By name: to import torchvision takes a second, which no other network needs.
    home = "torchvision.models.swin_transformer"
    return any(
        (base.__module__, base.__name__) == (home, "SwinTransformer") for base in type(part).__mro__
    )
