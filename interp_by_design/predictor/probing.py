"""Trial passes over noise that leave a network unchanged."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import torch
from torch import Tensor, nn

from interp_by_design.predictor.modes import evaluating
from interp_by_design.terms import Images, UserError

N_NOISE_IMAGES = 4
LARGER_SIDES = (32, 64, 128, 224, 299)  # pixels; tried where a network refuses its images
# What networks raise for images that they cannot take.
REFUSALS = (RuntimeError, ValueError, TypeError, AssertionError)


@contextmanager
def probing(network: nn.Module, image_shape: tuple[int, int, int]) -> Iterator[Images]:
    """Yield noise to try the network on; within the block it evaluates and keeps no gradients.

    Args:
        network: the network to try.
        image_shape: shape (c, h, w) of its input.

    Raises:
        UserError: the block failed because the network does not take such images.
    """
    with evaluating(network), torch.no_grad():
        try:
            yield _noise(network, image_shape)
        except UserError:
            raise
        except REFUSALS as error:
            raise _refused(network, image_shape, error) from error


def layer_names(network: nn.Module, like: str) -> list[str]:
    """Return the names of all submodules where `like` is dotted, else of the stages.

    Args:
        network: the network to list.
        like: a name that was asked for.
    """
    named = network.named_modules() if "." in like else network.named_children()
    return [name for name, _ in named if name]


def _noise(network: nn.Module, image_shape: tuple[int, int, int]) -> Tensor:
    noise = torch.rand(N_NOISE_IMAGES, *image_shape, generator=torch.Generator().manual_seed(0))
    like = next(
        (parameter for parameter in network.parameters() if parameter.is_floating_point()), noise
    )
    return noise.to(like)  # its device, and its precision


def _refused(network: nn.Module, image_shape: tuple[int, int, int], error: Exception) -> UserError:
    """Return the error for images that are refused; torch does not say when they are too small."""
    channels, *sides = image_shape
    name = type(network).__name__
    for side in LARGER_SIDES:
        if side > min(sides):
            with suppress(*REFUSALS):
                network(_noise(network, (channels, side, side)))
                return UserError(
                    f"Images of shape {tuple(image_shape)} are too small for {name}, which takes "
                    f"{(channels, side, side)}. Give larger images, or choose another network."
                )
    return UserError(f"{name} does not take images of shape {tuple(image_shape)}: {error}")
