from __future__ import annotations

import click

from orchestrator.interfaces.playbook_words import playbook_as_text
from tests.support.families import a_failover, a_reprotection, known


def test_an_included_playbook_is_shown_in_its_place() -> None:
    both = known(a_failover(), a_reprotection())

    told = click.unstyle(playbook_as_text(a_failover(), both)).splitlines()

    at = told.index("  database-reprotect: Bring a member back")
    assert told[at + 1 : at + 3] == [
        "  gate database-reprotect/is-it-down",
        "   3. database-reprotect/rewind",
    ]
    assert told[-5:] == [
        "  suite tests/test_failover.py",
        "  probe streams",
        "  journey place-an-order, 3 times in a row",
        "  suite database-reprotect/tests/test_member.py",
        "  probe database-reprotect/streams",
    ]
