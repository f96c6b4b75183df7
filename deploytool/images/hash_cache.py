"""Hashes of large files kept between runs: model weights of a gigabyte are read once, not at every deploy."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from pathlib import Path

from deploytool.images.files import Hashes

_FILE = "hashes.json"
# Below this reading the file is cheaper than keeping a record of it.
_LARGE = 4 << 20


class KeptHashes(Hashes):
    """`Hashes` that keeps what it knows of large files in a folder. Losing that folder costs time only."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._file = folder / _FILE
        with contextlib.suppress(OSError, ValueError, TypeError, AttributeError):
            kept = json.loads(self._file.read_text(encoding="utf-8"))
            self._known = {path: (tuple(mark), digest) for path, (mark, digest) in kept.items()}
        self._before = dict(self._known)

    def save(self) -> None:
        """Write down what changed in that knowledge; a folder that cannot be written to is no error."""
        large = {path: known for path, known in self._known.items() if known[0][0] >= _LARGE}
        if large == self._before:
            return
        with contextlib.suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            # Written beside and moved: two runs at once never leave half a file.
            handle, name = tempfile.mkstemp(dir=self._file.parent, prefix=_FILE)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(large, file)
            Path(name).replace(self._file)
