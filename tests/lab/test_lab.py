"""What every lab promises to those who drill in it."""

from __future__ import annotations

import json
import shutil
import urllib.request
import uuid
from pathlib import Path

import psycopg
import pytest

from orchestrator.lab import lifecycle
from orchestrator.lab.errors import HostUnknown
from tests.support.lab import Lab, wait_until

pytestmark = pytest.mark.lab


def test_every_host_lets_the_controller_in(lab: Lab) -> None:
    for host in lab.blueprint.hosts:
        assert lab.ssh(host.name, "echo in") == "in"


def test_host_with_another_key_than_the_pinned_one_is_refused(lab: Lab, tmp_path: Path) -> None:
    home = _copy_of_keys(lab, tmp_path)
    pins = (home / "ssh" / "known_hosts").read_text(encoding="ascii").splitlines()
    first, second = (pins[i].split() for i in (0, 1))
    swapped = f"{first[0]} {' '.join(second[1:])}\n"
    (home / "ssh" / "known_hosts").write_text(swapped, encoding="ascii")

    refused = lab.try_ssh(lab.blueprint.hosts[0].name, "echo in", home=home)

    assert refused.returncode == 255
    assert refused.stdout == ""
    assert "Host key verification failed" in refused.stderr


def test_login_with_another_key_is_refused(lab: Lab, tmp_path: Path) -> None:
    home = _copy_of_keys(lab, tmp_path)
    key = home / "ssh" / "id_ed25519"
    key.unlink()
    lab.ssh("client-1", f"ssh-keygen -q -t ed25519 -N '' -f {tmp_path.name}-key")
    key.write_text(lab.ssh("client-1", f"cat {tmp_path.name}-key") + "\n", encoding="ascii")
    key.chmod(0o600)
    lab.ssh("client-1", f"rm {tmp_path.name}-key {tmp_path.name}-key.pub")

    refused = lab.try_ssh("db-a1", "echo in", home=home)

    assert refused.returncode == 255
    assert "Permission denied" in refused.stderr


def test_keys_and_passwords_are_for_their_owner_alone(lab: Lab) -> None:
    private = [lab.home / "ssh" / "id_ed25519", *(lab.home / "secrets").iterdir()]

    assert len(private) == 8
    assert {path.stat().st_mode & 0o777 for path in private} == {0o600}


def test_both_standbys_stream_and_one_of_them_confirms_each_write(lab: Lab) -> None:
    primary = _primary(lab)
    with lab.connect(primary, user="recover_reader", database="postgres") as session:
        rows = session.execute(
            "SELECT application_name, state, sync_state FROM pg_stat_replication"
        ).fetchall()
        (slots,) = session.execute(
            "SELECT count(*) FROM pg_replication_slots WHERE active"
        ).fetchone() or (0,)

    standbys = {"db-a1", "db-a2", "db-b1"} - {primary}
    assert set(rows) == {(name, "streaming", "quorum") for name in standbys}
    assert slots == 2


def test_marker_written_through_the_pooler_is_read_on_a_standby(lab: Lab) -> None:
    run = f"test-{uuid.uuid4().hex}"
    standby = next(name for name in ("db-a1", "db-b1") if name != _primary(lab))
    with lab.connect("pool-a1", user="canary", pooled=True) as session:
        session.execute("INSERT INTO recover_marker (run, seq) VALUES (%s, 1)", [run])

    with lab.connect(standby, user="recover_reader") as session:
        found = wait_until(
            lambda: session.execute(
                "SELECT seq FROM recover_marker WHERE run = %s", [run]
            ).fetchall(),
            "the marker on the standby",
        )

    assert found == [(1,)]
    with lab.connect("pool-a1", user="canary", pooled=True) as session:
        session.execute("DELETE FROM recover_marker WHERE run = %s", [run])


