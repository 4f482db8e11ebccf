import pytest
import torch

from interp_by_design.metrics.reconstruction import reconstruction_scores, squared_error
from tests.metrics.tables import table_of

PHI = [[1.0], [1.0]]
WEIGHTS = [[1.0], [0.0]]


def test_by_hand() -> None:
    scores = reconstruction_scores(
        table_of(PHI, WEIGHTS, error=[0.25, 0.75], class_mean_error=[1.5, 0.5])
    )
    assert scores == {
        "reconstruction_mse": 0.5,
        "within_class_explained": 0.5,
    }  # 1 - .5 / 1; not the mean of 5/6 and -1/2


def test_worse_than_the_class_mean_is_negative() -> None:
    scores = reconstruction_scores(
        table_of(PHI, WEIGHTS, error=[0.5, 1.0], class_mean_error=[0.5, 0.5])
    )
    assert scores["within_class_explained"] == -0.5


def test_absent_where_every_image_is_its_class_mean() -> None:
    for error in ([0.5, 0.5], [0.0, 0.0]):
        scores = reconstruction_scores(
            table_of(PHI, WEIGHTS, error=error, class_mean_error=[0.0, 0.0])
        )
        assert set(scores) == {"reconstruction_mse"}


def test_squared_error_is_a_mean_over_pixels() -> None:
    images = torch.zeros(2, 1, 2, 2)
    drawn = torch.tensor([[0.0, 0.0, 0.0, 1.0], [0.5, 0.5, 0.5, 0.5]]).view(2, 1, 2, 2)
    assert squared_error(drawn, images).tolist() == [pytest.approx(0.25), pytest.approx(0.25)]
