"""torchvision's classifiers by name, with random weights; `weights` loads others. Downloads nothing."""

from __future__ import annotations

import warnings

from torch import channels_last, nn

from interp_by_design.terms import UnknownName, UserError


def torchvision_network(image_shape: tuple[int, int, int], n_classes: int, name: str) -> nn.Module:
    """The torchvision classifier `name` for `n_classes` classes, freshly drawn; hidden layers are its submodules' dotted names.

    Raises `UnknownName` for a name that torchvision does not know, and `UserError` for images without three channels.
    """
    import torchvision  # a second's work, which no other network needs

    known = torchvision.models.list_models(module=torchvision.models)
    if name not in known:
        raise UnknownName.among("network", name, known, owner="torchvision")
    if image_shape[0] != 3:
        raise UserError(
            f"'{name}' takes images of 3 channels, not {image_shape[0]}; grey ones must be repeated (data.channels=3)."
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # GoogLeNet and Inception, on how they draw weights
        network: nn.Module = torchvision.models.get_model(name, weights=None, num_classes=n_classes)
    return network.to(memory_format=channels_last)
