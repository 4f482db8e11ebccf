"""Options of the report callback."""

from __future__ import annotations

from typing import Any

import pytest

from interp_by_design.callbacks import Report
from interp_by_design.terms import UserError


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"split": "tset"}, "Did you mean 'test'"),
        ({"samples": 0}, "samples must be a whole number"),
        ({"starts": 1.5}, "starts must be a whole number"),
        ({"tau": 1.0}, "must be larger than 1"),
    ],
)
def test_invalid_options_are_refused_at_construction(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        Report(**options)
