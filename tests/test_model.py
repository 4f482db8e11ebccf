import pytest
import torch

from interp_by_design.terms import UserError
from tests.small import small_model


def test_an_explanation_sums_to_the_decision_of_g() -> None:
    model, image = small_model(), torch.rand(1, 8, 8)
    explanation = model.explain(image)
    seen = model.eval()(image[None])
    assert explanation.interpreter_class == int(seen.interpreter.argmax())
    assert explanation.predictor_class == int(seen.predictor.argmax())
    torch.testing.assert_close(explanation.contributions.sum(), seen.interpreter.max())
    assert set(explanation.relevant(tau=2)) <= set(seen.attributes[0].nonzero()[:, 0].tolist())


def test_explains_arrays_and_doubles_as_well() -> None:
    model, image = small_model(), torch.rand(1, 8, 8, dtype=torch.float64)
    assert (
        model.explain(image.numpy()).contributions.tolist()
        == model.explain(image).contributions.tolist()
    )


def test_explaining_leaves_the_model_in_the_mode_it_was_in() -> None:
    model = small_model().train()
    model.explain(torch.rand(1, 8, 8))
    assert all(part.training for part in model.modules())


def test_reconstruction_only_where_asked_for() -> None:
    model = small_model()
    assert model(torch.rand(2, 1, 8, 8), reconstruct=False).reconstruction is None
    assert model(torch.rand(2, 1, 8, 8)).reconstruction.shape == (2, 1, 8, 8)


@pytest.mark.parametrize(
    ("image", "complaint"),
    [
        (torch.rand(1, 1, 8, 8), "one image of shape"),
        (torch.rand(3, 8, 8), "one image of shape"),
        (torch.full((1, 8, 8), 255.0), r"within \[0, 1\], not from 255"),
        (torch.full((1, 8, 8), torch.nan), r"within \[0, 1\]"),
    ],
)
def test_images_that_are_none_of_its_own_are_refused(image: torch.Tensor, complaint: str) -> None:
    with pytest.raises(UserError, match=complaint):
        small_model().explain(image)


def test_what_is_no_array_is_refused() -> None:
    with pytest.raises(UserError, match="The image is a str; wanted a tensor or array"):
        small_model().explain("photo.png")  # type: ignore[arg-type]
