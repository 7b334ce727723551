"""Every file of one content root, read once, and everything that is wrong with it."""

from __future__ import annotations

from typing import TypeVar

from orchestrator.adapters.content.documents import REFUSED, Document
from orchestrator.adapters.content.file_forms import FileForms
from orchestrator.adapters.content.files import ContentFolder, FileRefused
from orchestrator.adapters.content.form import placed
from orchestrator.adapters.content.reading import parse
from orchestrator.domain.problem import Fault, Position, Problem

T = TypeVar("T")

MOST_BYTES = 64 * 2**20


class Sources:
    """Reads files and collects problems; what was read once is never read again.

    So what is digested is what was checked, even if somebody edits a file meanwhile.
    """

    def __init__(
        self, folder: ContentFolder, forms: FileForms, *, most_bytes: int = MOST_BYTES
    ) -> None:
        self.folder = folder
        self._most_bytes = most_bytes
        self._forms = forms
        self._data: dict[str, bytes] = {}
        self._documents: dict[str, Document] = {}
        self._values: dict[str, object] = {}
        self._problems: dict[Problem, None] = {}

    @property
    def problems(self) -> tuple[Problem, ...]:
        """All that is wrong, in the order of files and lines."""
        return tuple(sorted(self._problems))

    def data(self, name: str) -> bytes:
        """Return the bytes of a file.

        Raises:
            FileRefused: If it cannot be read, or all files together are too large.
        """
        if name not in self._data:
            data = self.folder.read(name)
            if len(data) + sum(map(len, self._data.values())) > self._most_bytes:
                raise FileRefused(
                    f"the content has more than {self._most_bytes} bytes",
                    "it would be copied for each run",
                    "move out what no step needs",
                )
            self._data[name] = data
        return self._data[name]

    def document(self, name: str) -> Document:
        """Return what a YAML file says; ``REFUSED`` with its problems if it cannot be read."""
        if name not in self._documents:
            try:
                self._documents[name] = parse(self.data(name), name)
            except FileRefused as refused:
                problem = refusal_at(Position(name, 1, 1), refused)
                self._documents[name] = Document(file=name, value=REFUSED, problems=(problem,))
        return self._documents[name]

    def read(self, name: str, cls: type[T]) -> T | None:
        """Return what a YAML file says as a *cls*; ``None`` if there are problems."""
        if name not in self._values:
            self._values[name], problems = self._forms.of(cls).read(self.document(name))
            self.complain(*problems)
        value = self._values[name]
        return value if isinstance(value, cls) else None

    def complain(self, *problems: Problem) -> None:
        """Note *problems*; each counts once."""
        self._problems |= dict.fromkeys(problems)

    def blame(self, name: str, *faults: Fault) -> None:
        """Note *faults* of the document *name*."""
        document = self.document(name)
        self.complain(*(placed(fault, document) for fault in faults))


def refusal_at(position: Position, refused: FileRefused) -> Problem:
    """Return why a file is not read, at the place where it is wanted."""
    return Problem(position, refused.what, refused.why, refused.remedy)
