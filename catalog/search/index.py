"""Writing the full-text index, in the transaction that writes the text."""

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from catalog.schema import Document
from catalog.search.text import index_tokens

_INSERT = text("INSERT INTO search_index(rowid, grams) VALUES (:id, :grams)")
_DELETE = text("DELETE FROM search_index WHERE rowid = :id")


def put_document(
    session: Session, video_id: int, field: str, content: str, scene_id: int | None = None
) -> None:
    """Makes `content` the searchable text of a field. Empty content takes the field out."""
    document = session.scalars(
        select(Document).where(
            Document.video_id == video_id,
            Document.scene_id.is_(None) if scene_id is None else Document.scene_id == scene_id,
            Document.field == field,
        )
    ).one_or_none()
    if document is not None and document.text == content:
        return
    if not content:
        if document is not None:
            session.delete(document)
        return
    if document is None:
        document = Document(video_id=video_id, scene_id=scene_id, field=field, text=content)
        session.add(document)
    else:
        document.text = content
    session.flush()
    # Two statements, never INSERT OR REPLACE: that leaves the old terms behind in FTS5.
    session.execute(_DELETE, {"id": document.id})
    session.execute(_INSERT, {"id": document.id, "grams": index_tokens(content)})
