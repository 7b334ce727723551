from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.settings import Settings

NAMES = ("RECOVER_CONTENT", "RECOVER_STATE", "XDG_STATE_HOME")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home"


def test_without_a_word_content_is_here_and_state_is_where_xdg_has_it(
    home: Path, tmp_path: Path
) -> None:
    found = Settings.find(None, None)

    assert found.content == tmp_path
    assert found.state == home / ".local/state/recover"


def test_xdg_moves_the_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "xdg"))

    assert Settings.find(None, None).state == tmp_path / "xdg/recover"


def test_our_own_variables_win_over_xdg_and_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "xdg"))
    monkeypatch.setenv("RECOVER_STATE", str(tmp_path / "ours"))
    monkeypatch.setenv("RECOVER_CONTENT", "below")

    found = Settings.find(None, None)

    assert found.content == tmp_path / "below"
    assert found.state == tmp_path / "ours"


def test_an_option_wins_over_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECOVER_STATE", "ours")
    monkeypatch.setenv("RECOVER_CONTENT", "ours")

    found = Settings.find("given", "told")

    assert (found.content, found.state) == (tmp_path / "given", tmp_path / "told")


def test_an_empty_variable_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.setenv(name, "")

    assert Settings.find(None, None).content == tmp_path
