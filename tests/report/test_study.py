"""The study: wrong descriptions, the page, and scores of answers."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import torch
from rich.console import Console

from interp_by_design.explain.global_explanation import GlobalExplanation
from interp_by_design.explain.sheets import AttributeSheet
from interp_by_design.report.study.answers import (
    KEY,
    Item,
    Key,
    read_answers,
    read_key,
    score,
    show,
)
from interp_by_design.report.study.pages import Description, descriptions, select_items, write_study
from interp_by_design.terms import AttributeNames, UserError

CLASSES = ("zero", "one", "two", "<b>three</b>")
UNNAMED = AttributeNames()


def explanation(relevance: list[list[float]]) -> GlobalExplanation:
    """Of as many attributes as there are rows, each with its relevance for the classes."""
    table = torch.tensor(relevance).T
    return GlobalExplanation(
        table, torch.ones(len(table), dtype=torch.int64), torch.ones(table.shape[1]), table.abs(), 4
    )


def said(*pairs: tuple[str, set[int]]) -> dict[int, Description]:
    return {j: Description(words, frozenset(classes)) for j, (words, classes) in enumerate(pairs)}


MANY = said(*((f"words {j}", {j % 4}) for j in range(20)))


def sheet(attribute: int, maximized: bool = True) -> AttributeSheet:
    images = torch.full((3, 1, 8, 8), attribute / 20)
    return AttributeSheet(
        attribute=attribute,
        images=images,
        indices=torch.arange(3),
        labels=torch.zeros(3, dtype=torch.int64),
        values=torch.ones(3),
        maximized=images if maximized else None,
        maximized_values=torch.ones(3) if maximized else None,
        heatmaps=torch.zeros(3, 8, 8),
        heatmap_method="none",
        deletion=0.0,
        deletion_random=0.0,
        sweep=torch.zeros(5, 1, 8, 8),
        levels=torch.arange(5.0),
        active_share=0.5,
        class_relevance=torch.zeros(4),
    )


def written(folder: Path, items: Sequence[Item], title: str = "a run") -> str:
    return write_study(folder, title, items, [sheet(item.attribute) for item in items]).read_text()


# ------------------------------------------------------------------------------------ descriptions
def test_an_attribute_is_described_by_its_name_or_else_by_its_classes() -> None:
    found = explanation(
        [[0.9, 0.1, 0.5, 0.0], [0.0, 0.9, 0.0, -0.9], [0.0, 0.0, 0.0, -0.9], [0.3, 0.3, 0.3, 0.9]]
    )
    described = descriptions(found, CLASSES, AttributeNames({1: "a stroke", 2: "nothing"}), tau=5)
    assert described == {
        0: Description("speaks for “zero” and “two”", frozenset({0, 2})),
        1: Description("a stroke", frozenset({1})),
        3: Description(
            "speaks for “<b>three</b>”, “zero”, “one” and “two”", frozenset({0, 1, 2, 3})
        ),
    }


@pytest.mark.parametrize("seed", range(20))
def test_two_in_five_descriptions_are_those_of_other_attributes_that_speak_for_other_classes(
    seed: int,
) -> None:
    items = select_items(MANY, UNNAMED, 10, 0.4, seed)
    assert [item.item for item in items] == list(range(1, 11))
    assert (
        len({item.attribute for item in items}) == len({item.description for item in items}) == 10
    )
    wrong = [item for item in items if not item.right]
    assert len(wrong) == 4
    words = {description.words: description for description in MANY.values()}
    for item in wrong:
        assert not words[item.description].classes & MANY[item.attribute].classes
        assert item.own == MANY[item.attribute].words != item.description
    assert all(
        item.description == MANY[item.attribute].words == item.own for item in items if item.right
    )


def test_the_selection_depends_on_the_seed_and_every_sheet_may_be_wrong() -> None:
    assert select_items(MANY, UNNAMED, 10, 0.4, 3) == select_items(MANY, UNNAMED, 10, 0.4, 3)
    wrong = Counter(
        item.item
        for seed in range(200)
        for item in select_items(MANY, UNNAMED, 10, 0.4, seed)
        if not item.right
    )
    assert min(wrong[number] for number in range(1, 11)) > 40, (
        "80 on average: its place reveals nothing"
    )


def test_attributes_with_names_come_first() -> None:
    names = AttributeNames({j: f"words {j}" for j in (3, 7, 11)})
    assert {3, 7, 11} <= {item.attribute for item in select_items(MANY, names, 5, 0.4, 0)}


def test_a_description_occurs_once() -> None:
    described = said(("Loop", {0}), ("loop", {0}), ("stroke", {1}), ("dot", {2}), ("loop", {3}))
    for seed in range(20):
        items = select_items(described, UNNAMED, 10, 0.4, seed)
        assert len(items) == 3
        assert len({item.description.casefold() for item in items}) == 3


def test_where_all_share_a_class_other_classes_are_wrong_enough() -> None:
    described = said(("a", {0, 1}), ("b", {0, 2}), ("c", {0, 3}), ("d", {0}))
    assert sum(not item.right for item in select_items(described, UNNAMED, 4, 0.5, 0)) == 2


@pytest.mark.parametrize(
    "described",
    [{}, said(("a", {0})), said(("a", {0}), ("b", {1})), said(("a", {0}), ("b", {0}), ("c", {0}))],
)
def test_where_nothing_is_wrong_for_another_there_is_no_study(
    described: dict[int, Description],
) -> None:
    with pytest.raises(UserError, match="have a description of their own, and too few are wrong"):
        select_items(described, UNNAMED, 10, 0.4, 0)


@pytest.mark.parametrize("share", [0, 1, 1.5, -1, float("nan")])
def test_a_share_that_makes_no_study_is_refused(share: float) -> None:
    with pytest.raises(UserError, match="give one between 0 and 1"):
        select_items(MANY, UNNAMED, 10, share, 0)


# -------------------------------------------------------------------------------------------- page
def test_the_page_does_not_reveal_which_are_wrong(tmp_path: Path) -> None:
    items = select_items(MANY, UNNAMED, 10, 0.4, 0)
    page = written(tmp_path, items)
    turned = [
        Item(i.item, i.attribute, i.description, not i.right, "something else") for i in items
    ]
    assert written(tmp_path / "turned", turned) == page, "nothing in it depends on the key"
    assert read_key(tmp_path) == Key(read_key(tmp_path).study, tuple(items))


def test_the_page_needs_nothing_else(tmp_path: Path) -> None:
    page = written(tmp_path, select_items(MANY, UNNAMED, 10, 0.4, 0))
    assert not re.findall(r"""(?:src|href)=["'](?!data:)""", page)
    assert "http:" not in page
    assert "https:" not in page
    assert page.count("data:image/png;base64,") == 60
    assert page.count('type="radio"') == 30


