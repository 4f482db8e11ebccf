"""VIBI: an explainer that selects k chunks of an image, and an approximator that sees only them.

    p = softmax(explainer(x));   z* = max over k draws of softmax((log p + Gumbel) / temperature);
    loss = cross-entropy(approximator(x ⊙ z*), argmax f(x)) + beta k KL(p ‖ uniform)

and, once learned, z = 1 at the k chunks of largest p. *Approximator fidelity*: how often
argmax approximator(x ⊙ z) is argmax f(x); *rationale fidelity*: how often argmax f(x ⊙ z) is.

Source: Bang et al. (2019), arXiv 1902.06918, sections 3 and 4; k, chunks of 4 x 4, temperature 0.5
and the explainer are those of its published code for MNIST. Departs from that in the approximator,
this package's LeNet, which is several times cheaper; in its optimiser, there 50 epochs of Adam at
1e-4, here a few with a rate that rises to 6e-3 and falls; and in beta, there 0.1, which kept p
nearer to uniform in trials.

The method does not prevent an explainer from encoding the class in *where* it selects, which the
approximator reads; rationale fidelity, in which the approximator has no part, shows it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import final

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from benchmarks.image_chunks import ImageChunks, largest
from interp_by_design.data.split import Split
from interp_by_design.predictor import LeNet
from interp_by_design.terms import Images, Indices, Logits

BATCH_IMAGES = 128


@dataclass(frozen=True)
class VibiSettings:
    """Options of VIBI.

    Args:
        k: number of selected chunks.
        beta: weight of the prior.
        temperature: of the relaxed selection.
        epochs: passes over the train images.
        rate: highest learning rate.
    """

    k: int = 4
    beta: float = 0.01
    temperature: float = 0.5
    epochs: int = 3
    rate: float = 6e-3


@final
class Vibi(nn.Module):
    """Explainer and approximator of images of one shape.

    Args:
        image_shape: shape (c, h, w) of the images.
        n_classes: number of classes.
        chunks: the squares to select from.
        settings: options.
    """

    def __init__(
        self,
        image_shape: tuple[int, int, int],
        n_classes: int,
        chunks: ImageChunks,
        settings: VibiSettings,
    ) -> None:
        super().__init__()
        self.chunks, self.settings = chunks, settings
        self.explainer = _explainer(image_shape[0], chunks.side)
        self.approximator = LeNet(image_shape, n_classes)

    def log_probabilities(self, images: Images) -> Float[Tensor, "n chunks"]:
        """Return log p of each chunk, [n, chunks]."""
        scores: Tensor = self.explainer(images - 0.5)
        return scores.log_softmax(dim=1)

    def selected(self, images: Images) -> Images:
        """Return the images with all but their k most probable chunks black."""
        chosen = largest(self.log_probabilities(images), self.settings.k)
        return images * self.chunks.mask(chosen.float())

    def forward(self, images: Images) -> Logits:
        """Return the approximator's logits, from the k selected chunks."""
        logits: Tensor = self.approximator(self.selected(images))
        return logits

    def loss(self, images: Images, decided: Indices, draws: torch.Generator) -> Tensor:
        """Return the loss, with a fresh draw of chunks."""
        log_p = self.log_probabilities(images)
        relaxed = relaxed_subset(log_p, self.settings.k, self.settings.temperature, draws)
        risk = F.cross_entropy(self.approximator(images * self.chunks.mask(relaxed)), decided)
        return risk + self.settings.beta * self.settings.k * from_uniform(log_p)


def relaxed_subset(
    log_p: Float[Tensor, "n chunks"], k: int, temperature: float, draws: torch.Generator
) -> Float[Tensor, "n chunks"]:
    """Return z*: the largest of k draws of a Gumbel-softmax, in [0, 1]; at most k are near 1.

    Source: Chen et al. (2018), arXiv 1802.07814, section 3.
    """
    uniform = torch.rand(k, *log_p.shape, generator=draws).clamp(1e-20, 1 - 1e-7)
    gumbel = -(-uniform.log()).log()
    return ((log_p + gumbel) / temperature).softmax(dim=2).amax(dim=0)


def from_uniform(log_p: Float[Tensor, "n chunks"]) -> Tensor:
    """Return the mean over samples of KL(p ‖ uniform) = Σ p log p + log(chunks), in nats."""
    return (log_p.exp() * log_p).sum(dim=1).mean() + math.log(log_p.shape[1])


def learned(
    train: Split,
    decided: Indices,
    n_classes: int,
    chunks: ImageChunks,
    settings: VibiSettings,
    seed: int,
) -> Vibi:
    """Train explainer and approximator.

    Args:
        train: the train images.
        decided: the class [n] that f decides on each.
        n_classes: number of classes.
        chunks: the squares to select from.
        settings: options.
        seed: seed of weights and draws.
    """
    draws = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        torch.manual_seed(seed)
        vibi = Vibi(train.image_shape, n_classes, chunks, settings)
        optimizer = torch.optim.Adam(vibi.parameters(), settings.rate)
        steps = settings.epochs * math.ceil(len(train) / BATCH_IMAGES)
        rate = torch.optim.lr_scheduler.OneCycleLR(optimizer, settings.rate, total_steps=steps + 1)
        for rows in _epochs(len(train), settings.epochs, draws):
            optimizer.zero_grad()
            loss = vibi.loss(train.batch(rows).images, decided[rows], draws)
            loss.backward()  # type: ignore[no-untyped-call]  # torch's
            optimizer.step()
            rate.step()
    return vibi.eval()


@torch.no_grad()
def decisions(
    vibi: Vibi, predict: Callable[[Images], Logits], split: Split
) -> tuple[Indices, Indices]:
    """Return the classes of the approximator and of f on the selected chunks, [n] both.

    Args:
        vibi: explainer and approximator.
        predict: f, from images to logits.
        split: the images.
    """
    approximated, rationale = [], []
    for rows in torch.split(torch.arange(len(split)), BATCH_IMAGES):
        images = split.batch(rows).images
        selected = vibi.selected(images)
        approximated.append(vibi.approximator(selected).argmax(dim=1))
        rationale.append(predict(selected).argmax(dim=1))
    return torch.cat(approximated), torch.cat(rationale)


def _explainer(colours: int, side: int) -> nn.Sequential:
    """Return two convolutions, pooled to one score a chunk."""
    first = 2 if side % 2 == 0 else 1
    return nn.Sequential(
        nn.Conv2d(colours, 8, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(first),
        nn.Conv2d(8, 16, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(side // first),
        nn.Conv2d(16, 1, 1),
        nn.Flatten(),
    )


def _epochs(n: int, epochs: int, draws: torch.Generator) -> Iterator[Indices]:
    for _ in range(epochs):
        yield from torch.split(torch.randperm(n, generator=draws), BATCH_IMAGES)
