"""What the results page needs: data sets, and groups of runs that differ in the seed alone. To change a series, change GROUPS.

free: the default experiments, whichever hidden layers they read but the class head's. paper: the one hidden layer that FLINT
reads, in its network, with our dictionary and losses. flint: as published. post_hoc: a network that stays as it is.
Does not know what was measured, nor what is aimed at.
"""

from __future__ import annotations

from dataclasses import dataclass

DATA = {  # titles by name, in the page's order
    "mnist": "MNIST",
    "fashion_mnist": "FashionMNIST",
    "quickdraw": "QuickDraw",
    "cifar10_jpeg": "CIFAR-10, JPEG copies",
}
TRACKS = {
    "free": "Our form: any hidden layer but the class head",
    "paper": "The published hidden layer: FLINT's network and the layer that it reads there, our dictionary and losses",
    "post_hoc": "Post hoc: a network that stays as it is",
}
FLINT = "flint"  # what other tracks are held against; no track of its own

# f alone, with the seed and the schedule of its experiment: every other term is off, so that nothing else has a gradient. The
# interpreter still runs, which keeps the random numbers that f is given (dropout) those of the run with it.
BARE = (
    "checkpoint=last",
    "learning.objective.beta=0",
    "learning.objective.delta=0",
    "learning.objective.eta=0",
    "learning.objective.gamma=0",
    "learning.objective.independence=0",
    "learning.objective.sufficiency=0",
    "learning.objective.anchoring=0",
)
CONTROLS = ("interpreter=frozen_random", "interpreter=relabelled")


@dataclass(frozen=True)
class Group:
    """Runs of one setting: an experiment, and options after it where there are some.

    data: a key of DATA. track: a key of TRACKS, or FLINT. bare, controls: whether f alone is trained too, with every seed, and
    the two controls with the first. predictor: whether the command needs a file with the network's weights.
    """

    setting: str
    data: str
    track: str
    bare: bool = True
    controls: bool = False
    predictor: bool = False


GROUPS = (
    Group("mnist", "mnist", "free", controls=True),
    Group("fashion_mnist", "fashion_mnist", "free", controls=True),
    Group("quickdraw", "quickdraw", "free", controls=True),
    Group("cifar10_jpeg_lenet", "cifar10_jpeg", "free", controls=True),
    Group("cifar10_jpeg", "cifar10_jpeg", "free", bare=False),
    Group("mnist_paper", "mnist", "paper"),
    Group("fashion_mnist_paper", "fashion_mnist", "paper"),
    Group("quickdraw_paper", "quickdraw", "paper"),
    Group("mnist_flint", "mnist", FLINT, bare=False),
    Group("fashion_mnist_flint", "fashion_mnist", FLINT, bare=False),
    Group("quickdraw_flint", "quickdraw", FLINT, bare=False),
    Group("cifar10_flint", "cifar10_jpeg", FLINT, bare=False),
    Group(
        "cifar10_resnet20_post_hoc",
        "cifar10_jpeg",
        "post_hoc",
        bare=False,
        controls=True,
        predictor=True,
    ),
)


def of_track(track: str, data: str) -> list[Group]:
    """The groups of a track on a data set."""
    return [group for group in GROUPS if (group.track, group.data) == (track, data)]


def with_options(setting: str, *options: str) -> str:
    """The name of a setting with further options: experiment first, options sorted.

    >>> with_options("mnist seeing=2", "attributes.k=4")
    'mnist attributes.k=4 seeing=2'
    """
    experiment, *given = setting.split(" ")
    return " ".join([experiment, *sorted([*given, *options])])


def bare(setting: str) -> str:
    """The setting that trains f alone."""
    return with_options(setting, *BARE)


def is_bare(setting: str) -> bool:
    """Whether a setting trains f alone: what it says of g means nothing."""
    return set(BARE) <= set(setting.split(" "))


def command(setting: str) -> str:
    """The command that makes a run of a setting."""
    experiment, *options = setting.split(" ")
    return " ".join(
        [
            "python train.py",
            *([f"experiment={experiment}"] if experiment != "digits" else []),
            *options,
        ]
    )
