"""Prototypes against their formulas in loops, and the joint network."""

import pytest
import torch
from torch import Tensor, nn

from interp_by_design.attributes import PrototypeDictionary, TopKDictionary
from interp_by_design.interpreter import (
    DenseDecoder,
    Interpreter,
    LinearHead,
    PrototypeDecoder,
    PrototypeInterpreter,
)
from interp_by_design.interpreter.prototypes import (
    code_from_distances,
    near_some_code,
    near_some_prototype,
)
from interp_by_design.terms import Batch, ForwardPass, Interpretation, UserError
from interp_by_design.testing import InterpreterConformance


def made(
    shapes: tuple[tuple[int, ...], ...] = ((12,),),
    n_attributes: int = 9,
    n_classes: int = 5,
    **weights: float,
) -> PrototypeInterpreter:
    dictionary = PrototypeDictionary([torch.Size(shape) for shape in shapes], n_attributes)
    decoder = PrototypeDecoder(
        n_attributes, (1, 28, 28), latent=dictionary.prototypes.shape[1], width=8
    )
    return PrototypeInterpreter(dictionary, LinearHead(n_attributes, n_classes), decoder, **weights)


class TestPrototypes(InterpreterConformance):
    shapes = ((12,),)

    def interpreter(self) -> Interpreter:
        return made(self.shapes, self.n_attributes, self.n_classes)


def distances(codes: Tensor, prototypes: Tensor) -> list[list[float]]:
    """||z_i - p_k||², number by number."""
    return [
        [sum((a - b) ** 2 for a, b in zip(z.tolist(), p.tolist(), strict=True)) for p in prototypes]
        for z in codes
    ]


def test_attributes_are_squared_distances() -> None:
    dictionary, codes = made().dictionary, torch.randn(6, 12)
    found = dictionary([codes])
    torch.testing.assert_close(
        found, torch.tensor(distances(codes, dictionary.prototypes.detach())), rtol=1e-5, atol=1e-5
    )


def test_r1_and_r2_are_the_published_means_of_least_distances() -> None:
    codes, prototypes = torch.randn(6, 3), torch.randn(4, 3)
    table = distances(codes, prototypes)
    r1 = sum(min(table[i][k] for i in range(6)) for k in range(4)) / 4
    r2 = sum(min(table[i][k] for k in range(4)) for i in range(6)) / 6
    assert float(near_some_code(torch.tensor(table))) == pytest.approx(r1, rel=1e-5)
    assert float(near_some_prototype(torch.tensor(table))) == pytest.approx(r2, rel=1e-5)


def test_its_own_losses_are_those_of_its_attributes_and_can_be_switched_off() -> None:
    phi = torch.tensor([[1.0, 4.0], [2.0, 0.5]])
    seen = Interpretation(torch.zeros(2, 2), torch.zeros(2, 2), phi, None)
    batch = Batch(torch.zeros(2, 1, 28, 28), torch.tensor([0, 1]), torch.tensor([0, 1]))
    terms = made(n_attributes=2).extra_terms(seen, batch)
    assert {name: float(term) for name, term in terms.items()} == {"r1": 0.75, "r2": 0.75}
    assert dict(made().extra_weights) == {"r1": 0.05, "r2": 0.05}


@pytest.mark.parametrize("wrong", [-1.0, float("nan")])
def test_an_invalid_weight_is_refused(wrong: float) -> None:
    with pytest.raises(UserError, match="The weight r1 must be a finite number >= 0"):
        made(r1=wrong)


def test_distances_give_a_code_in_the_hull_and_the_nearest_one_of_any_other() -> None:
    torch.manual_seed(0)
    prototypes = torch.randn(4, 10, dtype=torch.float64)
    within = (
        torch.tensor([[0.2, 0.3, 0.6, -0.1]], dtype=torch.float64) @ prototypes
    )  # weights that sum to 1
    across = torch.linalg.svd(prototypes - prototypes.mean(dim=0)).Vh[
        -1
    ]  # perpendicular to the hull
    for code in (within, within + 3 * across):
        given = (code[:, None] - prototypes).square().sum(dim=2)
        torch.testing.assert_close(code_from_distances(given, prototypes), within)


def test_a_prototype_is_decoded_alike_from_its_code_and_from_its_distances() -> None:
    interpreter = made().eval()
    prototypes = interpreter.dictionary.prototypes
    torch.testing.assert_close(
        interpreter.decoder(interpreter.dictionary([prototypes])),
        interpreter.prototype_images(),
        rtol=1e-3,
        atol=1e-4,
    )


def test_training_decodes_the_code_and_evaluation_the_distances() -> None:
    interpreter = made(n_attributes=3)
    seen = ForwardPass(torch.zeros(4, 5), (torch.randn(4, 12),))
    phi = interpreter(seen)
    assert torch.equal(
        interpreter.train().reconstruct(seen, phi), interpreter.decoder.image(seen.hidden[0])
    )
    assert torch.equal(interpreter.eval().reconstruct(seen, phi), interpreter.decoder(phi))
    assert not torch.allclose(interpreter.decoder(phi), interpreter.decoder.image(seen.hidden[0]))


def test_the_network_decides_by_prototypes_after_join() -> None:
    interpreter = made()
    network = nn.Sequential()
    network.add_module("code", nn.Linear(7, 12))
    network.add_module("head", nn.Linear(12, 5))
    interpreter.join(network)
    x = torch.randn(4, 7)
    torch.testing.assert_close(
        network(x), interpreter.head(interpreter(ForwardPass(x, (network.code(x),))))
    )
    assert {id(weight) for weight in interpreter.head.parameters()} <= {
        id(weight) for weight in network.parameters()
    }


def test_networks_and_dictionaries_that_do_not_fit_are_refused() -> None:
    with pytest.raises(UserError, match="Linear has no stage called 'head'"):
        made().join(nn.Linear(7, 5))
    with pytest.raises(
        UserError, match="need attributes=prototypes and a PrototypeDecoder, not TopKDictionary"
    ):
        PrototypeInterpreter(
            TopKDictionary([torch.Size((12,))], 9, k=2),
            LinearHead(9, 5),
            PrototypeDecoder(9, (1, 28, 28)),
        )
    with pytest.raises(UserError, match="not PrototypeDictionary and DenseDecoder"):
        PrototypeInterpreter(
            PrototypeDictionary([torch.Size((12,))], 9),
            LinearHead(9, 5),
            DenseDecoder(9, (1, 28, 28)),
        )
    with pytest.raises(UserError, match=r"set interpreter.decoder.latent=12, not 40"):
        PrototypeInterpreter(
            PrototypeDictionary([torch.Size((12,))], 9),
            LinearHead(9, 5),
            PrototypeDecoder(9, (1, 28, 28)),
        )
