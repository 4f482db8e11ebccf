"""Data sets and groups of runs that differ only in the seed, as the results page needs them.

free: the default experiments, with any hidden layers but the class head. paper: the one hidden
layer that FLINT reads, in its network, with our dictionary and losses. flint: as published.
post_hoc: a frozen network.
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
    "paper": "The published hidden layer: FLINT's network and layer, our dictionary and losses",
    "post_hoc": "Post hoc: a frozen network",
}
FLINT = "flint"  # the reference of the other tracks

# f alone, with the seed and the schedule of its experiment: every other term is off, so that
# nothing else has a gradient. The interpreter still runs, so that dropout draws the same numbers.
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
    """Runs of one setting.

    Args:
        setting: an experiment, and its options.
        data: a key of DATA.
        track: a key of TRACKS, or FLINT.
        bare: whether f alone is trained too, with every seed.
        controls: whether the two negative controls are trained too, with the first seed.
        predictor: whether the command needs a file with the network's weights.
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
    """Return the groups of a track on a data set.

    Args:
        track: a key of TRACKS, or FLINT.
        data: a key of DATA.
    """
    return [group for group in GROUPS if (group.track, group.data) == (track, data)]


def with_options(setting: str, *options: str) -> str:
    """Return a setting with further options: experiment first, options sorted.

    Args:
        setting: an experiment and its options.
        options: further options.

    >>> with_options("mnist seeing=2", "attributes.k=4")
    'mnist attributes.k=4 seeing=2'
    """
    experiment, *given = setting.split(" ")
    return " ".join([experiment, *sorted([*given, *options])])


def bare(setting: str) -> str:
    """Return the setting that trains f alone.

    Args:
        setting: an experiment and its options.
    """
    return with_options(setting, *BARE)


def is_bare(setting: str) -> bool:
    """Return whether a setting trains f alone, so that its scores of g mean nothing.

    Args:
        setting: an experiment and its options.
    """
    return set(BARE) <= set(setting.split(" "))


def command(setting: str) -> str:
    """Return the command that makes a run of a setting.

    Args:
        setting: an experiment and its options.
    """
    experiment, *options = setting.split(" ")
    return " ".join(
        [
            "python train.py",
            *([f"experiment={experiment}"] if experiment != "digits" else []),
            *options,
        ]
    )
