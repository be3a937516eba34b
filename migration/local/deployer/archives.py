"""Code and files that a program hands to AWS, as bytes: a zip from a folder, a file or named assets.

The same content always gives the same bytes (sorted names, fixed times and modes), so its digest says whether
code changed. Never unpacks and never follows a link out of a folder.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time a zip can hold
_MODE = 0o644 << 16


class _Content:
    """Bytes known by their digest alone once they are in the state file. Equal digests, equal content."""

    def __init__(self, *, digest: str | None = None) -> None:
        if digest is not None:
            self.digest = digest

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the bytes, in hexadecimal."""
        return hashlib.sha256(self.read()).hexdigest()

    def read(self) -> bytes:
        """Give the bytes; content that came from a state file has none."""
        raise FileNotFoundError(f"only the digest {self.digest} is known")

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and isinstance(other, _Content) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __repr__(self) -> str:
        return f"{type(self).__name__.lower()}({self.digest[:12]})"


class Asset(_Content):
    """One file: a path, or its text."""

    def __init__(
        self, *, path: Path | None = None, text: str | None = None, digest: str | None = None
    ) -> None:
        super().__init__(digest=digest)
        self.path = path
        self.text = text

    def read(self) -> bytes:
        """Read the file, or encode the text."""
        if self.path is not None:
            return self.path.read_bytes()
        return self.text.encode() if self.text is not None else super().read()


class Archive(_Content):
    """Many files: a folder or zip at a path, or assets and archives by their name inside."""

    def __init__(
        self,
        *,
        path: Path | None = None,
        assets: Mapping[str, Asset | Archive] | None = None,
        digest: str | None = None,
    ) -> None:
        super().__init__(digest=digest)
        self.path = path
        self.assets = assets

    def read(self) -> bytes:
        """Give a zip: the file as it is, or one made from the folder or the assets."""
        if self.path is not None and self.path.is_file():
            return self.path.read_bytes()
        if self.path is None and self.assets is None:
            return super().read()
        return _zipped(dict(self.files()))

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Give each file's name inside the archive and its bytes."""
        if self.path is not None:
            yield from _files_at(self.path)
        for name, content in (self.assets or {}).items():
            if isinstance(content, Asset):
                yield name, content.read()
            else:
                yield from ((f"{name}/{inner}", data) for inner, data in content.files())


def _files_at(path: Path) -> Iterator[tuple[str, bytes]]:
    if path.is_file():
        with zipfile.ZipFile(path) as source:
            yield from ((name, source.read(name)) for name in source.namelist() if not name.endswith("/"))
    elif path.is_dir():
        for file in path.rglob("*"):
            if file.is_file() and "__pycache__" not in file.parts:
                yield file.relative_to(path).as_posix(), file.read_bytes()
    else:
        raise FileNotFoundError(f"there is no file or folder {path}")


def _zipped(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.external_attr = _MODE
            entry.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(entry, files[name])
    return buffer.getvalue()
