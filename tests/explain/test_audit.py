"""The audit on networks whose shortcut, or want of one, is built in by hand."""

import pytest
import torch
from torch import Tensor, nn

from interp_by_design.attributes import AttributeDictionary
from interp_by_design.explain.shortcut_audit import audit
from interp_by_design.interpreter import DenseDecoder, LinearHead, LinearInterpreter
from interp_by_design.model import InterpretableModel
from interp_by_design.predictor import Predictor
from interp_by_design.terms import DataFacts, Normalisation, UserError

SIDE = 16
N = 120
FACTS = DataFacts((1, SIDE, SIDE), ("dark", "bright", "marked"), Normalisation())


class Seeing(nn.Module):
    """Two features: the mean light, and how white a corner is; the classes are read off them."""

    def __init__(self, corner: float) -> None:
        super().__init__()
        self.corner = corner
        self.features = nn.Linear(SIDE * SIDE, 2, bias=False)
        self.out = nn.Linear(2, 3)
        mask = torch.zeros(SIDE, SIDE)
        mask[12:14, 3:5] = 0.25
        self.features.weight.data = torch.stack(
            [torch.full((SIDE * SIDE,), 1 / SIDE**2), mask.flatten()]
        )
        self.out.weight.data = torch.tensor([[-20.0, 0.0], [20.0, 0.0], [0.0, corner]])
        self.out.bias.data = torch.tensor([8.0, -8.0, -0.5 * corner])

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.out(self.features(images.flatten(1)))
        return logits


class Planted(AttributeDictionary):
    """Dark, bright, and the mark, as the network's features have them."""

    n_attributes = 3

    def forward(self, hidden: list[Tensor]) -> Tensor:
        light, mark = hidden[0][:, 0], hidden[0][:, 1]
        return torch.stack([(0.4 - light).relu(), (light - 0.4).relu(), (mark - 0.5).relu()], dim=1)


def model(corner: float) -> InterpretableModel:
    predictor = Predictor(Seeing(corner), ["features"], FACTS)
    head = LinearHead(3, 3)
    head.linear.weight.data = torch.diag(torch.tensor([20.0, 20.0, 60.0]))
    return InterpretableModel(
        predictor, LinearInterpreter(Planted(), head, DenseDecoder(3, FACTS.image_shape, 4)), FACTS
    ).eval()


def images(marked: bool) -> Tensor:
    draws = torch.Generator().manual_seed(0)
    made = (0.05 + 0.6 * (torch.arange(N) % 2))[:, None, None, None] + 0.1 * torch.rand(
        N, 1, SIDE, SIDE, generator=draws
    )
    if marked:
        made[::3, :, 12:14, 3:5] = 1.0
    else:
        made[:, :, 12:14, 3:5] = 0.0
    return made


def test_a_shortcut_is_named_with_its_class_attribute_and_place() -> None:
    found = audit(model(corner=80.0), images(marked=True))
    assert [(one.class_, one.attribute) for one in found.shortcuts] == [(2, 2)]
    one = found.shortcuts[0]
    assert (one.top, one.left, one.side) == (12, 3, 2)
    assert one.moved >= 0.9
    assert one.held >= 0.4
    assert len(found.suspects) > 1  # the others were tested, and are none


def test_a_clean_model_has_none() -> None:
    found = audit(model(corner=80.0), images(marked=False))
    assert found.suspects
    assert found.shortcuts == ()
    assert not found.mending().values


def test_zeroing_what_is_named_mends_g() -> None:
    pair, seen = model(corner=80.0), images(marked=True)
    edit = audit(pair, seen).mending()
    with torch.no_grad():
        phi = pair(seen).attributes
    before = (phi @ pair.interpreter.head.weights.T).argmax(dim=1)
    after = (edit.attributes(phi) @ pair.interpreter.head.weights.T).argmax(dim=1)
    assert (before[::3] == 2).all()
    assert torch.equal(after, torch.arange(N) % 2)


def test_model_is_unchanged() -> None:
    pair = model(corner=80.0).train()
    audit(pair, images(marked=True))
    assert pair.training
    assert all(parameter.grad is None for parameter in pair.parameters())


def test_no_image_is_refused() -> None:
    with pytest.raises(UserError, match="no image"):
        audit(model(80.0), torch.zeros(0, 1, SIDE, SIDE))
