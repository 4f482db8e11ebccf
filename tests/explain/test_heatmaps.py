"""Tests of heat maps on attributes of known location."""

import sys

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from interp_by_design.attributes import AttributeDictionary, TopKDictionary
from interp_by_design.explain.deletion import deletion_check, moved
from interp_by_design.explain.heat_maps import heatmaps, located
from interp_by_design.explain.removal import blurred, hottest, without
from interp_by_design.interpreter import (
    DenseDecoder,
    LinearHead,
    LinearInterpreter,
    RelabelledInterpreter,
)
from interp_by_design.model import InterpretableModel
from interp_by_design.predictor import Predictor
from interp_by_design.predictor.preprocessing import Preprocessing
from interp_by_design.terms import DataFacts, Normalisation, UnknownName, UserError
from tests.small import small_model

SIDE = 16
FACTS = DataFacts((1, SIDE, SIDE), ("a", "b", "c"), Normalisation())


class Bright(nn.Module):
    """Network whose one hidden layer is the resized image; an attribute is a region's light."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.maps = nn.AdaptiveAvgPool2d(size)
        self.head = nn.Linear(1, 3)

    def forward(self, images: Tensor) -> Tensor:
        return torch.as_tensor(self.head(self.maps(images).mean(dim=(2, 3))))


def planted(size: int = 8, preprocessing: Preprocessing | None = None) -> InterpretableModel:
    """Return a model whose attribute j is the light of quadrant j."""
    torch.manual_seed(0)
    predictor = Predictor(Bright(size), ["maps"], FACTS, preprocessing)
    dictionary = TopKDictionary(predictor.hidden_shapes, 4, k=1, pooled=2)
    nn.init.eye_(dictionary.weights.weight)
    head = LinearHead(4, 3)
    return InterpretableModel(
        predictor, LinearInterpreter(dictionary, head, DenseDecoder(4, FACTS.image_shape, 8)), FACTS
    ).eval()


def corners() -> tuple[Tensor, Tensor]:
    """Return four dark images with a bright spot in one quadrant each, and the spots' centres."""
    images, centres = (
        torch.zeros(4, 1, SIDE, SIDE),
        torch.tensor([[4, 4], [4, 12], [12, 4], [12, 12]]),
    )
    for image, (y, x) in zip(images, centres.tolist(), strict=True):
        image[:, y - 2 : y + 2, x - 2 : x + 2] = 1
    return images, centres


