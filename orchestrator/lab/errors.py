"""Every error the lab raises on purpose.

LabError                   says what happened, where, and what to do next
├── LabUnsupported         this machine cannot carry a lab of this kind
│   ├── NamespacesForbidden    the full lab is not allowed here; a loopback lab may be
│   └── PackagesMissing        Debian packages have to be installed first
├── LabBusy                somebody else is bringing it up or down, or owns its directory
├── KeysLost               the lab is up, but the keys to it are gone
├── CommandFailed          a program of the operating system said no
├── HostUnknown            no such host in the lab, or the lab is down
├── FaultUnknown           no such fault
├── FaultImpossible        the lab as it is now cannot have that fault, or be healed of it
├── FaultNotSeen           it was broken, or healed, and nothing shows it
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


class KeysLost(LabError):
    """Nobody can get into the lab that is up."""


class CommandFailed(LabError):
    """A program of the operating system exited with an error."""


class HostUnknown(LabError):
    """The lab has no such host, or is down."""


class HostNotReady(LabError):
    """A host or a service of it did not answer in time."""


class FaultUnknown(LabError):
    """The lab knows no such fault."""


class FaultImpossible(LabError):
    """The lab as it is cannot be broken, or healed, in that way."""


class FaultNotSeen(LabError):
    """A fault was made, or healed, and a look at the lab does not show it."""
