"""The fault of a full disk: the files of the tables on a small one, with not a block to spare."""

from __future__ import annotations

import shutil

from orchestrator.lab.commands import run
from orchestrator.lab.errors import CommandFailed
from orchestrator.lab.faults.fault import Fault, Where
from orchestrator.lab.faults.ground import Ground
from orchestrator.lab.full_views import small_disk
from orchestrator.lab.postgresql import SHOP_DATABASE
from orchestrator.lab.record import ROOT

_SMALL = "/srv/small"
_SPARE_KB = 16 * 1024
_FULL = "No space left on device"
_INSERT = "insert into recover_marker (run, seq) select 'disk-full', generate_series(1, {})"
_DELETE = "delete from recover_marker where run = 'disk-full'"


def _fill(ground: Ground, host: str) -> None:
    """Move the files of the tables while the server is down, and fill up what is left.

    WAL stays where it is: with no room for that the server would not refuse writes, it would die.
    """
    if not _is_moved(ground, host):
        ground.stop_server(host)
        _move(ground, host)
        ground.start(host, "postgresql")
    ground.sql(host, "vacuum recover_marker", database=SHOP_DATABASE)
    _resize(host, _used_kb(host))
    # What room the pages have left goes last, row by row.
    for rows, times in ((100, 1000), (1, 1000)):
        _write_until_refused(ground, host, [_INSERT.format(rows)] * times)


def _move(ground: Ground, host: str) -> None:
    tables = f"{ground.data_inside(host)}/base"
    size = int(run(["du", "-sk", str(ground.data(host) / "base")]).split()[0])
    _resize(host, 2 * size + _SPARE_KB)
    ground.inside(host, "cp", "-a", tables, f"{_SMALL}/base")
    ground.inside(host, "mount", "--bind", f"{_SMALL}/base", tables)
    # It must be there again after a loss of power: what lies below it is older.
    line = f"{_SMALL}/base {tables} none bind 0 0"
    ground.inside(host, "sh", "-c", 'echo "$1" > /etc/fstab', "sh", line)


def _is_moved(ground: Ground, host: str) -> bool:
    return ground.succeeds_inside(host, "mountpoint", "-q", f"{ground.data_inside(host)}/base")


def _is_full(ground: Ground, host: str) -> bool:
    """Write as users do; more than a page may still hold."""
    refused = _write_until_refused(ground, host, [_INSERT.format(1000)])
    return _FULL in refused


def _empty(ground: Ground, host: str) -> None:
    if (small_disk(host, ROOT) / "base").exists():
        _resize(host, _used_kb(host) + _SPARE_KB)
        _move_back(ground, host)
        _resize(host, 64)
    if not ground.reason_to_stay_down(host):
        ground.start(host, "postgresql")
    ground.sql(
        ground.primary(),
        _DELETE,
        "vacuum recover_marker",
        database=SHOP_DATABASE,
    )


def _move_back(ground: Ground, host: str) -> None:
    if ground.server_processes(host):
        ground.stop_server(host)
    if _is_moved(ground, host):
        ground.inside(host, "umount", f"{ground.data_inside(host)}/base")
    ground.inside(host, "sh", "-c", ": > /etc/fstab")
    place = ground.data(host) / "base"
    kept = small_disk(host, ROOT) / "base"
    run(["cp", "-a", str(kept), f"{place}.kept"])
    shutil.rmtree(place)
    place.with_name("base.kept").rename(place)
    shutil.rmtree(kept)


def _write_until_refused(ground: Ground, host: str, statements: list[str]) -> str:
    """Execute *statements* up to the first that fails; return why, or nothing."""
    try:
        ground.sql(host, "set synchronous_commit = off", *statements, database=SHOP_DATABASE)
    except CommandFailed as refusal:
        return str(refusal)
    return ""


def _used_kb(host: str) -> int:
    disk = shutil.disk_usage(small_disk(host, ROOT))
    return disk.used // 1024


def _resize(host: str, size_kb: int) -> None:
    run(["mount", "-o", f"remount,size={size_kb}k", str(small_disk(host, ROOT))])


FAULTS = (
    Fault(
        name="disk-full",
        what="its tables lie on a small, full disk",
        where=Where.PRIMARY,
        strike=_fill,
        is_there=_is_full,
        heal=_empty,
        full_only="disks of its own",
    ),
)
