from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.interfaces.cli import main
from tests.support.command_line import ROOT, Answer

Recover = Callable[..., Answer]


@pytest.fixture(autouse=True)
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Eighty columns, and nobody's settings."""
    monkeypatch.setenv("COLUMNS", "80")
    for name in ("RECOVER_CONTENT", "RECOVER_STATE", "RECOVER_ENVIRONMENT", "RECOVER_AS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def recover(state: Path, capsys: pytest.CaptureFixture[str]) -> Recover:
    """Call the command line in this process, with our content and a state of the test's own."""

    def call(*args: str, content: Path = ROOT) -> Answer:
        with pytest.raises(SystemExit) as left:
            main(["--state", str(state), "--content", str(content), *args])
        told = capsys.readouterr()
        assert isinstance(left.value.code, int)
        return Answer(code=left.value.code, out=told.out, err=told.err)

    return call
