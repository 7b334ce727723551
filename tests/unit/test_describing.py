from __future__ import annotations

import pytest

from orchestrator.domain.playbook import Action
from orchestrator.engine.describing import hosts_of, line_of


@pytest.mark.parametrize(
    ("inputs", "line"),
    [
        pytest.param({"query": "select\n  1"}, "select 1", id="a query over two lines"),
        pytest.param({"query": ["select 1", "select 2"]}, "select 1; select 2", id="two queries"),
        pytest.param({"run": ["rm", "--", "a b"]}, "rm -- 'a b'", id="a command"),
        pytest.param({"play": "ansible/a.yaml"}, "ansible/a.yaml", id="a play"),
        pytest.param({"instructions": "Pull the plug."}, "Pull the plug.", id="a person's work"),
        pytest.param({"url": "http://shop/"}, "GET http://shop/", id="a request"),
        pytest.param({"url": "http://x", "method": "POST"}, "POST http://x", id="a posted one"),
        pytest.param(
            {"on": "a", "port": 22, "expect": ["open", "fast"]},
            "port 22, expect open, fast",
            id="something of which we know nothing",
        ),
    ],
)
def test_call_is_told_in_one_line(inputs: dict[str, object], line: str) -> None:
    assert line_of(Action(kind="any", inputs=inputs)) == line


@pytest.mark.parametrize(
    ("inputs", "line"),
    [
        pytest.param({}, "close its fences in turn, until one holds", id="close"),
        pytest.param({"open": True}, "open its fences", id="open"),
        pytest.param(
            {"only": ["power", "port"]}, "close power, port in turn, until one holds", id="some"
        ),
        pytest.param({"expect": "closed"}, "its fences closed", id="a look"),
    ],
)
def test_fences_are_told_in_words(inputs: dict[str, object], line: str) -> None:
    assert line_of(Action(kind="fence", inputs={"on": "orders-db/db-a1", **inputs})) == line


@pytest.mark.parametrize(
    ("on", "hosts"),
    [
        pytest.param("orders-db/db-a1", ("db-a1",), id="a member"),
        pytest.param("db-a1", ("db-a1",), id="a host"),
        pytest.param(["orders-db/db-a1", "db-b1"], ("db-a1", "db-b1"), id="several"),
        pytest.param(7, (), id="nonsense"),
    ],
)
def test_hosts_of_a_call(on: object, hosts: tuple[str, ...]) -> None:
    assert hosts_of(Action(kind="any", inputs={"on": on})) == hosts


def test_call_without_a_target_goes_nowhere() -> None:
    assert hosts_of(Action(kind="manual", inputs={"instructions": "Wait."})) == ()
