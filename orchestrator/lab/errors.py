"""Every error the lab raises on purpose.

LabError                   says what happened, where, and what to do next
├── LabUnsupported         this machine cannot carry a lab of this kind
│   ├── NamespacesForbidden    the full lab is not allowed here; a loopback lab may be
│   └── PackagesMissing        Debian packages have to be installed first
├── LabBusy                somebody else is bringing it up or down, or owns its directory
├── CommandFailed          a program of the operating system said no
├── HostUnknown            no such host in the lab, or the lab is down
└── HostNotReady           a host or service did not come up in time
"""

from __future__ import annotations


class LabError(Exception):
    """Base of every error below; its message is a sentence for the user."""


class LabUnsupported(LabError):
    """This machine cannot carry a lab of this kind."""


class NamespacesForbidden(LabUnsupported):
    """The full lab was tried and refused by the kernel; nothing was changed."""


class PackagesMissing(LabUnsupported):
    """Programs that the hosts run are not installed."""


class LabBusy(LabError):
    """The lab belongs to somebody else at this moment."""


class CommandFailed(LabError):
    """A program of the operating system exited with an error."""


class HostUnknown(LabError):
    """The lab has no such host, or is down."""


class HostNotReady(LabError):
    """A host or a service of it did not answer in time."""
