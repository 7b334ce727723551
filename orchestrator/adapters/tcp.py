"""Plain TCP connects, and what their failure tells."""

from __future__ import annotations

import socket

from orchestrator.adapters.deadline import Deadline
from orchestrator.adapters.trouble import Trouble, Troubled, TroubleKind

SOONEST_S = 0.001
"""A timeout of zero would mean not to wait at all, which no handshake survives."""


def dial(address: str, port: int, deadline: Deadline) -> socket.socket:
    """Connect and send small packets at once (with Nagle each exchange costs 40 ms).

    Raises:
        Troubled: ``REFUSED`` if the machine answered that nothing listens, else ``UNREACHABLE``.
    """
    where = f"{address}:{port}"
    try:
        connected = socket.create_connection(
            (address, port), timeout=max(SOONEST_S, deadline.left_s)
        )
    except ConnectionRefusedError as error:
        detail = f"nothing listens on {where}"
        raise Troubled(Trouble(kind=TroubleKind.REFUSED, detail=detail)) from error
    except TimeoutError as error:
        detail = f"nobody answered at {where} within {deadline}"
        raise Troubled(Trouble(kind=TroubleKind.UNREACHABLE, detail=detail)) from error
    except OSError as error:
        detail = f"{where}: {error.strerror or error}"
        raise Troubled(Trouble(kind=TroubleKind.UNREACHABLE, detail=detail)) from error
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connected
