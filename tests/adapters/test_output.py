"""Output in bounded memory."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.adapters.output import BoundedOutput


@given(chunks=st.lists(st.binary(max_size=12)))
def test_head_and_tail_are_kept_however_it_comes(chunks: list[bytes]) -> None:
    output = BoundedOutput(head_bytes=10, tail_bytes=5)
    whole = b"".join(chunks)

    for chunk in chunks:
        output.add(chunk)

    if len(whole) <= 15:
        expected = whole[:10].decode(errors="replace") + whole[10:].decode(errors="replace")
    else:
        head, tail = whole[:10].decode(errors="replace"), whole[-5:].decode(errors="replace")
        expected = f"{head}\n[{len(whole) - 15} bytes left out]\n{tail}"
    assert output.text == expected


@pytest.mark.parametrize("tail_bytes", [0, 5])
def test_memory_stays_bounded(tail_bytes: int) -> None:
    output = BoundedOutput(head_bytes=10, tail_bytes=tail_bytes)

    for _ in range(1000):
        output.add(b"x" * 1000)

    assert len(output.text) < 60
