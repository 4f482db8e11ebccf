"""The rules that the code base keeps: words, sizes, imports, documented arguments."""

from __future__ import annotations

import pytest

from benchmarks.code_rules import RULES


@pytest.mark.parametrize("rule", RULES)
def test_no_place_breaks_the_rule(rule: str) -> None:
    places = [f"{path}:{line}: {what}" for path, line, what in RULES[rule]()]

    assert not places, "\n".join([f"{len(places)} places break the rule '{rule}':", *places[:50]])
