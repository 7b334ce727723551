"""Commands over SSH against a real server: what arrives, what is said when it goes wrong."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestrator.adapters.deadline import Deadline
from orchestrator.adapters.output import HEAD_BYTES, TAIL_BYTES
from orchestrator.adapters.ssh_commands import Finished
from orchestrator.adapters.ssh_sessions import SshSessions
from orchestrator.adapters.system import SecretStore
from orchestrator.adapters.trouble import Trouble, Troubled, TroubleKind
from orchestrator.domain.errors import TargetUnavailable
from tests.support.environments import a_host, an_environment
from tests.support.real_sshd import RealSshd, make_key, pin_host_key
from tests.support.waiting import wait_until


@pytest.fixture(scope="module")
def sessions(sshd: RealSshd) -> Iterator[SshSessions]:
    sessions = sessions_for(sshd)
    yield sessions
    sessions.close()


def sessions_for(sshd: RealSshd, state_dir: Path | None = None, port: int = 0) -> SshSessions:
    host = sshd.host("db-a1", **({"ansible_port": port} if port else {}))
    environment = an_environment(hosts=[host], ssh=sshd.ssh)
    return SshSessions(environment, SecretStore(state_dir or sshd.folder))


def soon(seconds: float = 10.0) -> Deadline:
    return Deadline.after(timedelta(seconds=seconds))


def finished(answer: Finished | Trouble) -> Finished:
    assert isinstance(answer, Finished), answer
    return answer


def trouble(answer: Finished | Trouble) -> Trouble:
    assert isinstance(answer, Trouble), answer
    return answer


def test_a_command_gives_exit_code_and_both_streams(sessions: SshSessions) -> None:
    answer = sessions.run("db-a1", ["sh", "-c", "echo out; echo err >&2; exit 3"], deadline=soon())

    assert answer == Finished(exit_code=3, stdout="out\n", stderr="err\n")


ARGUMENTS = st.lists(
    st.text(st.characters(exclude_characters="\0\r\n", exclude_categories=["Cs"])),
    min_size=1,
    max_size=5,
)


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(arguments=ARGUMENTS)
def test_hostile_arguments_arrive_as_they_are(sessions: SshSessions, arguments: list[str]) -> None:
    answer = sessions.run("db-a1", ["printf", r"%s\n", *arguments], deadline=soon())

    assert finished(answer).stdout == "".join(f"{argument}\n" for argument in arguments)


@pytest.mark.parametrize("argument", ["a\0b", "a\nb", "a\rb"], ids=["nul", "newline", "return"])
def test_an_argument_that_could_end_the_command_is_refused(
    sessions: SshSessions, argument: str
) -> None:
    refused = trouble(sessions.run("db-a1", ["echo", argument], deadline=soon()))

    assert (refused.kind, refused.was_sent) == (TroubleKind.ERROR, False)


def test_standard_input_carries_any_text(sessions: SshSessions) -> None:
    text = "line\n" * 50_000 + "$(id) `id` '\" 主库"

    answer = sessions.run("db-a1", ["cat"], stdin=text, deadline=soon())

    assert finished(answer).stdout == text


def test_a_command_that_ignores_its_input_still_tells_its_exit_code(
    sessions: SshSessions,
) -> None:
    answer = sessions.run("db-a1", ["false"], stdin="x" * 5_000_000, deadline=soon())

    assert finished(answer).exit_code == 1


def test_a_flood_of_output_is_cut_to_head_and_tail(sessions: SshSessions) -> None:
    flood = ["sh", "-c", "head -c 20000000 /dev/zero | tr '\\0' x; printf end"]

    answer = finished(sessions.run("db-a1", flood, deadline=soon(30)))

    assert len(answer.stdout) < HEAD_BYTES + TAIL_BYTES + 100
    assert answer.stdout.endswith("end")
    assert "bytes left out" in answer.stdout


def test_a_daemon_that_keeps_the_output_open_does_not_hold_us(sessions: SshSessions) -> None:
    began = time.monotonic()

    answer = sessions.run("db-a1", ["sh", "-c", "echo up; sleep 5 &"], deadline=soon())

    assert finished(answer).stdout == "up\n"
    assert time.monotonic() - began < 2


def test_a_slow_command_is_given_up_at_the_deadline(sshd: RealSshd) -> None:
    sessions = sessions_for(sshd)
    began = time.monotonic()

    late = trouble(sessions.run("db-a1", ["sleep", "30"], deadline=soon(1.0)))

    assert (late.kind, late.was_sent) == (TroubleKind.HUNG, True)
    assert time.monotonic() - began < 2
    sessions.close()


def test_a_killed_command_has_no_exit_code(sessions: SshSessions) -> None:
    answer = sessions.run("db-a1", ["sh", "-c", "kill -9 $$"], deadline=soon())

    assert finished(answer).exit_code != 0


def test_a_connection_that_died_between_two_commands_is_replaced(sshd: RealSshd) -> None:
    sessions = sessions_for(sshd)
    finished(sessions.run("db-a1", ["true"], deadline=soon()))
    sshd.kick_everybody_out()

    answer = sessions.run("db-a1", ["echo", "again"], deadline=soon())

    assert finished(answer).stdout == "again\n"
    sessions.close()


def test_a_connection_lost_under_a_command_leaves_its_effect_open(
    sshd: RealSshd, tmp_path: Path
) -> None:
    sessions = sessions_for(sshd)
    started = tmp_path / "started"

    def kick_when_started() -> None:
        wait_until(started.exists, "the command has started")
        sshd.kick_everybody_out()

    kicker = threading.Thread(target=kick_when_started)
    kicker.start()
    lost = trouble(
        sessions.run("db-a1", ["sh", "-c", f"touch {started}; sleep 20"], deadline=soon())
    )
    kicker.join()

    assert (lost.kind, lost.was_sent) == (TroubleKind.LOST, True)
    sessions.close()


@pytest.mark.parametrize("is_warm", [True, False], ids=["warm", "cold"])
def test_a_hung_server_is_told_from_a_dead_one(sshd: RealSshd, is_warm: bool) -> None:
    sessions = sessions_for(sshd)
    if is_warm:
        sessions.warm(["db-a1"], within=timedelta(seconds=10))
    sshd.freeze()
    try:
        began = time.monotonic()
        hung = trouble(sessions.run("db-a1", ["true"], deadline=soon(1.0)))
    finally:
        sshd.thaw()

    assert hung.kind is TroubleKind.HUNG
    assert not hung.was_sent
    assert time.monotonic() - began < 2.5
    answer = sessions.run("db-a1", ["echo", "awake"], deadline=soon())
    assert finished(answer).stdout == "awake\n"
    sessions.close()


def test_a_closed_port_is_refused(sshd: RealSshd, closed_port: int) -> None:
    sessions = sessions_for(sshd, port=closed_port)

    refused = trouble(sessions.run("db-a1", ["true"], deadline=soon()))

    assert (refused.kind, refused.was_sent) == (TroubleKind.REFUSED, False)


def test_a_swapped_host_key_gets_no_command(sshd: RealSshd, tmp_path: Path) -> None:
    make_key(tmp_path / "host_key")
    pin_host_key(tmp_path, sshd.port)
    (tmp_path / "identity").write_bytes((sshd.folder / "identity").read_bytes())
    (tmp_path / "identity").chmod(0o600)
    log_before = (sshd.folder / "log").read_text()
    touched = tmp_path / "touched"

    refused = trouble(
        sessions_for(sshd, tmp_path).run("db-a1", ["touch", str(touched)], deadline=soon())
    )

    assert refused.kind is TroubleKind.REJECTED
    assert "pinned" in refused.detail
    assert not touched.exists()
    assert "Accepted" not in (sshd.folder / "log").read_text().removeprefix(log_before)


def test_an_unpinned_host_gets_no_command(sshd: RealSshd, tmp_path: Path) -> None:
    (tmp_path / "known_hosts").write_text("")
    (tmp_path / "identity").write_bytes((sshd.folder / "identity").read_bytes())
    (tmp_path / "identity").chmod(0o600)

    refused = trouble(sessions_for(sshd, tmp_path).run("db-a1", ["true"], deadline=soon()))

    assert refused.kind is TroubleKind.REJECTED
    assert "pinned" in refused.detail


def test_a_foreign_identity_is_rejected(sshd: RealSshd, tmp_path: Path) -> None:
    make_key(tmp_path / "identity")
    (tmp_path / "known_hosts").write_bytes((sshd.folder / "known_hosts").read_bytes())

    refused = trouble(sessions_for(sshd, tmp_path).run("db-a1", ["true"], deadline=soon()))

    assert refused.kind is TroubleKind.REJECTED


def test_a_missing_identity_names_the_file(sshd: RealSshd, tmp_path: Path) -> None:
    (tmp_path / "known_hosts").write_bytes((sshd.folder / "known_hosts").read_bytes())

    refused = trouble(sessions_for(sshd, tmp_path).run("db-a1", ["true"], deadline=soon()))

    assert str(tmp_path / "identity") in refused.detail


def test_connection_variables_beyond_the_allowed_ones_are_not_obeyed(
    sshd: RealSshd, tmp_path: Path
) -> None:
    touched = tmp_path / "touched"
    evil = f"-o ProxyCommand='touch {touched}'"
    host = sshd.host("db-a1", ansible_ssh_common_args=evil, ansible_ssh_executable="/bin/false")
    sessions = SshSessions(an_environment(hosts=[host], ssh=sshd.ssh), SecretStore(sshd.folder))

    finished(sessions.run("db-a1", ["true"], deadline=soon()))

    assert not touched.exists()
    sessions.close()


def test_many_threads_share_one_connection(sshd: RealSshd) -> None:
    sessions = sessions_for(sshd)
    answers: list[Finished | Trouble] = []
    threads = [
        threading.Thread(
            target=lambda: answers.append(sessions.run("db-a1", ["true"], deadline=soon()))
        )
        for _ in range(8)
    ]
    log_before = (sshd.folder / "log").read_text()

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [finished(answer).exit_code for answer in answers] == [0] * 8
    log = (sshd.folder / "log").read_text().removeprefix(log_before)
    assert log.count("Accepted publickey") == 1
    sessions.close()


def test_a_host_that_nobody_knows_is_not_tried(sshd: RealSshd) -> None:
    environment = an_environment(hosts=[a_host("db-a1")], ssh=sshd.ssh)
    sessions = SshSessions(environment, SecretStore(sshd.folder))

    with pytest.raises(Exception, match="no host 'db-z9'"):
        sessions.run("orders-db/db-z9", ["true"], deadline=soon())


def test_a_tunnel_tells_a_refusal_from_silence(sshd: RealSshd, closed_port: int) -> None:
    sessions = sessions_for(sshd)
    with (
        pytest.raises(Troubled) as refused,
        sessions.channel_to("db-a1", "127.0.0.1", closed_port, deadline=soon()),
    ):
        pass

    assert refused.value.trouble.kind is TroubleKind.REFUSED
    sessions.close()


def test_a_tunnel_to_nobody_tells_so_and_the_host_that_it_begins_at_stays_warm(
    sshd: RealSshd,
) -> None:
    sessions = sessions_for(sshd)
    finished(sessions.run("db-a1", ["true"], deadline=soon()))
    log_before = (sshd.folder / "log").read_text()

    with (
        a_port_that_drops_connects() as port,
        pytest.raises(Troubled) as silence,
        sessions.channel_to("db-a1", "127.0.0.1", port, deadline=soon(0.3)),
    ):
        pass
    again = sessions.run("db-a1", ["true"], deadline=soon())

    assert silence.value.trouble.kind is TroubleKind.UNREACHABLE
    assert finished(again).exit_code == 0
    assert "Accepted publickey" not in (sshd.folder / "log").read_text().removeprefix(log_before)
    sessions.close()


@contextmanager
def a_port_that_drops_connects() -> Iterator[int]:
    """A listener whose queue is full, so that the kernel answers no further connect."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener, socket.socket() as first:
        first.connect(listener.getsockname())
        yield listener.getsockname()[1]


def test_a_tunnel_through_a_host_that_is_silent_knows_nothing_of_the_far_side(
    sshd: RealSshd, silent_port: int
) -> None:
    environment = an_environment(
        hosts=[a_host("db-silent", ansible_port=silent_port)], ssh=sshd.ssh
    )
    sessions = SshSessions(environment, SecretStore(sshd.folder))

    with (
        pytest.raises(TargetUnavailable, match="db-silent"),
        sessions.channel_to("db-silent", "127.0.0.1", 1, deadline=soon(0.3)),
    ):
        pass


def test_a_tunnel_carries_bytes(sshd: RealSshd) -> None:
    sessions = sessions_for(sshd)
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        sessions.channel_to(
            "db-a1", "127.0.0.1", server.getsockname()[1], deadline=soon()
        ) as channel,
    ):
        there, _ = server.accept()
        there.sendall(b"hello")
        assert channel.recv(5) == b"hello"
        there.close()
    sessions.close()
