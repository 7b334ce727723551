"""Bringing the lab up, looking at it, going in, taking it down."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from orchestrator.lab import full, loopback, requirements
from orchestrator.lab.credentials import remove_credentials
from orchestrator.lab.errors import KeysLost, NamespacesForbidden
from orchestrator.lab.faults.force import faults_in_force
from orchestrator.lab.fence_agent import AGENT
from orchestrator.lab.files import File, write_file
from orchestrator.lab.login import ssh_command
from orchestrator.lab.looking import look
from orchestrator.lab.record import (
    Record,
    claim_root,
    exclusive,
    read_record,
    remove_root,
    write_record,
)
from orchestrator.lab.runtime import current_runtime
from orchestrator.lab.status import NO_LAB, LabStatus
from orchestrator.lab.topology import FULL, LOOPBACK, Blueprint
from orchestrator.lab.users import is_root

Say = Callable[[str], None]
_IDENTITY = "identity"
_LABS = {FULL.kind: full, LOOPBACK.kind: loopback}
_BLUEPRINTS = {blueprint.kind: blueprint for blueprint in (FULL, LOOPBACK)}


def up(home: Path, say: Say) -> LabStatus:
    """Bring the lab up, or say what is up already; its keys and passwords go below *home*.

    Raises:
        LabError: If this machine cannot carry it, or something of it did not come up.
    """
    with exclusive():
        record = read_record()
        if record and record.complete and _LABS[record.kind].is_alive():
            _adopt(record, home, say)
            return status(home)
        if record:
            say("clearing away what is left of an earlier lab")
            _remove_everything(home)
        _build(home, say)
    return status(home)


def status(home: Path) -> LabStatus:
    """Look at the lab."""
    record = read_record()
    if record is None:
        return NO_LAB
    faults = tuple(map(str, faults_in_force()))
    seen = replace(look(_BLUEPRINTS[record.kind], home), faults=faults)
    if not record.complete:
        return replace(seen, problems=("`up` has not finished; run it again", *seen.problems))
    return replace(seen, problems=(*_mismatches(record, home), *seen.problems))


def down(home: Path, say: Say) -> None:
    """Take the lab down and remove every trace of it; also one that never came fully up."""
    with exclusive():
        record = read_record()
        _remove_everything(home)
        if record and record.home:
            _forget(Path(record.home))
    say("the lab is down" if record else "there was no lab")


def shell(home: Path, name: str) -> NoReturn:
    """Become a login shell on the host *name*.

    Raises:
        HostUnknown: If the lab is down or has no such host.
    """
    record = read_record()
    blueprint = _BLUEPRINTS[record.kind] if record else None
    argv = ssh_command(blueprint, home, name)
    os.execvp(argv[0], argv)  # noqa: S606 - the argv is ours


def _choose(say: Say) -> Blueprint:
    try:
        requirements.require_namespaces()
    except NamespacesForbidden as refusal:
        requirements.require_packages(loopback=True)
        say(f"{refusal}; building the loopback lab instead")
        return LOOPBACK
    return FULL


def _build(home: Path, say: Say) -> None:
    blueprint = _choose(say)
    claim_root()
    record = Record(
        kind=blueprint.kind,
        home=str(home),
        code=current_runtime().code,
        identity=uuid.uuid4().hex,
        complete=False,
    )
    write_record(record)
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    _LABS[blueprint.kind].build(home, say)
    write_file(home / _IDENTITY, File(record.identity, 0o600))
    # What was written here and before (packages, environments) goes to disk now: the kernel would
    # do it half a minute later, and every commit of the databases would wait for it.
    os.sync()
    write_record(replace(record, complete=True))


def _remove_everything(home: Path) -> None:
    if is_root():
        full.remove()
    loopback.remove()
    remove_root()
    _forget(home)


def _forget(home: Path) -> None:
    remove_credentials(home)
    for name in (_IDENTITY, AGENT):
        (home / name).unlink(missing_ok=True)


def _mismatches(record: Record, home: Path) -> Iterator[str]:
    if not _is_of(record, home):
        yield f"{home} has no keys for this lab: run `recover lab up` to copy them"
    code = current_runtime().code
    if record.code != code:
        yield (
            f"its hosts run the code below {record.code}, not {code}:"
            " run `recover lab down` and `recover lab up`"
        )


def _is_of(record: Record, home: Path) -> bool:
    identity = home / _IDENTITY
    return identity.exists() and identity.read_text(encoding="ascii") == record.identity


def _adopt(record: Record, home: Path, say: Say) -> None:
    """Copy the keys of a lab that was brought up from another directory.

    Raises:
        KeysLost: If they are not there any more.
    """
    if _is_of(record, home):
        say(f"the {record.kind} lab is up already")
        return
    if not _is_of(record, Path(record.home)):
        raise KeysLost(
            f"the {record.kind} lab is up, but its keys in {record.home} are gone:"
            " run `recover lab down`, then `recover lab up`"
        )
    say(f"the {record.kind} lab is up already; copying its keys from {record.home}")
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    remove_credentials(home)
    for name in ("ssh", "secrets"):
        shutil.copytree(Path(record.home) / name, home / name)
    shutil.copy(Path(record.home) / AGENT, home / AGENT)
    write_file(home / _IDENTITY, File(record.identity, 0o600))
