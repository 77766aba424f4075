"""Bringing the meaning index up to date with the catalog, in batches that each outlive an interruption."""

import hashlib
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from catalog.database import Catalog
from catalog.search.meaning import opening, store
from catalog.search.meaning.embedder import Embedder, model_fingerprint
from catalog.search.meaning.store import Code
from catalog.sqlite import sqlite3

FIELDS = ("caption", "note", "subtitle", "title")
"""What is sentences. Names of files and folders, and tags, are found by their words."""

_LOOK = 2000
"""Documents compared at a time."""
_BATCH = 512
"""Texts embedded and written at a time: what an interruption loses."""
_LAST_ID = 2**63 - 1
"""The largest that SQLite gives."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What has been done so far, in documents."""

    progress: float = 0.0
    """How far through the documents it is, from 0 to 1."""
    embedded: int = 0
    removed: int = 0
    finished: bool = False
    """False after a stop was asked for; the next call goes on from there."""


@dataclass(frozen=True, slots=True)
class State:
    """How far the index is, in documents. A text that changed since counts as read."""

    texts: int
    read: int


def state(catalog: Catalog, model_folder: Path) -> State:
    """Counts what the catalog holds and what this model has read of it. Raises `HaeseolError`."""
    model = model_fingerprint(model_folder)
    marks = ", ".join("?" * len(FIELDS))
    with catalog.read() as connection:
        texts: int = connection.execute(
            f"SELECT count(*) FROM document WHERE field IN ({marks})", FIELDS
        ).fetchone()[0]
    if not opening.index_file(catalog.home).exists():
        return State(texts, 0)
    try:
        with closing(opening.open_for_reading(catalog.home)) as index:
            if store.stamped_model(index) != model:
                return State(texts, 0)
            return State(texts, min(texts, store.count(index)))
    except sqlite3.Error as error:
        raise opening.unreadable(opening.index_file(catalog.home), error) from error


OnProgress = Callable[[Counts], None]


def _nobody(counts: Counts) -> None:
    """Nobody wants to know."""


def _never() -> bool:
    return False


def bring_up_to_date(
    catalog: Catalog,
    model_folder: Path,
    on_progress: OnProgress = _nobody,
    should_stop: Callable[[], bool] = _never,
) -> Counts:
    """Embeds the texts that are new or changed, and removes those that are gone.

    A text is known by its document's id and a hash. The codes of another model are thrown away when the
    first ones of this model are there. The model is loaded only if there is something to embed; several
    processes may do this at once. Raises `HaeseolError`.
    """
    model = model_fingerprint(model_folder)
    with (
        closing(opening.open_for_writing(catalog.home)) as index,
        Embedder(model_folder) as embedder,
    ):
        upkeep = _Upkeep(catalog, index, embedder, model, on_progress, should_stop)
        try:
            upkeep.run()
        except sqlite3.Error as error:
            raise opening.unreadable(opening.index_file(catalog.home), error) from error
        return upkeep.counts


def text_hash(text: str) -> int:
    """64 bits that change with the text, as SQLite stores them: signed."""
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


@dataclass(slots=True)
class _Upkeep:
    """One pass over the documents, in the order of their ids."""

    catalog: Catalog
    index: opening.Connection
    embedder: Embedder
    model: str
    on_progress: OnProgress
    should_stop: Callable[[], bool]
    counts: Counts = field(default_factory=Counts)
    replaced: str | None = None
    """The model whose codes are there, until the first of ours are written."""
    last_id: int = 0

    def run(self) -> None:
        self.replaced = store.stamped_model(self.index)
        after = 0
        while after < _LAST_ID and not self.should_stop():
            documents = self._documents(after)
            # At the end, whatever is indexed beyond the last document is gone too.
            upto = max(documents) if len(documents) == _LOOK else _LAST_ID
            known = self._known(after, upto)
            if gone := known.keys() - documents.keys():
                store.remove(self.index, gone)
                self._tell(removed=self.counts.removed + len(gone))
            changed = [
                (one, hashed, text)
                for one, text in documents.items()
                if known.get(one) != (hashed := text_hash(text))
            ]
            if not self._embed(changed):
                return
            after = upto
            self._tell(progress=min(1.0, upto / max(1, self.last_id)), finished=upto == _LAST_ID)

    def _documents(self, after: int) -> dict[int, str]:
        marks = ", ".join("?" * len(FIELDS))
        with self.catalog.read() as connection:
            rows = connection.execute(
                f"SELECT id, text FROM document WHERE id > ? AND field IN ({marks})"
                " ORDER BY id LIMIT ?",
                (after, *FIELDS, _LOOK),
            ).fetchall()
            self.last_id = connection.execute("SELECT max(id) FROM document").fetchone()[0] or 0
        return {row[0]: row[1] for row in rows}

    def _known(self, after: int, upto: int) -> dict[int, int]:
        """The hashes that our own model's codes were made of."""
        if store.stamped_model(self.index) != self.model:
            return {}
        return store.hashes(self.index, after, upto)

    def _embed(self, changed: list[tuple[int, int, str]]) -> bool:
        """Embeds and writes batch by batch. False after a stop was asked for."""
        for start in range(0, len(changed), _BATCH):
            if self.should_stop():
                return False
            batch = changed[start : start + _BATCH]
            codes = self.embedder.codes([text for _, _, text in batch])
            written = [
                Code(one, hashed, code) for (one, hashed, _), code in zip(batch, codes, strict=True)
            ]
            dimension = self.embedder.dimension()
            store.write(self.index, self.model, dimension, written, self.replaced)
            self.replaced = self.model
            self._tell(
                embedded=self.counts.embedded + len(batch),
                progress=min(1.0, batch[-1][0] / max(1, self.last_id)),
            )
        return True

    def _tell(self, **changes: Any) -> None:
        self.counts = replace(self.counts, **changes)
        self.on_progress(self.counts)
