"""New image files, decoded to the shape and range that a model takes."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from interp_by_design.data.picture import ENDINGS, FITS, MODES, Picture
from interp_by_design.terms import UserError

Pixels = Float[Tensor, "c h w"]
# Kinds of images that are accepted from somebody else.
SENT = {
    "PNG": "PNG",
    "JPEG": "JPEG",
    "WEBP": "WebP",
    "BMP": "BMP",
    "GIF": "GIF",
}
MAX_PIXELS = 50_000_000  # of an image from somebody else: a small file may fill the memory


@final
@dataclass(frozen=True)
class ImageReader:
    """Reads files as images of one shape.

    Args:
        shape: Channels, height and width.
        fit: How another aspect ratio is handled, as in `Picture`: `crop` (the middle) or `squash`.

    Raises:
        UserError: For a number of channels that image files do not have.
    """

    shape: tuple[int, int, int]
    fit: str = "crop"

    def __post_init__(self) -> None:
        if self.shape[0] not in MODES:
            raise UserError(
                f"This model takes images of {self.shape[0]} channels, and a file gives 1 (gray) "
                "or 3 (colour). Give it arrays, in Python: model.explain(image)."
            )

    @classmethod
    def from_options(cls, shape: tuple[int, int, int], data: Mapping[str, Any]) -> ImageReader:
        """Build the reader that reads files as a data set does.

        Args:
            shape: Channels, height and width.
            data: The options of the data set.

        Returns:
            The reader.
        """
        fit = data.get("fit")
        return cls(shape, str(fit) if fit in FITS else "crop")

    @property
    def picture(self) -> Picture:
        """The settings that read the files of a data set.

        Raises:
            UserError: For a model whose images are not square.
        """
        channels, height, width = self.shape
        if height != width:
            raise UserError(
                "Folders of images are read as squares, "
                f"and this model takes {height} x {width} pixels."
            )
        return Picture(height, self.fit, channels)

    def read(self, path: Path) -> Pixels:
        """Read an image file.

        Args:
            path: The file.

        Returns:
            The image, [c, h, w] in [0, 1].

        Raises:
            UserError: For a file that cannot be read; the message names it.
        """
        try:
            return self._decoded(path)
        except UserError as error:
            raise UserError(f"{path} cannot be read as an image ({_reason(error)}).") from error

    def decode(self, content: bytes) -> Pixels:
        """Decode an image that somebody else has sent; its size is checked before its pixels.

        Args:
            content: The bytes of a file. They alone decide its kind.

        Returns:
            The image, [c, h, w] in [0, 1].

        Raises:
            UserError: For another kind than PNG, JPEG, WebP, BMP or GIF, for too many pixels, and
                for an image that is damaged.
        """
        wanted = f"Wanted one of {', '.join(SENT.values())}."
        try:
            with Image.open(io.BytesIO(content), formats=tuple(SENT)) as file:
                width, height = file.size
        except Image.DecompressionBombError as error:
            raise _too_many_pixels("more") from error
        except Exception as error:  # Pillow's readers of headers raise almost anything
            raise UserError(
                f"This is no image of a known kind, or its beginning is damaged. {wanted}"
            ) from error
        if width * height > MAX_PIXELS:
            raise _too_many_pixels(f"{width} x {height}")
        try:
            return self._decoded(io.BytesIO(content))
        except UserError as error:
            raise UserError(f"This image is damaged ({_reason(error)}). {wanted}") from error

    def _decoded(self, file: Path | io.BytesIO) -> Pixels:
        channels, height, width = self.shape
        square = height == width
        picture = Picture(max(height, width), self.fit if square else "squash", channels)
        pixels = np.empty(picture.shape, np.uint8)
        picture.decode(file, pixels)
        image = torch.from_numpy(pixels) / 255
        if square:
            return image
        resized: Tensor = F.interpolate(
            image[None], (height, width), mode="bilinear", antialias=True
        )
        return resized[0].clamp(0, 1)


def image_files(places: Sequence[Path]) -> list[Path]:
    """List image files and the image files in folders, at any depth, without hidden ones.

    Args:
        places: Files and folders.

    Returns:
        The files; those of a folder are sorted.

    Raises:
        UserError: For a folder without images.
    """
    files: list[Path] = []
    for place in places:
        if not place.is_dir():
            files.append(place)
            continue
        inside = [
            file
            for file in sorted(place.rglob("*"))
            if file.suffix.lower() in ENDINGS and file.is_file()
        ]
        inside = [
            file
            for file in inside
            if not any(part.startswith(".") for part in file.relative_to(place).parts)
        ]
        if not inside:
            raise UserError(
                f"There is no image in {place}. "
                f"Wanted files that end in {', '.join(sorted(ENDINGS))}."
            )
        files += inside
    return list(dict.fromkeys(files))


def _too_many_pixels(found: str) -> UserError:
    return UserError(
        f"This image has too many pixels: {found}, and {MAX_PIXELS:,} are accepted. "
        "Make it smaller."
    )


def _reason(error: UserError) -> str:
    """Return Pillow's reason, without the advice on data sets."""
    cause = error.__cause__
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror
    return f"{type(cause).__name__}: {cause}" if cause is not None else str(error)
