"""``python -m orchestrator``: the command ``recover``."""

from __future__ import annotations

from orchestrator.interfaces.cli import main

if __name__ == "__main__":
    main()
