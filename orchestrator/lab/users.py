"""Who runs what on this machine."""

from __future__ import annotations

import os
import pwd
from collections.abc import Sequence


def current_user() -> str:
    """Return the name of the user who runs this, or the number of a user without a name."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def is_root() -> bool:
    """Tell whether this user may become any other."""
    return os.geteuid() == 0


def argv_as(user: str, argv: Sequence[str], *, mortal: bool = True) -> list[str]:
    """Return *argv* so that it runs as *user*, and if *mortal* dies with its parent."""
    prefix = ["--pdeathsig=KILL"] if mortal else []
    if user != current_user():
        prefix += [f"--reuid={user}", f"--regid={user}", "--init-groups"]
    return ["setpriv", *prefix, "--", *argv] if prefix else [*argv]
