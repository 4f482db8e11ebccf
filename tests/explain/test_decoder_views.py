"""Decoder views, against codes written out by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from interp_by_design.explain.decoder_images import decoder_views, strong_value
from interp_by_design.terms import UserError
from tests.metrics.tables import table_of
from tests.small import small_model

PHI = [0.5, 0.0, 2.0, 0.0, 1.0, 0.25]


def test_views_are_the_decodings_of_codes_by_hand() -> None:
    model = small_model().train()

    views = decoder_views(model, torch.tensor(PHI), 2, top=4.0, n=3)

    codes = {"full": PHI, "without": [0.5, 0, 0, 0, 1, 0.25], "alone": [0, 0, 2, 0, 0, 0]}
    codes |= {f"sweep {level}": [0.5, 0, level, 0, 1, 0.25] for level in (0, 2, 4)}
    with torch.no_grad():
        wanted = [
            model.interpreter.decoder(torch.tensor([code], dtype=torch.float32))[0].clamp(0, 1)
            for code in codes.values()
        ]
    for found, image in zip(
        (views.full, views.without, views.alone, *views.sweep), wanted, strict=True
    ):
        assert torch.allclose(found, image, atol=1e-6)
    assert views.levels.tolist() == [0, 2, 4]
    assert torch.equal(views.full, views.sweep[1])
    assert model.training


@pytest.mark.parametrize(("j", "n"), [(6, 5), (-1, 5), (0, 1)])
def test_what_is_refused(j: int, n: int) -> None:
    with pytest.raises(UserError):
        decoder_views(small_model(), torch.tensor(PHI), j, 1.0, n)


def test_strong_is_the_99th_percentile_of_what_is_positive() -> None:
    draws = torch.randn(1001, generator=torch.Generator().manual_seed(0)).clamp(min=0)
    table = table_of(
        torch.stack([draws, torch.zeros(1001), draws * 0 + 3], dim=1).tolist(),
        [[1.0, 1.0, 1.0]] * 2,
    )

    positive = draws[draws > 0].double().numpy()
    assert strong_value(table, 0) == pytest.approx(
        np.percentile(positive, 99, method="nearest"), rel=1e-5
    )
    assert (strong_value(table, 1), strong_value(table, 2)) == (0.0, 3.0)
