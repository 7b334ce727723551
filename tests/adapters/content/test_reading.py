from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.adapters.content.documents import REFUSED
from orchestrator.adapters.content.reading import MOST_PROBLEMS, parse
from orchestrator.domain.problem import Path, Position

BAD: list[tuple[str, bytes, str, str]] = [
    ("nothing at all", b"", "1:1", "the file is empty"),
    ("only a comment", b"# later\n", "1:1", "the file is empty"),
    ("a key twice", b"a: 1\nb: 2\na: 3\n", "3:1", "`a` stands here a second time"),
    ("a key twice further in", b"x:\n  a: 1\n  a: {b: 1}\n", "3:3", "it stands already in line 2"),
    ("an alias", b"a: 1\nb: *a\n", "2:4", "`*a` is an alias"),
    ("an anchor", b"a: &big [1]\n", "1:4", "`&big` is an anchor"),
    ("an anchor at a key", b"&k a: 1\n", "1:1", "`&k` is an anchor"),
    ("a tag of Python", b"a: !!python/object:os.system ls\n", "1:4", "is a tag"),
    ("a tag of Ansible", b"a: !vault x\n", "1:4", "`!vault` is a tag"),
    ("a tag that only looks harmless", b"a: !!str 1\n", "1:4", "is a tag"),
    ("a second document", b"a: 1\n---\nb: 2\n", "2:1", "a second document begins"),
    ("a byte that is not UTF-8", b"a: 1\nb: \xff\n", "2:4", "byte 0xff is not UTF-8"),
    ("UTF-16", "a: 1\n".encode("utf-16"), "1:1", "is not UTF-8"),
    ("a NUL", b"a: \0\n", "1:4", "U+0000"),
    ("a NUL by its escape", b'a: "x\\0y"\n', "1:4", "U+0000"),
    ("a lone surrogate by its escape", b'a: "\\ud800"\n', "1:7", "this is not YAML"),
    ("text that runs backwards", "a: x\u202ey\n".encode(), "1:5", "U+202E"),
    ("a line end that editors miss", "a: x\u2028y\n".encode(), "1:5", "U+2028"),
    ("a number as key", b"a: 1\n22: ssh\n", "2:1", "the key is not text"),
    ("a truth value as key", b"true: 1\n", "1:1", "the key is not text"),
    ("nothing as key", b"? \n: 1\n", "1:2", "the key is not text"),
    ("a list as key", b"? [a, b]\n: 1\n", "1:3", "the key is not text"),
    ("a leading zero", b"mode: 0644\n", "1:7", "`0644` cannot be read as a number"),
    ("a number without end", b"a: " + b"9" * 5000, "1:4", "at most 32 digits"),
    ("infinity", b"a: .inf\n", "1:4", "cannot be compared"),
    ("not a number", b"a: .nan\n", "1:4", "cannot be compared"),
    ("a number beyond all bounds", b"a: 1e999\n", "1:4", "too large"),
    ("a list left open", b"a: [1,\nb: 2\n", "1:4", "the list is not closed"),
    ("a mapping left open", b"a: {b: 1\n", "1:4", "the mapping is not closed"),
    ("a quote left open", b"a: 'x\n", "1:4", "the quote is not closed"),
    ("two keys in one line", b"a: b: c\n", "1:5", "a key cannot stand here"),
    ("a key indented too far", b"a: 1\n  b: 2\n", "2:4", "a key cannot stand here"),
    (
        "a key indented too little",
        b"a:\n    b: 1\n  c: 2\n",
        "3:3",
        "does not fit into the mapping",
    ),
    ("a key in a list", b"- a\nb: 1\n", "2:1", "does not fit into the list"),
    ("a line without a colon", b"a: 1\nb\n", "2:1", "the line is no `key: value`"),
    ("a tab", b"a:\n\tb: 1\n", "2:1", "there is a tab"),
    ("a template without quotes", b"a: {{ x }}\n", "1:5", "the key is not text"),
    ("a percent sign in front", b"a: %x\n", "1:4", "text cannot begin with `%`"),
    ("an at sign in front", b"a: @x\n", "1:4", "text cannot begin with `@`"),
    ("a list beside its key", b"a: - 1\n", "1:4", "a list cannot begin here"),
    ("brackets without end", b"[" * 200_000, "1:34", "nested more than 32 deep"),
    ("dashes without end", b"- " * 100_000, "1:67", "nested more than 32 deep"),
    ("brackets in a key", b"? " + b"[" * 200_000, "1:3", "the key is not text"),
    ("a repeated key with brackets", b"a: 1\na: " + b"[" * 99_999, "2:1", "a second time"),
    ("values without end", b"a: [" + b"1," * 60_000 + b"]", "1:100001", "more than 50000 values"),
    ("a billion laughs", b"a: &a [x]\nb: &b [*a, *a]\nc: [*b, *b]\n", "1:4", "is an anchor"),
]