def test_reader_cannot_write(lab: Lab) -> None:
    with (
        lab.connect(_primary(lab), user="recover_reader") as session,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        session.execute("INSERT INTO recover_marker (run, seq) VALUES ('reader', 1)")


def test_nobody_gets_into_the_database_without_a_password(lab: Lab) -> None:
    host, port = lab.host("db-a1").management, lab.blueprint.ports.postgresql

    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(
            host=host, port=port, user="recover", password="wrong", dbname="postgres"
        ).close()


def test_pooler_obeys_its_administrator_and_shows_its_reader(lab: Lab) -> None:
    for user in ("recover", "recover_reader"):
        with lab.connect("pool-a1", user=user, database="pgbouncer", pooled=True) as console:
            databases = console.execute("SHOW DATABASES").fetchall()
        assert any(row[0] == "shop" for row in databases)


def test_standby_stopped_by_hand_streams_again_after_the_inventory_s_start(lab: Lab) -> None:
    standby = next(name for name in ("db-b1", "db-a2") if name != _primary(lab))
    full = lab.blueprint.kind == "full"
    data = "/var/lib/postgresql/15/main" if full else "$PGDATA"
    start = "systemctl start postgresql@15-main" if full else "pg_ctl start -w -s -l log"

    lab.ssh(standby, f"kill -INT $(head -1 {data}/postmaster.pid)")
    wait_until(
        lambda: "shut down in recovery" in lab.ssh(standby, _controldata(data)), "a clean stop"
    )
    lab.ssh(standby, start)

    wait_until(lambda: not lifecycle.status(lab.home).problems, "a lab without problems")


def test_shop_of_each_site_answers_over_http(lab: Lab) -> None:
    for name, site in (("app-a1", "a"), ("app-b1", "b")):
        url = f"http://{lab.host(name).management}:{lab.blueprint.ports.shop}/health"
        with urllib.request.urlopen(url, timeout=10) as answer:
            health = json.loads(answer.read())
        assert (health["site"], health["server"]) == (site, name)


def test_status_lists_every_host_as_up(lab: Lab) -> None:
    status = lifecycle.status(lab.home)

    assert (status.kind, status.environment) == (lab.blueprint.kind, lab.blueprint.environment)
    assert [h.name for h in status.hosts] == [h.name for h in lab.blueprint.hosts]
    assert {h.state for h in status.hosts} == {"up"}
    assert status.problems == ()


def test_status_answers_while_clients_are_paused(lab: Lab) -> None:
    with lab.connect("pool-a1", user="recover", database="pgbouncer", pooled=True) as console:
        console.execute("PAUSE shop")
        try:
            seen = lifecycle.status(lab.home)
        finally:
            console.execute("RESUME shop")

    runs = {host.name: host.runs for host in seen.hosts}
    assert runs["pool-a1"] == ("pgbouncer",)
    assert "app-a1: shop does not answer" in seen.problems
    wait_until(lambda: not lifecycle.status(lab.home).problems, "a lab without problems")


def test_second_up_says_what_is_there_and_changes_nothing(lab: Lab) -> None:
    with lab.connect("db-a1", user="recover_reader", database="postgres") as session:
        before = session.execute("SELECT pg_postmaster_start_time()").fetchone()
    pins = (lab.home / "ssh" / "known_hosts").read_bytes()
    said: list[str] = []

    status = lifecycle.up(lab.home, said.append)

    with lab.connect("db-a1", user="recover_reader", database="postgres") as session:
        assert session.execute("SELECT pg_postmaster_start_time()").fetchone() == before
    assert (lab.home / "ssh" / "known_hosts").read_bytes() == pins
    assert said == [f"the {lab.blueprint.kind} lab is up already"]
    assert status.problems == ()


def test_up_from_another_directory_gets_the_keys_of_the_same_lab(lab: Lab, tmp_path: Path) -> None:
    home = tmp_path / "lab"
    assert any("no keys" in problem for problem in lifecycle.status(home).problems)

    status = lifecycle.up(home, print)

    assert status.problems == ()
    assert lab.ssh("db-a1", "echo in", home=home) == "in"


def test_host_that_does_not_exist_is_named_in_the_refusal(lab: Lab) -> None:
    with pytest.raises(HostUnknown, match=r"no host 'db-z9'; its hosts are .*db-a1"):
        lifecycle.shell(lab.home, "db-z9")


def _primary(lab: Lab) -> str:
    for host in lifecycle.status(lab.home).hosts:
        if "postgresql (primary)" in host.runs:
            return host.name
    raise AssertionError("the lab has no primary")


def _controldata(data: str) -> str:
    return f"/usr/lib/postgresql/15/bin/pg_controldata -D {data}"


def _copy_of_keys(lab: Lab, directory: Path) -> Path:
    home = directory / "lab"
    shutil.copytree(lab.home / "ssh", home / "ssh")
    return home
