"""Whatever stands in the files, loading ends with values or problems, never with an exception."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestrator.adapters.content.documents import Document
from orchestrator.adapters.content.file_forms import FileForms
from orchestrator.adapters.content.inventory import read_inventory
from orchestrator.adapters.content.reading import parse
from orchestrator.adapters.content.schemas import SCHEMAS
from orchestrator.domain.problem import Problem
from tests.support import example_content as example
from tests.support.kinds import ACTION_INPUTS, PROBE_INPUTS

FORMS = FileForms(ACTION_INPUTS, PROBE_INPUTS)
FILES = sorted(p for p in example.FOLDER.rglob("*.yaml"))
NAMES = [str(file.relative_to(example.FOLDER)) for file in FILES]
WORDS = sorted({word for file in FILES for word in file.read_text().split() if word.isascii()})

PATIENT = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.sampled_from(["", "${target}", "${kept.x}", "16MiB", "30s", "a-name", "../x", "{{ x }}"]),
    st.text(alphabet="aB1-_ ${}é林\0", max_size=8),
)
keys = st.sampled_from(
    [
        "step",
        "gate",
        "steps",
        "sql",
        "ssh",
        "expect",
        "undo",
        "on",
        "query",
        "row",
        "items",
        "all",
        "hosts",
        "children",
        "vars",
        "people",
        "sites",
        "services",
        "playbook",
        "actions",
        "invariants",
        "x",
    ]
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=20,
)


@PATIENT
@given(value=st.dictionaries(keys, values), name=st.sampled_from(sorted(SCHEMAS)))
def test_any_plain_value_is_taken_or_refused_with_reasons(
    value: dict[str, object], name: str
) -> None:
    document = Document(file="f", value=value)

    taken, problems = FORMS.of(SCHEMAS[name]).read(document)

    assert (taken is None) == bool(problems)
    assert all(isinstance(problem, Problem) for problem in problems)


@PATIENT
@given(value=values)
def test_any_plain_value_is_an_inventory_or_refused_with_reasons(value: object) -> None:
    inventory = read_inventory(Document(file="f", value=value))

    assert inventory.hosts is not None


@PATIENT
@given(
    name=st.sampled_from(NAMES),
    cut=st.floats(0, 1),
    length=st.integers(0, 40),
    patch=st.one_of(
        st.text(max_size=12),
        st.lists(st.sampled_from(WORDS), max_size=4).map(" ".join),
        st.sampled_from(["\n", "\n  ", "[", "{", "- ", ": ", "&a ", "*a", "!x ", "'", '"', "\t"]),
    ),
)
def test_example_with_any_change_loads_or_is_refused_with_places(
    tmp_path: Path, name: str, cut: float, length: int, patch: str
) -> None:
    root = tmp_path / "content"
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(example.FOLDER, root)
    text = (root / name).read_text()
    start = int(cut * len(text))
    (root / name).write_bytes(
        (text[:start] + patch + text[start + length :]).encode("utf-8", "surrogatepass")
    )

    problems = example.load(root).problems

    for problem in problems:
        lines = (root / problem.position.file).read_bytes().count(b"\n") + 2
        assert 1 <= problem.position.line <= lines
        assert all(part for part in (problem.what, problem.why, problem.remedy))


@pytest.mark.parametrize("name", NAMES)
def test_what_is_read_is_written_somewhere(name: str) -> None:
    document = parse((example.FOLDER / name).read_bytes(), name)

    lines = (example.FOLDER / name).read_text().splitlines()
    for path, (line, column) in document.keys.items():
        assert lines[line - 1][column - 1 :].lstrip("'\"").startswith(str(path[-1]))
