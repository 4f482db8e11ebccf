"""The key of a study, the answers of people, and what they come to. Knows nothing of attributes but their numbers."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from interp_by_design.files import reading
from interp_by_design.terms import UserError

FORMAT = 1
KEY = "key.json"
ANSWERS = ("agree", "unsure", "disagree")
# Shares in the paper: 20 people, QuickDraw, 10 attributes (FLINT, subjective evaluation).
PAPER = {True: (0.775, 0.100, 0.125), False: (0.088, 0.075, 0.837)}
LARGEST = 1_000_000  # bytes of a file of answers: a few kB, if it is one


@final
@dataclass(frozen=True)
class Item:
    """A sheet of a study: its number on the page, the attribute, the description shown, whether that is right, and its own."""

    item: int
    attribute: int
    description: str
    right: bool
    own: str


@final
@dataclass(frozen=True)
class Key:
    """What the page does not tell."""

    study: str
    items: tuple[Item, ...]

    def text(self) -> str:
        """The file."""
        content = {
            "format": FORMAT,
            "study": self.study,
            "items": [asdict(item) for item in self.items],
        }
        return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


@final
@dataclass(frozen=True)
class Answers:
    """What one person answered, by the number of the sheet; those without an answer are absent."""

    respondent: str
    by_item: dict[int, str]


@final
@dataclass(frozen=True)
class StudyScores:
    """How often each answer was given, over all people: `counts[right][answer]`, and by item."""

    key: Key
    respondents: int
    counts: dict[bool, Counter[str]]
    by_item: dict[int, Counter[str]]

    def share(self, right: bool, answer: str) -> float | None:
        """The share of an answer among those to right, or to wrong, descriptions; None where there is none."""
        total = self.counts[right].total()
        return self.counts[right][answer] / total if total else None

    @property
    def unanswered(self) -> int:
        """How many answers are missing, over all people."""
        return self.respondents * len(self.key.items) - sum(
            counts.total() for counts in self.counts.values()
        )


def read_key(folder: Path) -> Key:
    """The key of the study in `folder`. Raises `UserError` where there is none, or it is damaged."""
    if not (folder / KEY).is_file():
        raise UserError(
            f"There is no study in {folder}: it lacks {KEY}. `interp study RUN` makes one."
        )
    with reading(folder / KEY):
        content = json.loads((folder / KEY).read_text(encoding="utf-8"))
        if content["format"] != FORMAT:
            raise UserError(f"it is of format {content['format']}, and this version reads {FORMAT}")
        return Key(str(content["study"]), tuple(Item(**item) for item in content["items"]))


def read_answers(file: Path, key: Key) -> Answers:
    """What one person answered. Raises `UserError` for a file that is damaged, or that answers another study."""
    with reading(
        file, "is no file of answers, as the page of a study downloads them, or it is damaged."
    ):
        if file.stat().st_size > LARGEST:
            raise UserError("it is too large")
        content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        found, given, respondent = content["study"], content["answers"], content["respondent"]
        if (
            content["format"] != FORMAT
            or not isinstance(found, str)
            or not isinstance(respondent, str)
        ):
            raise UserError("it is of another form")
        by_item = {int(number): str(answer) for number, answer in given.items()}
    if found != key.study:
        raise UserError(
            f"{file} answers another study ({found[:16]!r}, and this one is {key.study!r}). Leave it out."
        )
    numbers = {item.item for item in key.items}
    if not set(by_item) <= numbers or not set(by_item.values()) <= set(ANSWERS):
        raise UserError(
            f"{file} is damaged: it answers what was not asked. Have it downloaded again, or leave it out."
        )
    return Answers(respondent, by_item)


def score(key: Key, answers: Sequence[Answers]) -> StudyScores:
    """All people's answers together. Raises `UserError` where one person's are there twice, or there is none."""
    people = Counter(one.respondent for one in answers)
    if twice := [person for person, n in people.items() if n > 1]:
        raise UserError(
            f"The answers of one person ({twice[0][:16]!r}) were given {people[twice[0]]} times. Give each file once."
        )
    by_item = {
        item.item: Counter(one.by_item[item.item] for one in answers if item.item in one.by_item)
        for item in key.items
    }
    counts = {
        right: sum(
            (by_item[item.item] for item in key.items if item.right == right), Counter[str]()
        )
        for right in (True, False)
    }
    if not any(counts.values()):
        raise UserError("These files hold no answer at all.")
    return StudyScores(key, len(answers), counts, by_item)


def show(scores: StudyScores, console: Console | None = None) -> None:
    """Prints the pooled answers, with the paper's shares beside them, and those to each sheet."""
    console = console or Console(highlight=False)
    if not console.is_terminal:
        console.width = 140
    console.print(_pooled(scores))
    console.print(
        f"\n{scores.respondents} people; {scores.unanswered} sheets were left without an answer.",
        highlight=False,
    )
    console.print("The paper: 20 people, 10 attributes of QuickDraw.\n")
    console.print(_items(scores))


def _pooled(scores: StudyScores) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("descriptions")
    for answer in ANSWERS:
        table.add_column(answer, justify="right")
        table.add_column("paper", justify="right", style="dim")
    for right, name in ((True, "right"), (False, "wrong")):
        cells = []
        for answer, theirs in zip(ANSWERS, PAPER[right], strict=True):
            share = scores.share(right, answer)
            ours = "-" if share is None else f"{scores.counts[right][answer]} ({share:.1%})"
            cells += [ours, f"{theirs:.1%}"]
        table.add_row(name, *cells)
    return table


def _items(scores: StudyScores) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for heading in ("sheet", "attribute", "", "description", *ANSWERS):
        table.add_column(heading, justify="right" if heading in (*ANSWERS, "sheet") else "left")
    for item in scores.key.items:
        counts = scores.by_item[item.item]
        words = Text(
            item.description if item.right else f"{item.description} (its own: {item.own})"
        )
        cells = (str(counts[answer]) for answer in ANSWERS)
        table.add_row(
            str(item.item), f"φ{item.attribute}", "right" if item.right else "wrong", words, *cells
        )
    return table
