import pytest
import torch
from torch import Tensor, nn

from interp_by_design.interpreter import ConvDecoder, DenseDecoder
from interp_by_design.terms import UserError

SHAPES = [
    (1, 8, 8),
    (1, 28, 28),
    (3, 32, 32),
    (1, 33, 47),
    (3, 64, 64),
    (3, 8, 100),
    (2, 65, 65),
    (3, 224, 224),
    (1, 301, 200),
]


@pytest.mark.parametrize("shape", SHAPES)
def test_makes_images_of_any_size_with_few_parameters(shape: tuple[int, int, int]) -> None:
    decoder = ConvDecoder(36, shape)
    assert decoder(torch.rand(2, 36)).shape == (2, *shape)
    assert sum(p.numel() for p in decoder.parameters()) < 100_000


@pytest.mark.parametrize(("shape", "parameters"), [((3, 32, 32), 82_140), ((3, 224, 224), 66_700)])
def test_has_the_documented_number_of_parameters(
    shape: tuple[int, int, int], parameters: int
) -> None:
    assert sum(p.numel() for p in ConvDecoder(36, shape).parameters()) == parameters


@pytest.mark.parametrize("shape", [(1, 7, 8), (3, 32, 4)])
def test_images_that_are_too_small_are_refused(shape: tuple[int, int, int]) -> None:
    with pytest.raises(UserError, match=f"8x8 and larger, not {shape[1]}x{shape[2]}"):
        ConvDecoder(5, shape)


def fitted_error(decoder: nn.Module, attributes: Tensor, images: Tensor, steps: int = 150) -> float:
    optimizer = torch.optim.Adam(decoder.parameters(), 5e-3)
    for _ in range(steps):
        optimizer.zero_grad()
        nn.functional.mse_loss(decoder(attributes), images).backward()
        optimizer.step()
    with torch.no_grad():
        return nn.functional.mse_loss(decoder(attributes), images).item()


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 33, 41)])
def test_learns_images_from_their_codes(shape: tuple[int, int, int]) -> None:
    torch.manual_seed(0)
    images = nn.functional.interpolate(
        torch.rand(8, shape[0], 4, 4), shape[1:], mode="bilinear"
    )  # smooth, as photographs are
    best_single = images.var(dim=0, correction=0).mean().item()
    assert fitted_error(ConvDecoder(12, shape), torch.rand(8, 12), images) < 0.1 * best_single


def test_reconstructs_unseen_images_about_as_well_as_a_dense_decoder() -> None:
    """Images are a function of their codes; a decoder fitted to 64 generalises to 256 others."""
    torch.manual_seed(0)
    attributes, pictures = torch.rand(320, 6), torch.rand(6, 3, 4, 4)
    images = nn.functional.interpolate(
        torch.einsum("nj, jchw -> nchw", attributes, pictures) / 6, (16, 16), mode="bilinear"
    )
    explained = []
    for decoder in (ConvDecoder(6, (3, 16, 16)), DenseDecoder(6, (3, 16, 16))):
        fitted_error(decoder, attributes[:64], images[:64])
        with torch.no_grad():
            error = nn.functional.mse_loss(decoder(attributes[64:]), images[64:])
        explained.append(1 - error.item() / images.var(dim=0).mean().item())
    assert min(explained) > 0.85
