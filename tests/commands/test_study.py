"""`interp study` from a run to the score of answers; the page in a real browser too."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from interp_by_design import cli
from interp_by_design.report.study.answers import read_key

Printed = pytest.CaptureFixture[str]
Command = Callable[..., None]
CHROMIUM = Path("/usr/bin/chromium")


@pytest.fixture
def study(finished_run: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    def command(*arguments: object, code: int = 0) -> None:
        monkeypatch.setattr(
            "sys.argv", ["/bin/interp", "study", str(finished_run), *map(str, arguments)]
        )
        monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
        if not code:
            cli.main()
            return
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert ended.value.code == code

    return command


@pytest.fixture
def page(study: Command, finished_run: Path) -> Path:
    study("--attributes", 6, "--no-maximize")
    return finished_run / "study/study.html"


def test_a_study_of_a_run_shows_its_attributes(
    study: Command, finished_run: Path, capsys: Printed
) -> None:
    study("--attributes", 6, "--no-maximize")
    page, printed = finished_run / "study/study.html", capsys.readouterr().out
    items = read_key(page.parent).items
    assert f"6 sheets, 2 with a wrong description: {page}" in printed
    assert len(items) == 6
    assert sum(not item.right for item in items) == 2
    assert all(f"<blockquote>{item.description}</blockquote>" in page.read_text() for item in items)
    assert page.read_text().count("data:image/png;base64,") == 18


def test_names_are_the_descriptions(study: Command, finished_run: Path) -> None:
    (finished_run / "names.yaml").write_text("".join(f'{j}: "name <{j}>"\n' for j in range(12)))
    study("--attributes", 6, "--no-maximize")
    assert {item.own for item in read_key(finished_run / "study").items} <= {
        f"name <{j}>" for j in range(12)
    }
    assert "name &lt;" in (finished_run / "study/study.html").read_text()


def test_the_same_command_makes_the_same_study_and_another_seed_is_refused(
    page: Path, study: Command, capsys: Printed, tmp_path: Path
) -> None:
    before = page.read_text()
    study("--attributes", 6, "--no-maximize")
    assert page.read_text() == before
    study("--attributes", 6, "--no-maximize", "--seed", 1, code=1)
    assert "is the key of another study" in capsys.readouterr().err
    study("--attributes", 6, "--no-maximize", "--seed", 1, "--out", tmp_path / "second")
    assert (tmp_path / "second/key.json").is_file()


def test_answers_are_scored_together(
    page: Path, study: Command, capsys: Printed, tmp_path: Path
) -> None:
    key = read_key(page.parent)
    for name, right, wrong in (("a", "agree", "disagree"), ("b", "disagree", "unsure")):
        answers = {item.item: right if item.right else wrong for item in key.items}
        (tmp_path / name).write_text(
            json.dumps({"format": 1, "study": key.study, "respondent": name, "answers": answers})
        )
    study("--answers", tmp_path / "a", tmp_path / "b", "--json", tmp_path / "scores.json")
    found = json.loads((tmp_path / "scores.json").read_text())
    assert found["respondents"] == 2
    assert found["shares"] == {
        "right": {"agree": 0.5, "unsure": 0.0, "disagree": 0.5},
        "wrong": {"agree": 0.0, "unsure": 0.5, "disagree": 0.5},
    }
    assert "77.5%" in capsys.readouterr().out
    study("--answers", tmp_path / "a", tmp_path / "a", code=1)
    assert "given 2 times" in capsys.readouterr().err


def test_answers_without_a_study_are_reported(
    study: Command, capsys: Printed, tmp_path: Path
) -> None:
    study("--answers", tmp_path / "a", code=1)
    assert "There is no study in" in capsys.readouterr().err


@pytest.mark.skipif(not CHROMIUM.exists(), reason="there is no Chromium")
@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_is_answered_by_keyboard_and_its_answers_are_scored(
    width: int, page: Path, study: Command, tmp_path: Path
) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        shown = browser.new_page(viewport={"width": width, "height": 800})
        complaints: list[str] = []
        shown.on("console", lambda message: complaints.append(message.text))
        shown.on("pageerror", lambda error: complaints.append(str(error)))
        shown.goto(page.as_uri())
        assert shown.evaluate("document.documentElement.scrollWidth") == width
        for _ in range(6):
            shown.keyboard.press("Tab")
            shown.keyboard.press("Space")
            shown.keyboard.press("ArrowRight")
        assert shown.inner_text("#progress") == "6 of 6 answered"
        shown.keyboard.press("Tab")
        with shown.expect_download() as download:
            shown.keyboard.press("Enter")
        download.value.save_as(tmp_path / "answers.json")
        browser.close()
    assert complaints == []
    assert set(json.loads((tmp_path / "answers.json").read_text())["answers"].values()) == {
        "unsure"
    }
    study("--answers", tmp_path / "answers.json", "--json", tmp_path / "scores.json")
    assert json.loads((tmp_path / "scores.json").read_text())["shares"]["wrong"]["unsure"] == 1
