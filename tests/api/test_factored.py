"""Grouped attributes fitted to a predictor whose answer is made of two known factors."""

import pytest
import torch
from torch import Tensor, nn

from interp_by_design.api.factored_control import FactoredOptions, factored, random_groups, softened
from interp_by_design.attributes import GroupedDictionary
from interp_by_design.data.split import TensorSplit
from interp_by_design.interpreter import DenseDecoder, LinearHead, LinearInterpreter
from interp_by_design.metrics.factor_matching import match_factors
from interp_by_design.model import InterpretableModel
from interp_by_design.predictor import Predictor
from interp_by_design.terms import DataFacts, Factors, Normalisation, UserError

FACTS = DataFacts((1, 4, 4), tuple("abcdef"), Normalisation())
N = 600


class Sum(nn.Module):
    """Logits a_t + b_o, read from three pixels for t and two for o."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Linear(16, 5, bias=False)
        self.out = nn.Linear(5, 6, bias=False)
        self.features.weight.data = torch.eye(16)[:5]
        rows = [torch.cat([torch.eye(3)[t], torch.eye(2)[o]]) for t in range(3) for o in range(2)]
        self.out.weight.data = 8 * torch.stack(rows)

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.out(self.features(images.flatten(1)))
        return logits


def planted() -> tuple[InterpretableModel, TensorSplit, Factors]:
    texture, outline = torch.arange(N) % 3, torch.arange(N) // 3 % 2
    pixels = 30 * torch.rand(N, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    flat = pixels.view(N, 16)
    flat[torch.arange(N), texture] += 220
    flat[torch.arange(N), 3 + outline] += 220
    factors = Factors(
        ("t", "o"),
        torch.stack([texture, outline], dim=1).double(),
        ("discrete", "binary"),
        (True, True),
        {"t": ("0", "1", "2"), "o": ("0", "1")},
    )
    predictor = Predictor(Sum(), ["features"], FACTS)
    blank = LinearInterpreter(
        GroupedDictionary(predictor.hidden_shapes, [3, 2]),
        LinearHead(5, 6),
        DenseDecoder(5, (1, 4, 4), 4),
    )
    split = TensorSplit(pixels.to(torch.uint8), texture * 2 + outline)
    return (
        InterpretableModel(predictor, blank, FACTS),
        split,
        factors,
    )


def test_each_start_has_its_loss_and_the_predictor_does_not_change() -> None:
    model, split, truth = planted()
    before = {name: value.clone() for name, value in model.predictor.state_dict().items()}
    fitted, losses = factored(model, split, FactoredOptions(starts=2, epochs=2, rows=N))
    images = split.batch(torch.arange(N)).images
    with torch.no_grad():
        assert len(match_factors(fitted(images).attributes, truth).names) == 4
        assert random_groups(model, split, FactoredOptions(rows=N))(images).attributes.shape == (
            N,
            5,
        )
    assert len(set(losses)) == 2
    assert all(
        torch.equal(value, before[name]) for name, value in model.predictor.state_dict().items()
    )


def test_softened_is_zero_for_the_same_answer_and_the_divergence_otherwise() -> None:
    f, g = torch.tensor([[2.0, 0.0, -1.0]]), torch.tensor([[0.5, 0.0, 1.0]])
    assert float(softened(f, f, 4.0)) == pytest.approx(0, abs=1e-5)
    p, q = (f / 2).softmax(1), (g / 2).softmax(1)
    assert float(softened(g, f, 2.0)) == pytest.approx(
        4 * float((p * (p / q).log()).sum()), abs=1e-5
    )


def test_groups_share_a_mass_of_one_and_bad_ones_are_refused() -> None:
    dictionary = GroupedDictionary([torch.Size([7])], [3, 2]).eval()
    phi = dictionary([torch.rand(9, 7)])
    assert torch.allclose(phi[:, :3].sum(dim=1), torch.ones(9))
    assert torch.allclose(phi[:, 3:].sum(dim=1), torch.ones(9))
    for groups in ([], [3, 1]):
        with pytest.raises(UserError, match="groups"):
            GroupedDictionary([torch.Size([7])], groups)
    with pytest.raises(UserError, match="temperature"):
        FactoredOptions(temperature=0.0)