def test_images_without_a_maximized_copy_stand_alone(tmp_path: Path) -> None:
    items = select_items(MANY, UNNAMED, 4, 0.4, 0)
    page = write_study(
        tmp_path, "a run", items, [sheet(item.attribute, maximized=False) for item in items]
    ).read_text()
    assert page.count("data:image/png;base64,") == 12


def test_words_are_no_markup(tmp_path: Path) -> None:
    evil = "</script><script>alert(1)</script>\"'"
    items = select_items(said((evil, {0}), ("b", {1}), ("c", {2})), UNNAMED, 3, 0.4, 0)
    page = written(tmp_path, items, title=evil)
    assert page.count("<script>") == 1
    assert "alert(1)" in page


def test_the_key_of_another_study_is_not_written_over(tmp_path: Path) -> None:
    items = select_items(MANY, UNNAMED, 10, 0.4, 0)
    page = written(tmp_path, items)
    assert written(tmp_path, items) == page, "the same study may be written again"
    with pytest.raises(UserError, match=r"key\.json is the key of another study"):
        written(tmp_path, select_items(MANY, UNNAMED, 10, 0.4, 1))
    assert read_key(tmp_path).items == tuple(items)


# ----------------------------------------------------------------------------------------- answers
@pytest.fixture
def key(tmp_path: Path) -> Key:
    written(tmp_path / "study", select_items(MANY, UNNAMED, 10, 0.4, 0))
    return read_key(tmp_path / "study")


