from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.adapters.content.file_forms import FileForms
from orchestrator.adapters.content.files import (
    LARGEST_FILE,
    MOST_FILES,
    ContentFolder,
    FileMissing,
    FileRefused,
    parts_of,
)
from orchestrator.adapters.content.sources import Sources
from tests.support.example_content import PLAYBOOK, a_content_root, load, spoil

SECRET = b"outside of the content"


@pytest.fixture
def folder(tmp_path: Path) -> ContentFolder:
    root = tmp_path / "content"
    (root / "inner/deep").mkdir(parents=True)
    (root / "inner/file.yaml").write_bytes(b"inside")
    (tmp_path / "secret").write_bytes(SECRET)
    return ContentFolder(root)


def test_file_below_the_root_is_read(folder: ContentFolder) -> None:
    assert folder.read("inner/file.yaml") == b"inside"


def test_root_itself_may_be_reached_through_a_link(folder: ContentFolder) -> None:
    link = folder.root.parent / "link"
    link.symlink_to(folder.root)

    assert ContentFolder(link).read("inner/file.yaml") == b"inside"


@pytest.mark.parametrize(
    "name",
    [
        "../secret",
        "inner/../../secret",
        "inner/..",
        "..",
        ".",
        "",
        "/etc/passwd",
        "//etc/passwd",
        "inner//file.yaml",
        "./inner/file.yaml",
        "inner/file.yaml/",
        "inner\\file.yaml",
        "..\\secret",
        "inner/file.yaml\0",
        "inner/file.yaml\0/../../secret",
    ],
)
def test_path_that_leaves_its_folder_is_refused_before_it_is_opened(
    folder: ContentFolder, name: str
) -> None:
    with pytest.raises(FileRefused, match="leaves its folder or is no plain path"):
        folder.read(name)


def test_link_to_a_file_is_refused(folder: ContentFolder) -> None:
    (folder.root / "link").symlink_to(folder.root.parent / "secret")

    with pytest.raises(FileRefused, match="is a link"):
        folder.read("link")


def test_link_to_a_folder_on_the_way_is_refused(folder: ContentFolder) -> None:
    (folder.root / "link").symlink_to(folder.root.parent)

    with pytest.raises(FileRefused, match="is a link"):
        folder.read("link/secret")


def test_link_that_stays_inside_is_refused_as_well(folder: ContentFolder) -> None:
    (folder.root / "link").symlink_to("inner")

    with pytest.raises(FileRefused, match="is a link"):
        folder.read("link/file.yaml")


def test_named_pipe_is_refused_at_once(folder: ContentFolder) -> None:
    os.mkfifo(folder.root / "pipe")

    with pytest.raises(FileRefused, match="no ordinary file"):
        folder.read("pipe")


def test_folder_is_no_file(folder: ContentFolder) -> None:
    with pytest.raises(FileRefused, match="no ordinary file"):
        folder.read("inner")


def test_file_is_no_folder(folder: ContentFolder) -> None:
    with pytest.raises(FileRefused, match="through a file"):
        folder.read("inner/file.yaml/x")


def test_missing_file_says_its_whole_name(folder: ContentFolder) -> None:
    with pytest.raises(FileMissing, match=r"`inner/other\.yaml` is not there"):
        folder.read("inner/other.yaml")


def test_largest_file_is_read_and_one_byte_more_is_refused(folder: ContentFolder) -> None:
    (folder.root / "large").write_bytes(b"x" * LARGEST_FILE)
    (folder.root / "larger").write_bytes(b"x" * (LARGEST_FILE + 1))

    assert len(folder.read("large")) == LARGEST_FILE
    with pytest.raises(FileRefused, match="has 1048577 bytes"):
        folder.read("larger")


def test_names_are_sorted_and_a_missing_folder_has_none(folder: ContentFolder) -> None:
    (folder.root / "inner/__pycache__").mkdir()
    (folder.root / "inner/a").touch()

    assert folder.names("inner") == ("a", "deep", "file.yaml")
    assert folder.names("nowhere") == ()


def test_files_are_listed_at_every_depth_and_links_among_them(folder: ContentFolder) -> None:
    (folder.root / "inner/deep/z.yaml").touch()
    (folder.root / "inner/out").symlink_to(folder.root.parent)

    assert set(folder.files("inner")) == {"inner/file.yaml", "inner/out", "inner/deep/z.yaml"}


def test_too_many_files_are_refused(folder: ContentFolder) -> None:
    for number in range(MOST_FILES):
        (folder.root / f"inner/deep/{number}").touch()

    with pytest.raises(FileRefused, match="more than 10000 files"):
        list(folder.files("inner"))


def test_too_many_bytes_in_all_are_refused(folder: ContentFolder) -> None:
    (folder.root / "other.yaml").write_bytes(b"12345")
    sources = Sources(folder, FileForms({}, {}), most_bytes=len(b"inside") + 4)
    sources.data("inner/file.yaml")

    with pytest.raises(FileRefused, match="more than 10 bytes"):
        sources.data("other.yaml")


@given(st.text(alphabet="ab./\\\0~-", max_size=12))
def test_accepted_path_never_climbs(name: str) -> None:
    try:
        parts = parts_of(name)
    except FileRefused:
        return
    assert not {"", ".", ".."} & set(parts)
    assert not name.startswith("/")


@pytest.mark.parametrize("kind", ["link", "pipe", "huge"])
def test_playbook_with_a_file_that_cannot_be_frozen_is_refused(tmp_path: Path, kind: str) -> None:
    root = a_content_root(tmp_path)
    strange = root / "playbooks/ledger-move/ansible/strange.yml"
    match kind:
        case "link":
            strange.symlink_to("/etc/hostname")
        case "pipe":
            os.mkfifo(strange)
        case _:
            strange.write_bytes(b"#" * (LARGEST_FILE + 1))

    (problem,) = load(root).problems

    assert problem.position.file == "playbooks/ledger-move/ansible/strange.yml"


@pytest.mark.parametrize(
    "name",
    [
        "../../../etc/passwd",
        "/etc/passwd",
        "tests/../../other/x.py",
        "tests/link.py",
        "tests\\x.py",
    ],
)
def test_suite_outside_its_playbook_is_refused(tmp_path: Path, name: str) -> None:
    root = a_content_root(tmp_path)
    (root / "playbooks/ledger-move/tests/link.py").symlink_to("/etc/hostname")
    spoil(root, PLAYBOOK, "[tests/test_ledger.py]", f"['{name}']")

    places = {str(p.position) for p in load(root).problems}

    assert f"{PLAYBOOK}:56:12" in places
