"""What an author may write in a playbook, and what is said when it is something else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.example_content import (
    INVARIANTS,
    JOURNEY,
    OFFICE,
    PLAYBOOK,
    POLICY,
    PREFLIGHT,
    a_content_root,
    load,
    spoil,
)

WHY = "    why: The old primary must not take another write.\n"
SPOILED: list[tuple[str, str, str, str, str, str]] = [
    ("an unknown key at the top", PLAYBOOK, "title: Move", "titel: Move",
     "2:1", "`titel` is not known, an unknown key would be ignored in silence, "
            "did you mean `title`?"),
    ("a missing key", PLAYBOOK, "title: Move", "titel: Move", "1:1", "`title` is missing"),
    ("an unknown key in a step", PLAYBOOK, "    effect: {promotes", "    efect: {promotes",
     "34:5", "did you mean `effect`?"),
    ("an unknown input of an action", PLAYBOOK, "query: select pg_promote(false)",
     "qeury: select pg_promote(false)", "36:26", "`qeury` is not known in `sql`"),
    ("a missing input of an action", PLAYBOOK, ", query: select pg_promote(false)", "",
     "36:10", "`query` is missing, it tells: What is asked, add `query:`"),
    ("an unknown input of a probe", PLAYBOOK, "matches: shut down", "match: shut down",
     "19:9", "did you mean `matches`?"),
    ("an unknown condition", PLAYBOOK, "at_most: 16MiB", "at_mots: 16MiB",
     "62:27", "`at_mots` is not known in `lag_bytes`"),
    ("an unknown kind of action", PLAYBOOK, "    ansible: {play", "    ansibel: {play",
     "45:5", "did you mean `ansible`?"),
    ("no action", PLAYBOOK,
     '    ssh: {on: "${ledger.primary}", run: [systemctl, stop, postgresql]}\n', "",
     "11:5", "there is no action, exactly one action is wanted here"),
    ("two actions", PLAYBOOK, WHY, f"{WHY}    sql: {{on: a, query: b}}\n",
     "11:5", "there is more than one action"),
    ("an unknown kind of probe", PLAYBOOK, "{http: {url", "{htpp: {url",
     "46:14", "did you mean `http`?"),
    ("two kinds in one probe", PLAYBOOK, "json: {cache.warm: true}}}",
     "json: {cache.warm: true}}, sql: {on: a, query: b}}",
     "46:13", "there is more than one probe"),
    ("no expectation", PLAYBOOK,
     "    expect: {http: {url: http://ledger.example/health, json: {cache.warm: true}}}\n", "",
     "43:5", "`expect` is missing"),
    ("an expectation in words", PLAYBOOK,
     "expect: {http: {url: http://ledger.example/health, json: {cache.warm: true}}}",
     "expect: it is warm",
     "46:13", "`expect` is the text `it is warm`, a list or a mapping is wanted"),
    ("a duration without unit", PLAYBOOK, "time_limit: 30s", "time_limit: 30",
     "39:17", "`time_limit` is the number `30`, a duration with its unit is wanted"),
    ("a duration of another tongue", PLAYBOOK, "time_limit: 30s", "time_limit: 30 sec",
     "39:17", "write it as `200ms`, `30s`, `5m` or `1h30m`"),
    ("a duration in the inputs", PLAYBOOK, "matches: shut down", "settle: 5",
     "19:17", "a duration with its unit is wanted"),
    ("a size of another tongue", PLAYBOOK, "at_most: 16MiB", "at_most: 16mb",
     "62:36", "a number, or a size with its unit, is wanted"),
    ("a number where text is wanted", PLAYBOOK,
     "title: Move the ledger to its other member, planned", "title: 42",
     "2:8", "`title` is the number `42`, text is wanted"),
    ("text where a number is wanted", PLAYBOOK, "lost_writes: 0", "lost_writes: none",
     "3:41", "`lost_writes` is the text `none`, a whole number is wanted"),
    ("a fraction where a whole is wanted", PLAYBOOK, "in_a_row: 10", "in_a_row: 1.5",
     "55:40", "`in_a_row` is the number `1.5`, a whole number is wanted"),
    ("yes for true", PLAYBOOK, "point_of_no_return: true", "point_of_no_return: yes",
     "35:25", "`point_of_no_return` is the text `yes`, true or false is wanted"),
    ("text where a list is wanted", PLAYBOOK, "locks: [ledger]", "locks: ledger",
     "8:8", "`locks` is the text `ledger`, a list is wanted"),
    ("a command as text", PLAYBOOK, "run: [pg_controldata]", "run: pg_controldata -D x",
     "18:14", "`run` is the text `pg_controldata -D x`, a list is wanted"),
    ("an argument that is a number", PLAYBOOK, "run: [pg_controldata]", "run: [sleep, 5]",
     "18:22", "item 2 of `run` is the number `5`, text is wanted"),
    ("an empty input", PLAYBOOK, "expect: {sql_write: {on: \"${ledger.primary}\", "
     "expect: accepted}}", "expect: {sql_write: }",
     "25:27", "`sql_write` is empty, a mapping is wanted"),
    ("a word outside its list", PLAYBOOK, "kind: duration", "kind: duraton",
     "7:21", "it must be one of service, member, duration, number, text, "
             "did you mean `duration`?"),
    ("a word outside its list in the inputs", PLAYBOOK, "- sql_write: {on: \"${ledger.primary}\", "
     "expect: refused}", "- sql_write: {on: \"${ledger.primary}\", expect: refuse}",
     "22:54", "it must be one of refused, accepted"),
    ("a word outside an enumeration of the inputs", PLAYBOOK, "http://ledger.example/health,",
     "http://ledger.example/health, method: HAED,",
     "46:64", "it must be one of GET, HEAD, did you mean `HEAD`?"),
    ("a number as name in the inputs", PLAYBOOK, "http://ledger.example/health,",
     "http://ledger.example/health, host: 7,",
     "46:62", "`host` is the number `7`, text is wanted"),
    ("a name in capitals", PLAYBOOK, "step: promote-heir", "step: PromoteHeir",
     "32:11", "`step` is the text `PromoteHeir`, a name in kebab-case is wanted"),
    ("a name as key in capitals", PLAYBOOK, "{post-an-entry: ", "{PostAnEntry: ",
     "55:14", "a name in kebab-case is wanted"),
    ("a step that is no mapping", PLAYBOOK, "  - gate: ledger-last-look", "  - ledger-last-look",
     "30:5", "item 2 of `steps` is the text `ledger-last-look`"),
    ("what the inputs themselves refuse", PLAYBOOK,
     'sql: {on: "${heir}", query: select pg_promote(false)}', 'sql: {on: led-2, query: " "}',
     "36:10", "asks nothing: give a query"),
    ("a level outside its list", PREFLIGHT, "level: soft", "level: sfot",
     "14:12", "`level` is the text `sfot`, it must be one of hard, soft, did you mean `soft`?"),
    ("two probes for one item", PREFLIGHT, "    fresh_for: 15m\n",
     "    fresh_for: 15m\n    http: {url: x}\n", "4:5", "there is more than one probe"),
    ("a host that is an option", OFFICE, "hosts: [led-2]", 'hosts: ["-oProxyCommand=x"]',
     "6:38", "the name of a host is wanted"),
    ("a kind of environment", OFFICE, "kind: staging", "kind: stage",
     "3:7", "did you mean `staging`?"),
    ("a password in the file", OFFICE, "password: {file: secrets/operator}", "password: hunter2",
     "14:44", "a mapping is wanted"),
    ("a secret of another kind", OFFICE, "known_hosts: {file: ssh/known_hosts}",
     "known_hosts: {vault: x}", "23:17", "`vault` is not known in `known_hosts`"),
    ("a role that is no list", POLICY, "[on-call]", "on-call", "1:8", "a list is wanted"),
    ("an invariant without probe", INVARIANTS, "    sql: {on", "    slq: {on",
     "2:5", "there is no probe"),
    ("patience with a write", JOURNEY, "    keep: {entry: json.id}\n",
     "    keep: {entry: json.id}\n    patience: 3s\n", "6:5", "only a read may have patience"),
    ("an unknown input of a journey", JOURNEY, "      method: POST\n", "      methd: POST\n",
     "8:7", "did you mean `method`?"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("file", "old", "new", "place", "phrase"),
    [pytest.param(*case[1:], id=case[0]) for case in SPOILED],
)
def test_fault_is_told_in_plain_words_with_its_place(
    tmp_path: Path, file: str, old: str, new: str, place: str, phrase: str
) -> None:
    root = a_content_root(tmp_path)
    spoil(root, file, old, new)

    problems = load(root).problems

    found = [str(problem) for problem in problems if phrase in str(problem)]
    assert any(line.startswith(f"{file}:{place}: ") for line in found), problems


WRITTEN_OTHERWISE: list[tuple[str, str, str, str]] = [
    ("a single probe as a list", PLAYBOOK,
     "expect: {http: {url: http://ledger.example/health, json: {cache.warm: true}}}",
     "expect: [{http: {url: http://ledger.example/health, json: {cache.warm: true}}}]"),
    ("a reference for a list", PLAYBOOK, "run: [pg_controldata]", 'run: "${ledger.control}"'),
    ("a reference for a number", PLAYBOOK, "at_most: 16MiB", 'at_most: "${quiet_for}"'),
    ("a reference for a duration", PLAYBOOK, "matches: shut down", 'settle: "${quiet_for}"'),
    ("a duration in the inputs", PLAYBOOK, "matches: shut down", "settle: 1h30m"),
    ("nothing where it means something", PLAYBOOK, "matches: shut down", "exit_code: null"),
    ("several members", PLAYBOOK, "on: \"${heir}\"}\n    expect: {http",
     "on: [\"${heir}\", \"${ledger}\"]}\n    expect: {http"),
    ("a query that waits to be bound", PLAYBOOK, "query: select lag_bytes from lags",
     'query: "${heir}"'),
    ("a size as a default", PLAYBOOK, "{kind: duration, default: 1h}",
     "{kind: number, default: 16MiB}"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [pytest.param(*case[1:], id=case[0]) for case in WRITTEN_OTHERWISE],
)
def test_other_ways_to_write_it_are_fine(tmp_path: Path, file: str, old: str, new: str) -> None:
    root = a_content_root(tmp_path)
    spoil(root, file, old, new)

    assert load(root).problems == ()


def test_inputs_stay_plain_data_with_seconds_and_bytes(tmp_path: Path) -> None:
    root = a_content_root(tmp_path)
    spoil(root, PLAYBOOK, "matches: shut down", "settle: 1m30s")

    playbook = load(root).playbooks["ledger-move"].value  # type: ignore[index]

    fence = playbook.steps[0]
    assert fence.expect[0].inputs["settle"] == 90.0  # type: ignore[union-attr]


def test_every_fault_of_a_file_is_listed(tmp_path: Path) -> None:
    root = a_content_root(tmp_path)
    spoil(root, PLAYBOOK, "title: Move", "titel: Move")
    spoil(root, PLAYBOOK, "time_limit: 30s", "time_limit: 30")
    spoil(root, PLAYBOOK, "locks: [ledger]", "locks: ledger")
    spoil(root, PLAYBOOK, "    ansible: {play", "    ansibel: {play")

    problems = load(root).problems

    assert [problem.position.line for problem in problems] == [1, 2, 8, 39, 43, 45]


def test_words_of_the_machinery_never_reach_the_author(tmp_path: Path) -> None:
    root = a_content_root(tmp_path)
    for _, file, old, new, _, _ in SPOILED:
        text = (root / file).read_text()
        (root / file).write_text(text.replace(old, new))

    told = "\n".join(map(str, load(root).problems)).lower()

    machinery = ("pydantic", "typed-dict", "dict", "input should", "<", "union", "value error")
    assert [word for word in machinery if word in told] == []
    assert told
