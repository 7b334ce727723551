"""How long each part of an examination may take. Shorter silences would prove nothing."""

from __future__ import annotations

from datetime import timedelta

CLIENT_LIMIT = timedelta(seconds=3)
"""A client that waits longer for a write has given up. Source: PLAYBOOK_PRACTICE.md §1b, 1."""
PLACE_LIMIT = timedelta(seconds=1)
"""A place that does not answer over SSH within that does not look."""
ASIDE_LIMIT = timedelta(milliseconds=800)
"""What may be asked once a look has run out: is the place still there, what does it wait for."""
WHOLE_LIMIT = CLIENT_LIMIT + ASIDE_LIMIT + timedelta(milliseconds=200)
SLOW_AFTER = timedelta(seconds=1)