@pytest.fixture
def answered(tmp_path: Path, key: Key) -> Callable[..., Path]:
    """Files of answers as the page downloads them, with answers to right and wrong items."""

    def write(
        name: str, right: str = "agree", wrong: str = "disagree", leave: int = 0, **changes: Any
    ) -> Path:
        answers = {str(item.item): right if item.right else wrong for item in key.items[leave:]}
        content = {
            "format": 1,
            "study": key.study,
            "respondent": name,
            "answers": answers,
        } | changes
        (tmp_path / name).write_text(json.dumps(content))
        return tmp_path / name

    return write


def test_answers_of_several_people_are_pooled(key: Key, answered: Callable[..., Path]) -> None:
    files = [answered("a"), answered("b", right="unsure", wrong="agree"), answered("c", leave=10)]
    scores = score(key, [read_answers(file, key) for file in files])
    assert scores.respondents == 3
    assert scores.counts == {True: Counter(agree=6, unsure=6), False: Counter(disagree=4, agree=4)}
    assert scores.share(True, "agree") == 0.5
    assert scores.share(False, "unsure") == 0
    assert scores.unanswered == 10
    assert all(counts.total() == 2 for counts in scores.by_item.values())


def test_the_shares_of_the_paper_are_shown(key: Key, answered: Callable[..., Path]) -> None:
    out = StringIO()
    show(score(key, [read_answers(answered("a", leave=1), key)]), Console(file=out, width=140))
    text = re.sub(" +", " ", out.getvalue())
    right = sum(item.right for item in key.items[1:])
    assert f"right {right} (100.0%) 77.5% 0 (0.0%) 10.0% 0 (0.0%) 12.5%" in text
    assert f"wrong 0 (0.0%) 8.8% 0 (0.0%) 7.5% {9 - right} (100.0%) 83.7%" in text
    assert "1 sheets without an answer" in text
    first = key.items[0]
    assert f"{first.item} φ{first.attribute}" in text


def test_answers_to_another_study_are_refused(key: Key, answered: Callable[..., Path]) -> None:
    with pytest.raises(UserError, match="a answers another study"):
        read_answers(answered("a", study="0123456789abcdef"), key)


@pytest.mark.parametrize(
    "changes",
    [
        {"format": 2},
        {"answers": None},
        {"answers": {"1": ["agree"]}},
        {"answers": {"one": "agree"}},
        {"answers": {"99": "agree"}},
        {"answers": {"1": "yes"}},
        {"study": None},
        {"respondent": 7},
    ],
)
def test_damaged_answers_are_refused(
    changes: dict[str, Any], key: Key, answered: Callable[..., Path]
) -> None:
    with pytest.raises(UserError, match="damaged"):
        read_answers(answered("a", **changes), key)


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "7", '{"study": 1}', "\x00" * 10, " " * 1_000_001]
)
def test_what_is_no_file_of_answers_is_refused(content: str, key: Key, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(UserError, match=r"a\.json is not a file of answers"):
        read_answers(tmp_path / "a.json", key)
    with pytest.raises(UserError, match=r"gone\.json cannot be read"):
        read_answers(tmp_path / "gone.json", key)


def test_one_persons_answers_count_once(key: Key, answered: Callable[..., Path]) -> None:
    given = read_answers(answered("a"), key)
    with pytest.raises(UserError, match=r"\('a'\) are given 2 times"):
        score(key, [given, given])
    with pytest.raises(UserError, match="hold no answer at all"):
        score(key, [read_answers(answered("b", leave=10), key)])


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{}",
        '{"format": 7, "study": "a", "items": []}',
        '{"format": 1, "study": "a", "items": [{}]}',
    ],
)
def test_a_damaged_key_is_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / KEY).write_text(content)
    with pytest.raises(UserError, match=r"key\.json is damaged"):
        read_key(tmp_path)
    with pytest.raises(UserError, match="There is no study in"):
        read_key(tmp_path / "elsewhere")
