"""The key of a study, answers of respondents, and their scores."""

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

from interp_by_design.files import reporting_damage
from interp_by_design.terms import UserError

FORMAT = 1
KEY = "key.json"
ANSWERS = ("agree", "unsure", "disagree")
# Shares in the paper: 20 people, QuickDraw, 10 attributes (FLINT, subjective evaluation).
PAPER = {True: (0.775, 0.100, 0.125), False: (0.088, 0.075, 0.837)}
MAX_BYTES = 1_000_000  # of a file of answers, which has a few kB


@final
@dataclass(frozen=True)
class Item:
    """A sheet of a study.

    Args:
        item: Number of the sheet on the page.
        attribute: Number of the attribute.
        description: The description on the sheet.
        right: Whether this is the attribute's own description.
        own: The attribute's own description.
    """

    item: int
    attribute: int
    description: str
    right: bool
    own: str


@final
@dataclass(frozen=True)
class Key:
    """The solution of a study, which the page does not contain.

    Args:
        study: Identifier of the study.
        items: Its sheets.
    """

    study: str
    items: tuple[Item, ...]

    def text(self) -> str:
        """Return the content of the key file.

        Returns:
            JSON.
        """
        content = {
            "format": FORMAT,
            "study": self.study,
            "items": [asdict(item) for item in self.items],
        }
        return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


@final
@dataclass(frozen=True)
class Answers:
    """Answers of one respondent.

    Args:
        respondent: Identifier of the respondent.
        by_item: Answer by the number of the sheet; sheets without an answer are absent.
    """

    respondent: str
    by_item: dict[int, str]


@final
@dataclass(frozen=True)
class StudyScores:
    """Counts of answers over all respondents.

    Args:
        key: The key of the study.
        respondents: Number of respondents.
        counts: `counts[right][answer]`, for right and wrong descriptions.
        by_item: Counts by the number of the sheet.
    """

    key: Key
    respondents: int
    counts: dict[bool, Counter[str]]
    by_item: dict[int, Counter[str]]

    def share(self, right: bool, answer: str) -> float | None:
        """Return the share of an answer.

        Args:
            right: Whether to count right descriptions, or wrong ones.
            answer: One of `ANSWERS`.

        Returns:
            A share from 0 to 1; None where no description of this kind has an answer.
        """
        total = self.counts[right].total()
        return self.counts[right][answer] / total if total else None

    @property
    def unanswered(self) -> int:
        """Number of missing answers over all respondents."""
        return self.respondents * len(self.key.items) - sum(
            counts.total() for counts in self.counts.values()
        )


def read_key(folder: Path) -> Key:
    """Read the key of a study.

    Args:
        folder: Folder of the study.

    Returns:
        The key.

    Raises:
        UserError: The folder has no key, or a damaged one.
    """
    if not (folder / KEY).is_file():
        raise UserError(
            f"There is no study in {folder}: it lacks {KEY}. `interp study RUN` makes one."
        )
    with reporting_damage(folder / KEY):
        content = json.loads((folder / KEY).read_text(encoding="utf-8"))
        if content["format"] != FORMAT:
            raise UserError(f"it is of format {content['format']}, and this version reads {FORMAT}")
        return Key(str(content["study"]), tuple(Item(**item) for item in content["items"]))


def read_answers(file: Path, key: Key) -> Answers:
    """Read the answers of one respondent.

    Args:
        file: File that the page of the study downloaded.
        key: The key of the study.

    Returns:
        The answers.

    Raises:
        UserError: The file is damaged, or answers another study.
    """
    with reporting_damage(
        file, "is not a file of answers from the page of a study, or it is damaged."
    ):
        if file.stat().st_size > MAX_BYTES:
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
            f"{file} answers another study ({found[:16]!r}, and this one is {key.study!r}). "
            "Leave it out."
        )
    numbers = {item.item for item in key.items}
    if not set(by_item) <= numbers or not set(by_item.values()) <= set(ANSWERS):
        raise UserError(
            f"{file} is damaged: it has answers to sheets that do not exist. Ask for another "
            "download, or leave it out."
        )
    return Answers(respondent, by_item)


def score(key: Key, answers: Sequence[Answers]) -> StudyScores:
    """Count the answers of all respondents.

    Args:
        key: The key of the study.
        answers: Answers of each respondent.

    Returns:
        The counts.

    Raises:
        UserError: A respondent occurs twice, or there is no answer at all.
    """
    respondents = Counter(one.respondent for one in answers)
    if twice := [person for person, n in respondents.items() if n > 1]:
        raise UserError(
            f"The answers of one respondent ({twice[0][:16]!r}) are given {respondents[twice[0]]} "
            "times. Give each file once."
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
    """Print the pooled answers next to the paper's shares, and the answers to each sheet.

    Args:
        scores: Counts of answers.
        console: Where to print; the standard output where None.
    """
    console = console or Console(highlight=False)
    if not console.is_terminal:
        console.width = 140
    console.print(_pooled(scores))
    console.print(
        f"\n{scores.respondents} respondents; {scores.unanswered} sheets without an answer.",
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