@pytest.mark.parametrize("method", ["auto", "evidence", "gradient", "occlusion"])
@pytest.mark.parametrize("size", [None, (48, 32)])
def test_hottest_pixel_is_in_the_region_of_the_attribute(
    method: str, size: tuple[int, int] | None
) -> None:
    preprocessing = None if size is None else Preprocessing(Normalisation(), size)
    model, (images, centres) = planted(preprocessing=preprocessing), corners()
    found = heatmaps(model, images, torch.arange(4), method)
    assert found.maps.shape == (4, SIDE, SIDE)
    assert found.method == ("evidence" if method == "auto" else method)
    for map_, (y, x) in zip(found.maps, centres.tolist(), strict=True):
        hot = map_.argmax().item()
        assert abs(hot // SIDE + 0.5 - y) <= 2
        assert abs(hot % SIDE + 0.5 - x) <= 2
    assert found.maps.amax(dim=(1, 2)).tolist() == [1.0] * 4
    assert found.maps.min() >= 0
    check = deletion_check(model, images, torch.arange(4), found.maps)
    assert (check.drop > 2 * check.random).all()


def test_dark_region_has_no_positive_contribution() -> None:
    model, (images, _) = planted(), corners()
    found = heatmaps(
        model, images, torch.tensor([3, 2, 1, 0]), "evidence"
    )  # the light of another quadrant
    assert found.maps.max() == 0
    assert found.placed.tolist() == [0.0] * 4


def test_placed_share_is_partial_with_a_vector_layer() -> None:
    model = small_model().eval()
    images = torch.rand(5, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    attributes = torch.tensor([0, 1, 2, 3, 4])
    found = heatmaps(model, images, attributes, "evidence")
    with torch.no_grad():
        hidden = model.predictor(images).hidden
        evidence = model.interpreter.dictionary.spatial_contributions(
            hidden, F.one_hot(attributes, 6).float()
        )  # type: ignore[operator,union-attr]
    for i in range(5):
        placed = sum(value for value in evidence.maps[0][i].flatten().tolist() if value > 0)
        rest = max(0.0, evidence.unplaced[i].sum().item())
        assert found.placed[i].item() == pytest.approx(placed / (placed + rest), abs=1e-5)
    assert heatmaps(model, images, attributes).method == "gradient"


def test_methods_that_an_interpreter_lacks_are_refused() -> None:
    base = small_model()
    dictionary: AttributeDictionary = base.interpreter.dictionary  # type: ignore[assignment]
    interpreter = RelabelledInterpreter(
        dictionary, base.interpreter.head, base.interpreter.decoder, sharpness=2.0
    )
    model = InterpretableModel(base.predictor, interpreter, base.facts)
    images = torch.rand(3, 1, 8, 8)
    found = heatmaps(model, images, torch.arange(3))
    assert found.method == "occlusion"
    assert torch.isfinite(found.maps).all()
    assert found.maps.amax() == 1
    with pytest.raises(
        UserError, match="method='occlusion'"
    ):  # relabelled attributes pass no gradient
        heatmaps(model, images, torch.arange(3), "gradient")
    with pytest.raises(UserError, match="method='gradient'"):
        heatmaps(model, images, torch.arange(3), "evidence")


def test_tokens_in_one_column_use_gradients() -> None:
    network = Bright(8)
    network.maps = nn.AdaptiveAvgPool2d((8, 1))  # type: ignore[assignment]
    predictor = Predictor(network, ["maps"], FACTS)
    dictionary = TopKDictionary(predictor.hidden_shapes, 4, k=1, pooled=3)
    interpreter = LinearInterpreter(
        dictionary, LinearHead(4, 3), DenseDecoder(4, FACTS.image_shape, 8)
    )
    model = InterpretableModel(predictor, interpreter, FACTS)
    assert heatmaps(model, torch.rand(2, 1, SIDE, SIDE), torch.tensor([0, 1])).method == "gradient"


@pytest.mark.parametrize("method", ["evidence", "gradient", "occlusion"])
def test_pairs_are_independent_of_the_batch(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model, images = small_model(), torch.rand(7, 1, 8, 8)
    attributes = torch.tensor([0, 5, 2, 2, 4, 1, 3])
    whole = heatmaps(model, images, attributes, method)
    monkeypatch.setattr(
        sys.modules[heatmaps.__module__], "images_per_pass", lambda shape, max_values: 2
    )
    parts = heatmaps(model, images, attributes, method)
    torch.testing.assert_close(whole.maps, parts.maps, rtol=1e-3, atol=1e-3)
    one = heatmaps(model, images[3:4], attributes[3:4], method)
    torch.testing.assert_close(whole.maps[3:4], one.maps, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("method", ["evidence", "gradient", "occlusion"])
def test_model_is_unchanged(method: str) -> None:
    model, images = small_model().train(), torch.rand(3, 1, 8, 8)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    random = torch.get_rng_state()
    found = heatmaps(model, images, torch.arange(3), method)
    deletion_check(model, images, torch.arange(3), found.maps)
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert all(part.training for part in model.modules())
    assert all(
        parameter.grad is None and parameter.requires_grad for parameter in model.parameters()
    )
    assert not any(part._forward_hooks or part._backward_hooks for part in model.modules())
    assert torch.equal(random, torch.get_rng_state())


def test_invalid_arguments_are_refused() -> None:
    model, images = small_model(), torch.rand(2, 1, 8, 8)
    with pytest.raises(UserError, match="from 0 to 5"):
        heatmaps(model, images, torch.tensor([0, 6]))
    with pytest.raises(UnknownName, match="occlusion"):
        heatmaps(model, images, torch.tensor([0, 1]), "occlude")
    with pytest.raises(UserError, match="between 0 and 1"):
        deletion_check(model, images, torch.tensor([0, 1]), torch.rand(2, 8, 8), area=1.0)


@pytest.mark.parametrize("method", ["evidence", "gradient", "occlusion"])
def test_empty_input_gives_an_empty_result(method: str) -> None:
    model, none = small_model(), torch.zeros(0, dtype=torch.long)
    found = heatmaps(model, torch.zeros(0, 1, 8, 8), none, method)
    assert found.maps.shape == (0, 8, 8)
    assert deletion_check(model, torch.zeros(0, 1, 8, 8), none, found.maps).drop.shape == (0,)


def test_weighted_sum_of_attributes_sums_their_heat() -> None:
    model, (images, centres) = planted(), corners()
    both = (images[0] + images[3])[None]
    found = located(model, both, torch.tensor([[1.0, 0.0, 0.0, 0.1]])).maps[0]
    (y, x), (v, u) = centres[0].tolist(), centres[3].tolist()
    assert found[y, x].item() == pytest.approx(10 * found[v, u].item(), rel=0.01)


def test_hottest_pixels_are_the_largest_and_of_fixed_number() -> None:
    maps = torch.rand(4, 6, 5)
    maps[3] = 0
    removed = hottest(maps, 0.2)
    assert removed.flatten(1).sum(dim=1).tolist() == [6] * 4
    for map_, mask in zip(maps[:3], removed[:3], strict=True):
        assert map_[mask].min() > map_[~mask].max()


def test_removed_pixels_are_blurred_and_others_unchanged() -> None:
    images = torch.rand(2, 3, 12, 10)
    mask = torch.zeros(2, 12, 10, dtype=torch.bool)
    mask[0, 3:6, 2:4] = True
    left = without(images, mask)
    assert torch.equal(left[1], images[1])
    assert torch.equal(left[0][:, ~mask[0]], images[0][:, ~mask[0]])
    assert torch.equal(left[0][:, mask[0]], blurred(images)[0][:, mask[0]])
    assert blurred(images).var(dim=(2, 3)).max() < 0.2 * images.var(dim=(2, 3)).min()
    torch.testing.assert_close(
        blurred(torch.full((1, 1, 7, 7), 0.3)), torch.full((1, 1, 7, 7), 0.3)
    )
    assert blurred(torch.rand(1, 1, 1, 1)).shape == (1, 1, 1, 1)


def test_moved_mask_keeps_its_shape() -> None:
    mask = torch.zeros(300, 6, 5, dtype=torch.bool)
    mask[:, 2:4, 1:3] = True
    there = moved(mask, torch.Generator().manual_seed(0))
    assert there.flatten(1).sum(dim=1).tolist() == [4] * 300
    assert 1 / 30 * 0.3 < (there == mask).flatten(1).all(dim=1).float().mean() < 1 / 30 * 3
    assert there.float().mean(dim=0).std() < 0.05


def test_deletion_check_is_the_lost_share_of_the_attribute() -> None:
    model, (images, _) = planted(), corners()
    images = images * 0.8 + 0.1
    maps = images[:, 0]
    check = deletion_check(model, images, torch.tensor([0, 1, 2, 0]), maps, area=16 / 256)
    with torch.no_grad():
        full, after = (model(given).attributes for given in (images, without(images, maps > 0.5)))
    expected = [1 - float(after[i, i] / full[i, i]) for i in range(3)]
    assert check.drop.tolist() == pytest.approx(
        [*expected, 0.0], abs=1e-5
    )  # the last attribute was not active
    assert check.area == 16 / 256
    again = deletion_check(model, images, torch.tensor([0, 1, 2, 0]), maps, area=16 / 256)
    assert torch.equal(check.random, again.random)
