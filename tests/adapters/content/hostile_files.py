"""Reads files made to hurt, in a process of its own.

Says for each the seconds of processor that it took; the last line is the peak of memory.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from orchestrator.adapters.content.file_forms import FileForms
from orchestrator.adapters.content.inventory import read_inventory
from orchestrator.adapters.content.reading import parse
from orchestrator.domain.checklist import Checklist
from orchestrator.domain.playbook import Playbook
from tests.support.kinds import ACTION_INPUTS, PROBE_INPUTS

FULL = 2**20
ITEM = b"  - {item: a, ask: b, why: c, fresh_for: 5, level: x, probe: {}}\n"
CHAIN = "\n".join(f"g{i:03}: {{children: {{g{i + 1:03}: }}}}" for i in range(498))
HOSTS = ", ".join(f"h{i}: " for i in range(24_000))

HOSTILE: dict[str, bytes] = {
    "200,000 brackets": b"[" * 200_000,
    "200,000 brackets behind a key": b"a: " + b"[" * 200_000,
    "200,000 braces": b"{a: " * 200_000,
    "300,000 dashes": b"- " * 300_000,
    "300,000 question marks": b"? " * 300_000,
    "a million colons": b":" * FULL,
    "a million commas": b"[" + b"," * (FULL - 1),
    "a million spaces": b"a:" + b" " * (FULL - 2),
    "a million ampersands": b"&" * FULL,
    "one line of words": b"a: " + b"x " * (FULL // 2 - 2),
    "one long key": b"x" * (FULL - 3) + b": 1",
    "one long quote": b'a: "' + b"x" * (FULL - 4),
    "one long number": b"a: " + b"9" * (FULL - 3),
    "many escapes": b'a: "' + b"\\n" * (FULL // 2 - 3) + b'"',
    "many keys": b"".join(b"k%d: 1\n" % i for i in range(100_000)),
    "the same key": b"a: 1\n" * (FULL // 5),
    "many anchors": b"".join(b"- &a%d 1\n" % i for i in range(70_000)),
    "many documents": b"---\n" * (FULL // 4),
    "many values": b"[" + b"1," * (FULL // 2 - 1) + b"]",
    "a bomb": b"a: &a [x,x,x,x,x,x,x,x]\n"
    + b"".join(b"%c: &%c [*%c,*%c,*%c]\n" % (i, i, i - 1, i - 1, i - 1) for i in range(98, 123)),
    "thousands of wrong items": b"checklist: a\ntitle: b\nitems:\n" + ITEM * 7_000,
    "a checklist of wrong scalars": b"items: [" + b"1," * 40_000 + b"]",
    "steps of nothing": b"steps: [" + b"{}," * 40_000 + b"]",
    "as many wrong steps as may be": b"steps: [" + b"{}," * 9_990 + b"]",
    "as many wrong probes as may be": b"prior_state: [" + b"{sql: {on: 1}}," * 3_300 + b"]",
    "many unknown keys": b"{" + b"".join(b"u%d: 1," % i for i in range(20_000)) + b"}",
    "a chain of groups": f"{CHAIN}\ng498: {{hosts: {{{HOSTS}}}}}\n".encode(),
}


def main() -> None:
    forms = FileForms(ACTION_INPUTS, PROBE_INPUTS)
    playbook, checklist = forms.of(Playbook), forms.of(Checklist)
    for name, data in _bounded():
        begun = time.process_time()
        document = parse(data, "f.yaml")
        problems = [*playbook.read(document)[1], *checklist.read(document)[1]]
        problems += read_inventory(document).problems
        took = time.process_time() - begun
        sys.stdout.write(json.dumps([name, took, len(problems)]) + "\n")
    sys.stdout.write(json.dumps(["peak", _peak_bytes(), 0]) + "\n")


def _peak_bytes() -> int:
    # ru_maxrss would count what the process that started us had in memory.
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def _bounded() -> Iterator[tuple[str, bytes]]:
    for name, data in HOSTILE.items():
        assert len(data) <= FULL, name
        yield name, data


if __name__ == "__main__":
    main()
