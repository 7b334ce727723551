"""Secrets, clocks and ids of the machine."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from orchestrator.adapters.system import SecretStore, SystemClock, fresh_run_id
from orchestrator.domain.environment import Secret
from orchestrator.domain.errors import TargetUnavailable


def a_secret(folder: Path, text: str, mode: int = 0o600) -> Path:
    file = folder / "secret"
    file.write_text(text)
    file.chmod(mode)
    return file


def test_a_secret_is_read_below_the_state_directory(tmp_path: Path) -> None:
    a_secret(tmp_path, "of-a-test \n")

    assert SecretStore(tmp_path).read(Secret(file="secret")) == "of-a-test "


def test_an_absolute_path_stands_for_itself(tmp_path: Path) -> None:
    file = a_secret(tmp_path, "of-a-test")

    assert SecretStore(Path("elsewhere")).read(Secret(file=str(file))) == "of-a-test"


def test_a_missing_secret_is_named(tmp_path: Path) -> None:
    with pytest.raises(TargetUnavailable, match=f"{tmp_path}/secret"):
        SecretStore(tmp_path).read(Secret(file="secret"))


def test_a_secret_that_everybody_can_read_is_not_used(tmp_path: Path) -> None:
    a_secret(tmp_path, "of-a-test", mode=0o644)

    with pytest.raises(TargetUnavailable, match="chmod 600"):
        SecretStore(tmp_path).read(Secret(file="secret"))


def test_a_pause_lets_time_pass() -> None:
    clock = SystemClock()
    before = clock.monotonic()

    clock.pause(timedelta(milliseconds=20))

    assert clock.monotonic() - before >= 0.02


def test_a_pause_of_less_than_nothing_is_none() -> None:
    SystemClock().pause(timedelta(seconds=-5))


def test_the_wall_clock_is_aware() -> None:
    assert SystemClock().now().tzinfo is UTC


def test_run_ids_sort_by_time_and_differ() -> None:
    earlier = fresh_run_id(datetime(2026, 3, 1, 3, 10, tzinfo=UTC))
    later = fresh_run_id(datetime(2026, 3, 1, 3, 11, tzinfo=UTC))

    assert earlier < later
    assert re.fullmatch(r"20260301-031000-[0-9a-f]{4}", earlier)
    assert earlier != fresh_run_id(datetime(2026, 3, 1, 3, 10, tzinfo=UTC))
