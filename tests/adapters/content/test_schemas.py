from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from orchestrator.adapters.content.reading import parse
from orchestrator.adapters.content.schemas import SCHEMAS, make_schemas
from orchestrator.bootstrap.contents import ACTION_INPUTS, PROBE_INPUTS
from orchestrator.interfaces.schemas_cli import write_all
from tests.support import example_content as example
from tests.support import kinds

ROOT = Path(__file__).parents[3]
PUBLISHED = ROOT / "docs/schemas"
OF_THE_EXAMPLE = make_schemas(kinds.ACTION_INPUTS, kinds.PROBE_INPUTS)
OF_THE_PRODUCT = make_schemas(ACTION_INPUTS, PROBE_INPUTS)


def validator(name: str, schemas: Mapping[str, str] = OF_THE_EXAMPLE) -> Draft202012Validator:
    schema = json.loads(schemas[f"{name}.schema.json"])
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def value_of(file: Path) -> dict[str, object]:
    value = parse(file.read_bytes(), file.name).value
    assert isinstance(value, dict)
    return value


def test_published_schemas_are_those_of_the_code(tmp_path: Path) -> None:
    write_all(tmp_path)

    for file in tmp_path.iterdir():
        assert (PUBLISHED / file.name).read_text() == file.read_text(), "run `make schemas`"
    assert {f"{name}.schema.json" for name in SCHEMAS} < {file.name for file in tmp_path.iterdir()}


FILES = {
    "playbook": example.PLAYBOOK,
    "checklist": example.LAST_LOOK,
    "environment": example.OFFICE,
    "people": example.PEOPLE,
    "policy": example.POLICY,
    "invariants": example.INVARIANTS,
    "journey": example.JOURNEY,
}


@pytest.mark.parametrize(("name", "file"), FILES.items())
def test_example_keeps_to_its_schema(name: str, file: str) -> None:
    validator(name).validate(value_of(example.FOLDER / file))


@pytest.mark.parametrize(
    "file",
    [
        pytest.param(file, id=str(file.relative_to(ROOT)))
        for folder in ("playbooks", "checklists", "environments")
        for file in sorted((ROOT / folder).rglob("*.yaml"))
        if file.name != "inventory.yaml"
    ],
)
def test_own_content_names_its_schema_and_keeps_to_it(file: Path) -> None:
    modeline, _, _ = file.read_text().partition("\n")
    schema = modeline.removeprefix("# yaml-language-server: $schema=")

    assert (file.parent / schema).resolve().parent == PUBLISHED
    name = Path(schema).name.removesuffix(".schema.json")
    validator(name, OF_THE_PRODUCT).validate(value_of(file))


@pytest.mark.parametrize("name", FILES)
def test_unknown_key_breaks_every_schema(name: str) -> None:
    value = {**value_of(example.FOLDER / FILES[name]), "unknown": 1}

    assert not validator(name).is_valid(value)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("time_limit: 30s", "time_limit: 30", id="a duration without unit"),
        pytest.param("title: Move", "titel: Move", id="a missing key"),
        pytest.param("run: [pg_controldata]", "run: [5]", id="a number as argument"),
        pytest.param("{http: {url", "{htpp: {url", id="an unknown kind of probe"),
        pytest.param(
            'effect: {promotes: "${heir}"}', "ssh: {on: a, run: [b]}", id="two kinds of action"
        ),
        pytest.param("at_most: 16MiB", "at_most: 16mb", id="a size of another tongue"),
        pytest.param("kind: duration", "kind: duraton", id="a word outside its list"),
    ],
)
def test_schema_refuses_what_the_loader_refuses(tmp_path: Path, old: str, new: str) -> None:
    root = example.a_content_root(tmp_path)
    example.spoil(root, example.PLAYBOOK, old, new)

    assert not validator("playbook").is_valid(value_of(root / example.PLAYBOOK))
    assert example.load(root).problems


def test_every_key_that_has_a_meaning_says_it() -> None:
    schema = json.loads(OF_THE_PRODUCT["playbook.schema.json"])

    step = schema["$defs"]["Step"]["properties"]
    assert step["time_limit"]["description"] == "Of one attempt, looks included."
    assert "title" not in step["time_limit"]
