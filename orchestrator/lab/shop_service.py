"""How the small shop is told who it is, and what starts it."""

from __future__ import annotations

import json
from collections.abc import Mapping

from orchestrator.lab.postgresql import SHOP_DATABASE
from orchestrator.lab.runtime import Runtime
from orchestrator.lab.topology import Host


def configuration(
    host: Host, *, listen: str, port: int, pooler: tuple[str, int], passwords: Mapping[str, str]
) -> str:
    """Return the shop's configuration on *host*, as JSON."""
    pooler_host, pooler_port = pooler
    return json.dumps(
        {
            "listen": listen,
            "port": port,
            "site": host.site,
            "server": host.name,
            "database": {
                "host": pooler_host,
                "port": pooler_port,
                "dbname": SHOP_DATABASE,
                "user": "shop",
                "password": passwords["shop"],
            },
            "synthetic_password": passwords["synthetic-user"],
        },
        indent=2,
    )


def unit(runtime: Runtime, *, user: str, configuration: str) -> str:
    """Return the systemd unit that runs the shop from the file *configuration*."""
    variables = " ".join(f"{name}={value}" for name, value in runtime.environment().items())
    return f"""\
[Unit]
Description=Small shop
After=network.target
[Service]
User={user}
Environment={variables}
ExecStart={runtime.interpreter} -P -m orchestrator.lab.shop {configuration}
Restart=on-failure
RestartSec=200ms
[Install]
WantedBy=multi-user.target
"""
