from __future__ import annotations

from orchestrator.domain.reference import Reference, has_reference, references_in


def test_references_are_found_with_their_places() -> None:
    inputs = {"on": "${database.primary}", "run": ["echo", "at ${target} now"], "times": 3}

    assert list(references_in(inputs)) == [
        Reference(("on",), "database.primary", is_whole=True),
        Reference(("run", 1), "target", is_whole=False),
    ]


def test_reference_tells_its_root_and_the_rest() -> None:
    (reference,) = references_in("${kept.last-lsn.first}")

    assert (reference.root, reference.attribute) == ("kept", "last-lsn.first")


def test_reference_to_a_parameter_itself_has_no_attribute() -> None:
    (reference,) = references_in("${target}")

    assert (reference.root, reference.attribute) == ("target", "")


def test_only_text_can_hold_a_reference() -> None:
    assert has_reference("${target}")
    assert not has_reference("$target")
    assert not has_reference(5)
