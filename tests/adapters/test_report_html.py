from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser

import pytest

from orchestrator.adapters.reports.html_page import render_html
from orchestrator.adapters.reports.words import visible
from orchestrator.engine.reporting import report_of
from tests.support.builders import a_plan, a_plan_with_a_child, a_step
from tests.support.stories import HOSTILE
from tests.support.switchovers import STORIES, held, hostile, long_winded, verified

_VOID = {"meta", "rect", "line", "br"}


class Page(HTMLParser):
    """Every tag, attribute and text of a page; fails on tags that do not close."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in _VOID or tag == "rect":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.text += data


def test_steps_of_an_included_playbook_stand_under_its_title() -> None:
    plan = a_plan_with_a_child(a_step("afterwards"))

    rows = render_html(report_of(plan, (), measurement=None, samples=())).split("<tr")

    headings = [(at, row) for at, row in enumerate(rows) if row.startswith(' class="part"')]
    assert [Page(f"<tr{row}").text.strip() for _, row in headings] == [
        "Bring the old primary back",
        "Move the primary role to a standby, planned",
    ]
    assert "database-reprotect/rewind" in rows[headings[0][0] + 1]
    assert "afterwards" in rows[headings[1][0] + 1]


@pytest.mark.parametrize("name", sorted(STORIES))
def test_page_is_one_well_formed_file_without_script_or_network(name: str) -> None:
    text = render_html(STORIES[name]().report())

    page = Page(text)

    assert not {"script", "link", "img", "iframe", "form"} & set(page.tags)
    assert not [a for a in page.attributes if a[0] in {"src", "href", "style", "action"}]
    assert not [a for a in page.attributes if a[0].startswith("on")]
    assert "url(" not in text


def test_policy_of_the_page_allows_its_own_style_only() -> None:
    text = render_html(verified().report())

    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)
    assert style is not None
    digest = b64encode(sha256(style[1].encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'sha256-{digest}'" in text


def test_first_screen_answers_what_management_asks() -> None:
    text = Page(render_html(verified().report())).text

    first = text[: text.index("Timeline")]
    for phrase in (
        "Verified",
        "The primary role of orders-db moved from db-a1 to db-a2",
        "0 – 231 ms",
        "objective 1.0 s",
        "objective met",
        "6 of 6",
        "7 of 7",
        "Nothing: the run is complete.",
        "Every check that the playbook asks for was made.",
    ):
        assert phrase in first


def test_held_run_says_what_to_do_who_does_it_and_what_nobody_knows() -> None:
    text = Page(render_html(held().report())).text

    first = text[: text.index("Timeline")]
    for phrase in (
        "Held, outcome unknown",
        "Log in to pool-a1 by its console",
        "Owner: ada",
        "If you stop here: Clients wait in the pooler.",
        "Redundancy is reduced since",
        "not known",
        "Whether step repoint-pooler took effect",
    ):
        assert phrase in first


def test_hostile_texts_are_shown_and_never_obeyed() -> None:
    text = render_html(hostile().report())

    shown = Page(text).text
    assert "[U+001B][31mred[U+001B][0m [U+202E]evil[U+202C] <script>alert(1)</script>" in shown
    assert not set(text) & set("\x00\x1b\u202e\u202c")
    assert "<script" not in text


def test_long_texts_are_folded_not_lost() -> None:
    text = render_html(hostile().report())

    assert '<details class="long">' in text
    assert visible(HOSTILE * 40) in Page(text).text


def test_chinese_names_stay_as_they_are() -> None:
    text = Page(render_html(long_winded().report())).text

    assert "数据中心切换" in text
    assert "应用-7" in text


def test_number_that_is_not_known_never_looks_like_zero() -> None:
    text = Page(render_html(report_of(a_plan(), ()))).text

    assert text.count("not known") >= 10
    assert "0 of 1" in text


def test_every_step_is_drawn_for_wide_and_for_narrow_screens() -> None:
    text = render_html(long_winded().report())

    for number in range(1, 31):
        assert text.count(f">bring-up-tier-{number}<") >= 3