@pytest.mark.parametrize(
    ("data", "place", "phrase"),
    [pytest.param(data, place, phrase, id=name) for name, data, place, phrase in BAD],
)
def test_bad_yaml_is_refused_with_its_place(data: bytes, place: str, phrase: str) -> None:
    document = parse(data, "file.yaml")

    first = document.problems[0]
    assert str(first.position) == f"file.yaml:{place}"
    assert phrase in str(first)


GOOD: list[tuple[str, bytes, object]] = [
    ("Norway is text", b"[on, no, y, off, NO, yes]", ["on", "no", "y", "off", "NO", "yes"]),
    ("times of day are text", b"at: 22:22", {"at": "22:22"}),
    ("dates are text", b"on: 2026-01-02", {"on": "2026-01-02"}),
    ("versions are text", b"v: 1.2.3", {"v": "1.2.3"}),
    ("numbers", b"[0, -1, +2, 0x10, 0o17, 1.5, 1e3, .5]", [0, -1, 2, 16, 15, 1.5, 1000.0, 0.5]),
    ("underscores are no digits", b"n: 1_000", {"n": "1_000"}),
    ("truth", b"[true, False, TRUE]", [True, False, True]),
    ("nothing", b"[~, null, ]", [None, None]),
    ("quoted numbers are text", b"['1', \"true\", '']", ["1", "true", ""]),
    ("a mark of the byte order", b"\xef\xbb\xbfa: 1", {"a": 1}),
    ("Chinese", "name: 林 主库".encode(), {"name": "林 主库"}),
    ("lines of Windows", b"a: 1\r\nb: 2\r\n", {"a": 1, "b": 2}),
    ("a block of text", b"a: |\n  x\n  y\n", {"a": "x\ny\n"}),
    ("the merge key is a key", b"<<: 1", {"<<": 1}),
    ("a directive", b"%YAML 1.2\n---\na: 1\n...\n", {"a": 1}),
]


@pytest.mark.parametrize(
    ("data", "value"), [pytest.param(data, value, id=name) for name, data, value in GOOD]
)
def test_yaml_means_what_version_1_2_says(data: bytes, value: object) -> None:
    document = parse(data, "file.yaml")

    assert document.problems == ()
    assert document.value == value


def test_every_problem_is_listed_not_just_the_first() -> None:
    document = parse(b"a: 1\na: 2\nb: *x\nc: !!int 3\n1: 2\n", "file.yaml")

    assert [problem.position.line for problem in document.problems] == [2, 3, 4, 5]


def test_a_flood_of_problems_is_cut_off() -> None:
    document = parse(b"a: 1\n" * 10_000, "file.yaml")

    assert len(document.problems) == MOST_PROBLEMS
    assert document.value is REFUSED


@pytest.mark.parametrize(
    ("path", "place", "key"),
    [
        pytest.param((), "1:1", "1:1", id="the whole"),
        pytest.param(("主库",), "1:5", "1:1", id="behind two wide characters"),
        pytest.param(("list", 1), "2:11", "2:11", id="an item"),
        pytest.param(("list", 1, "b"), "2:15", "2:12", id="inside an item"),
        pytest.param(("list", 7), "2:7", "2:1", id="an item that is not there"),
        pytest.param(("one", 0, "c"), "3:10", "3:7", id="one thing where a list may stand"),
        pytest.param(("one", "<tag>", "c"), "3:10", "3:7", id="a part that is not written"),
        pytest.param(("one", "d"), "3:6", "3:1", id="a missing key"),
    ],
)
def test_places_are_found_by_path(path: Path, place: str, key: str) -> None:
    document = parse("主库: 1\nlist: [1, {b: 2}]\none: {c: 3}\n".encode(), "f")

    assert str(document.at(path)) == f"f:{place}"
    assert str(document.at_key(path)) == f"f:{key}"


def test_place_in_an_unreadable_file_is_its_beginning() -> None:
    assert parse(b"[", "f").at(("a",)) == Position("f", 1, 1)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_document_or_problems(data: bytes) -> None:
    document = parse(data, "f")

    assert (document.value is not REFUSED) or document.problems


@given(st.text(alphabet="ab:-[]{}#&*!|>'\"%@`?,~ \n\t\\01.\u202e\u2028é", max_size=200))
def test_any_text_that_looks_like_yaml_is_a_document_or_problems(text: str) -> None:
    document = parse(text.encode(), "f")

    assert (document.value is not REFUSED) or document.problems
    for problem in document.problems:
        assert 1 <= problem.position.line <= text.count("\n") + 2
