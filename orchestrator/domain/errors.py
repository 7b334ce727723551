"""Every error this package raises on purpose.

OrchestratorError
├── ContentInvalid         the author's mistake: fix the YAML, every problem is listed
├── RequestRefused         what was asked is not allowed now; nothing has changed
│   ├── RequestMalformed   it names something that there is not, or cannot be read
│   └── ResourceLocked     another run holds a resource that this one needs
├── EvidenceIncomplete     we looked, and cannot know
├── TargetUnavailable      we could not try: network, credentials, missing tool
├── DriverLost             the process that was to drive a run ended at once
├── JournalConflict        somebody else wrote to this run first: read again, decide again
└── JournalBroken          the record can no longer be trusted or written: stop mutating
"""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.domain.problem import Problem


class OrchestratorError(Exception):
    """Base of every error below; catch it only at the outermost edge."""


class ContentInvalid(OrchestratorError):
    """The content cannot be used; ``problems`` lists everything that is wrong with it."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class RequestRefused(OrchestratorError):
    """The request is understood and not allowed now. Nothing on a target has changed."""


class RequestMalformed(RequestRefused):
    """The request was mistyped; the message says what there is."""


class ResourceLocked(RequestRefused):
    """Another run holds the resource; the message names its holder."""


class EvidenceIncomplete(OrchestratorError):
    """The observations at hand cannot support a conclusion."""


class TargetUnavailable(OrchestratorError):
    """The target was not tried, so nothing on it has changed."""


class DriverLost(OrchestratorError):
    """The run stands where it stood; another driver can be started."""


class JournalConflict(OrchestratorError):
    """The run's journal has moved on since it was read; nothing was written."""


class JournalBroken(OrchestratorError):
    """The journal could not be read or written. No further mutation may follow."""
