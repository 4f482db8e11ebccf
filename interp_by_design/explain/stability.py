"""Stability of attributes under small changes of the image that do not change f."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor
from torchvision.transforms.functional import pil_to_tensor, to_pil_image

from interp_by_design.explain.deletion import interpreted
from interp_by_design.explain.faithfulness import first
from interp_by_design.model import InterpretableModel
from interp_by_design.terms import Batch, BatchWithActivations, Images, Interpretation

SIGMA = 0.05  # of the noise, where an image is in [0, 1]
QUALITY = 20  # of JPEG, from 1 to 95
FARTHEST = 2  # pixels of a shift
MOVES = 0.05  # a probability of f by so much: then the explanation may change too


@dataclass(frozen=True, eq=False)
class Stability:
    """Cosines of Φ(x) and Φ(x'), 0..1, on the images where f does not change.

    Args:
        cosines: By kind of change, [m] each.
        looked_at: Number of images that were changed, the same for each kind.
    """

    cosines: Mapping[str, Float[Tensor, "m"]]
    looked_at: int


def stability(
    model: InterpretableModel,
    batches: Iterable[Batch | BatchWithActivations],
    seed: int,
    n: int = 500,
) -> Stability:
    """Compute `Φ(x) · Φ(x') / (|Φ(x)| |Φ(x')|)` where f answers x' as it answers x.

    x' is x with Gaussian noise of standard deviation 0.05, clipped to [0, 1]; x after JPEG
    compression of quality 20; x moved by one or two pixels in a direction that the seed draws, with
    repeated edges. f answers alike where no probability of its softmax moves by 0.05 or more.
    Images without attributes are left out: there is no explanation to keep. Where x' alone has
    none, the cosine is 0.

    Source: the perturbations are three of those of Hendrycks and Dietterich, Benchmarking Neural
        Network
    Robustness to Common Corruptions and Perturbations (2019), arXiv 1903.12261, milder. The
    restriction to images where f stays is original to this project: an explanation that stays while
    f changes its decision would be wrong.

    Args:
        model: f and g; its modes are restored.
        batches: Batches of images.
        seed: Of noise and shifts.
        n: The first n images are used.

    Returns:
        The cosines.

    Raises:
        UserError: If there is no image.
    """
    images, draws = first(model, batches, n), torch.Generator().manual_seed(seed)
    before = interpreted(model, images)
    changed = {
        "noise": noisy(images, draws),
        f"jpeg{QUALITY}": compressed(images),
        "shift": shifted(images, draws),
    }
    return Stability(
        {name: _cosines(before, interpreted(model, some)) for name, some in changed.items()},
        len(images),
    )


def stability_scores(
    model: InterpretableModel,
    batches: Iterable[Batch | BatchWithActivations],
    seed: int,
    n: int = 500,
) -> dict[str, float]:
    """Compute stability_noise, stability_jpeg20, stability_shift and stability_samples.

    The first three are means, the last the smallest number of images of a mean. A mean over no
    image is absent.

    Args:
        model: As for `stability`.
        batches: As for `stability`.
        seed: As for `stability`.
        n: As for `stability`.

    Returns:
        The scores by key.
    """
    found = {
        name: cosines
        for name, cosines in stability(model, batches, seed, n).cosines.items()
        if len(cosines)
    }
    scores = {
        f"stability_{name}": float(cosines.double().mean()) for name, cosines in found.items()
    }
    return scores | ({"stability_samples": float(min(map(len, found.values())))} if found else {})


def noisy(images: Images, draws: torch.Generator) -> Images:
    """Add Gaussian noise, and clip to [0, 1].

    Args:
        images: [n, c, h, w].
        draws: The random numbers.

    Returns:
        Images of the same shape.
    """
    return (images + SIGMA * torch.randn(images.shape, generator=draws).to(images)).clamp(0, 1)


def compressed(images: Images) -> Images:
    """Compress images as JPEG: three channels as a colour image, any others each as a grey one.

    Args:
        images: [n, c, h, w] in [0, 1].

    Returns:
        The decompressed images.
    """
    colour = images.shape[1] == 3
    planes = images if colour else images.flatten(0, 1)[:, None]
    back = torch.stack([_through_jpeg(plane) for plane in planes.detach().cpu().float()])
    return back.to(images).view_as(images)


def shifted(images: Images, draws: torch.Generator) -> Images:
    """Move each image by one or two pixels, along an axis or across, with repeated edges.

    Args:
        images: [n, c, h, w].
        draws: The random numbers.

    Returns:
        Images of the same shape.
    """
    steps = [(down, right) for down in _REACH for right in _REACH if (down, right) != (0, 0)]
    drawn = torch.tensor(steps)[torch.randint(len(steps), (len(images),), generator=draws)]
    rows, columns = (
        (torch.arange(side) - drawn[:, axis, None]).clamp(0, side - 1).to(images.device)
        for axis, side in enumerate(images.shape[2:])
    )
    across = columns[:, None, None, :].expand(images.shape)
    return images.gather(2, rows[:, None, :, None].expand(images.shape)).gather(3, across)


_REACH = range(-FARTHEST, FARTHEST + 1)


def _cosines(before: Interpretation, after: Interpretation) -> Tensor:
    """Return the cosines of the rows where f stays and there are attributes."""
    moved = (before.predictor.softmax(dim=1) - after.predictor.softmax(dim=1)).abs().amax(dim=1)
    rows = (moved < MOVES) & (before.attributes > 0).any(dim=1)
    return torch.nn.functional.cosine_similarity(
        before.attributes[rows], after.attributes[rows], dim=1
    )


def _through_jpeg(plane: Float[Tensor, "c h w"]) -> Float[Tensor, "c h w"]:
    written = io.BytesIO()
    to_pil_image((plane.clamp(0, 1) * 255).round().to(torch.uint8)).save(
        written, "JPEG", quality=QUALITY
    )
    with Image.open(written) as image:
        back: Tensor = pil_to_tensor(image)
    return back.float() / 255
