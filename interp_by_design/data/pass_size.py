"""Number of images in one forward pass."""

from __future__ import annotations

import math
from collections.abc import Sequence

MAX_IMAGES = 256
# 32 images of 224 x 224: activations of a usual network then take a few hundred MB. Larger passes
# are no faster on a CPU, where activations no longer fit its caches.
MAX_VALUES = 32 * 3 * 224 * 224


def images_per_pass(
    image_shape: Sequence[int],
    max_images: int = MAX_IMAGES,
    max_values: int = MAX_VALUES,
    min_images: int = 1,
) -> int:
    """Return how many images go through a network at once.

    Args:
        image_shape: Shape of one image, (c, h, w), or the number of values of one sample.
        max_images: Upper bound, reached by small images.
        max_values: Values that a pass may hold, over all its images.
        min_images: Lower bound, for images of any size.

    Returns:
        The number of images, from `min_images` to `max_images`.

    >>> [images_per_pass(shape) for shape in ((1, 28, 28), (3, 224, 224), (3, 9000, 9000))]
    [256, 32, 1]
    """
    return min(max_images, max(min_images, max_values // max(1, math.prod(image_shape))))
