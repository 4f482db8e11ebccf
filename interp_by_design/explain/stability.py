"""Whether an explanation stays as it is where f does: do the attributes keep their direction when the image changes a little?

Does not know the labels.
"""

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
    """For each way to change an image the cosines of Φ(x) and Φ(x'), 0..1, on the images where it does not move f.

    looked_at: how many images were changed, the same ones in each way.
    """

    cosines: Mapping[str, Float[Tensor, "m"]]
    looked_at: int


def stability(
    model: InterpretableModel,
    batches: Iterable[Batch | BatchWithActivations],
    seed: int,
    n: int = 500,
) -> Stability:
    """`Φ(x) · Φ(x') / ( |Φ(x)| |Φ(x')| )` on the first `n` images of `batches` where f answers x' as it answers x.

    x' is x with Gaussian noise of deviation 0.05, clipped to [0, 1]; x as JPEG of quality 20 gives it back; x moved by one or two
    pixels in a direction that the seed draws, its edges repeated. f answers alike where no probability of its softmax moves by
    0.05 or more. Images without attributes are left out: there is no explanation to keep. Where x' alone has none, it is 0.

    The model is left as it was. Raises `UserError` where there is no image.

    Source: the perturbations are three of those of Hendrycks and Dietterich, Benchmarking Neural Network Robustness to Common
    Corruptions and Perturbations (2019), arXiv 1903.12261, milder. To look only where f stays is the house's own: an explanation
    that stays while f changes its mind would be wrong.
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
    """stability_noise, stability_jpeg20, stability_shift, means, and stability_samples, the least number that one rests on.

    A mean over no image is absent, and so is the number where all are.
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
    """The images with Gaussian noise, in [0, 1]."""
    return (images + SIGMA * torch.randn(images.shape, generator=draws).to(images)).clamp(0, 1)


def compressed(images: Images) -> Images:
    """The images as JPEG gives them back, three channels as a colour image and any others each as a grey one."""
    colour = images.shape[1] == 3
    planes = images if colour else images.flatten(0, 1)[:, None]
    back = torch.stack([_through_jpeg(plane) for plane in planes.detach().cpu().float()])
    return back.to(images).view_as(images)


def shifted(images: Images, draws: torch.Generator) -> Images:
    """Each image moved by one or two pixels, along an axis or across, its edge repeated where nothing comes in."""
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
    """Of the rows where f stays and attributes were there."""
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
