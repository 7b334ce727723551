from __future__ import annotations

import json

from tests.bench import patroni_settings as settings

PASSWORDS = {account: f"word of {account}" for account in settings.ACCOUNTS}


def test_what_patroni_decides_is_left_to_it() -> None:
    lines = settings.postgresql().splitlines()

    names = {line.split(" = ")[0] for line in lines}
    assert "shared_buffers" in names
    assert not names & {"cluster_name", "synchronous_standby_names", "archive_mode"}


def test_patroni_is_tuned_as_far_as_it_lets_itself_be() -> None:
    ttl, loop_wait, retry = (settings.CLUSTER[k] for k in ("ttl", "loop_wait", "retry_timeout"))

    assert (ttl, loop_wait, retry) == (20, 1, 3)


def test_every_member_speaks_for_itself_and_knows_the_others() -> None:
    for member in settings.MEMBERS:
        document = json.loads(settings.patroni(member, PASSWORDS))

        assert document["name"] == member.name
        assert document["postgresql"]["connect_address"] == f"{member.address}:5433"
        assert len(document["etcd3"]["hosts"]) == len(settings.MEMBERS)


def test_the_entry_asks_every_member_whether_it_is_the_primary() -> None:
    text = settings.haproxy()

    assert all(f"{member.address}:5433 check port 8008" in text for member in settings.MEMBERS)
