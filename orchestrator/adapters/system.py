"""The machine we run on: its clocks, its randomness, the files that hold secrets."""

from __future__ import annotations

import secrets
import stat
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from orchestrator.domain.environment import Secret
from orchestrator.domain.errors import TargetUnavailable
from orchestrator.domain.run import RunId


class SystemClock:
    """The clocks of the operating system."""

    def now(self) -> datetime:
        """Return the wall clock, aware UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds that never jump."""
        return time.monotonic()

    def pause(self, duration: timedelta) -> None:
        """Sleep; a negative duration does not."""
        time.sleep(max(0.0, duration.total_seconds()))


class SecretStore:
    """Secrets as files; a relative path is below the state directory."""

    def __init__(self, state_dir: Path) -> None:
        self.folder = state_dir.absolute()

    def path(self, secret: Secret) -> Path:
        """Return where the secret is, for programs that want a file."""
        return self.folder / secret.file

    def read(self, secret: Secret) -> str:
        """Return the value, without the newline that editors add. Do not keep it.

        Raises:
            TargetUnavailable: If it cannot be read, or everybody on this machine can.
        """
        path = self.path(secret)
        try:
            if path.stat().st_mode & stat.S_IROTH:
                raise TargetUnavailable(f"{path} can be read by everybody: chmod 600 it")
            return path.read_text().rstrip("\r\n")
        except OSError as error:
            reason = error.strerror or str(error)
            raise TargetUnavailable(f"secret {path} cannot be read: {reason}") from error


def fresh_run_id(now: datetime) -> RunId:
    """Return a new id that sorts by time: ``YYYYMMDD-HHMMSS-xxxx``, in UTC."""
    return RunId(f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}")
