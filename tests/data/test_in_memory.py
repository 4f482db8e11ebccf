from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import Dataset, Subset
from torchvision.transforms import Compose, Normalize, ToTensor

from interp_by_design.data import InMemoryData
from interp_by_design.data.in_memory import declared_normalisation, first_image
from interp_by_design.terms import Normalisation, UserError

MEAN = (0.4, 0.5, 0.6)
STD = (0.2, 0.25, 0.3)
NORMALISE = Normalisation(MEAN, STD)
PIXELS = np.random.default_rng(0).integers(0, 256, (40, 6, 5, 3), dtype=np.uint8)


class Photos(Dataset[Any]):
    """What most people have: PIL images, a transform, and whole numbers for labels."""

    def __init__(self, transform: Any = None) -> None:
        self.transform, self.reads = transform, 0

    def __len__(self) -> int:
        return len(PIXELS)

    def __getitem__(self, i: int) -> Any:
        self.reads += 1
        image = Image.fromarray(PIXELS[i])
        return (self.transform(image) if self.transform else image), i % 4


def read(items: Any, **options: Any) -> InMemoryData:
    data = InMemoryData(items, "abcd", **options)
    data.setup()
    return data


def given(data: InMemoryData, split: str) -> torch.Tensor:
    """What the images of a split should be, from the arrays that they were made of."""
    rows = data.split(split).rows  # type: ignore[attr-defined]
    return torch.from_numpy(PIXELS[rows.numpy()]).permute(0, 3, 1, 2) / 255


@pytest.mark.parametrize(
    ("transform", "options"),
    [
        (None, {}),
        (ToTensor(), {}),
        (np.asarray, {}),
        (
            Compose([ToTensor(), Normalize(MEAN, STD)]),
            {"normalisation": NORMALISE, "normalised": True},
        ),
    ],
)
def test_images_of_any_kind_come_out_in_unit_range(transform: Any, options: dict[str, Any]) -> None:
    data = read(Photos(transform), **options)
    for name, count in (("train", 32), ("val", 4), ("test", 4)):
        (batch,) = data.in_order(name)
        assert len(batch.images) == count
        torch.testing.assert_close(batch.images, given(data, name), atol=1e-6, rtol=0)
        rows = data.split(name).rows  # type: ignore[attr-defined]
        assert batch.labels.tolist() == [int(row) % 4 for row in rows]


def test_floats_between_the_levels_stay_floats() -> None:
    images = torch.rand(20, 1, 4, 4)
    data = read([(image, i % 4) for i, image in enumerate(images)])
    (batch,) = data.in_order("train")
    rows = data.split("train").rows  # type: ignore[attr-defined]
    torch.testing.assert_close(batch.images, images[rows])


def test_the_transforms_normalisation_is_found_below_subsets() -> None:
    items = Subset(Photos(Compose([ToTensor(), Compose([Normalize(MEAN, STD)])])), range(30))
    found = declared_normalisation(items)
    assert found is not None
    assert found.mean == pytest.approx(MEAN)
    assert declared_normalisation(Photos(ToTensor())) is None


def test_targets_spare_reading_the_images() -> None:
    items = Photos()
    items.targets = [i % 4 for i in range(len(items))]  # type: ignore[attr-defined]
    read(items)
    assert items.reads < len(items)


def test_the_fingerprint_depends_on_pixels_and_labels() -> None:
    images = [torch.full((1, 2, 2), i / 255) for i in range(20)]
    one, other, relabelled = (
        read([(image, (i + shift) % 4) for i, image in enumerate(pictures)]).fingerprint()
        for pictures, shift in ((images, 0), ([*images[:-1], images[0]], 0), (images, 1))
    )
    assert len({one, other, relabelled}) == 3


@pytest.mark.parametrize(
    ("items", "complaint"),
    [
        (
            [{"image": torch.zeros(1, 2, 2), "label": 0}] * 20,
            "Item 0 is a dict with the keys image, label; wanted",
        ),
        ([torch.zeros(1, 2, 2)] * 20, "Item 0 is a Tensor; wanted"),
        ([("photo.jpg", 0)] * 20, "image of item 0 is a str"),
        ([(torch.zeros(2, 2), 0)] * 20, "has shape"),
        ([(torch.zeros(1, 2, 2), "cat")] * 20, "Labels must be whole numbers"),
        ([(torch.zeros(1, 2, 2), 4)] * 20, "There is a label 4"),
        ([(torch.full((1, 2, 2), 3.0), 0)] * 20, "runs from 3 to 3; wanted"),
        ([(torch.full((1, 2, 2), torch.nan), 0)] * 20, "runs from nan to nan"),
        ([(torch.zeros(1, 2, 2, dtype=torch.long), 0)] * 20, "is torch.int64; wanted uint8"),
        (iter([]), "has no length"),
    ],
)
def test_what_is_no_data_set_is_refused(items: Any, complaint: str) -> None:
    with pytest.raises(UserError, match=complaint):
        read(items)


def test_a_handful_of_images_is_refused() -> None:
    with pytest.raises(UserError, match="too few"):
        first_image([(torch.zeros(1, 2, 2), 0)] * 3)
