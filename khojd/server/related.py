"""The notes that are about the same as a section."""

from __future__ import annotations

import logging

from khojd.errors import KhojdError
from khojd.graph.sheet import Sheet
from khojd.search.types import Hit, SimilarRequest
from khojd.server.session import Session

log = logging.getLogger(__name__)

LEAST_SCORE = 0.45  # below, what is nearest is so by chance


async def related(session: Session, sheet: Sheet, section: int, limit: int) -> list[Hit]:
    """At most `limit` entries of other notes that are near to a section, best first.

    There are none where the index does not know the section yet, and without a model: words alone would name what only sounds
    alike.
    """
    line = sheet.lines.line(sheet.sections[section].span.start)
    try:
        found = await session.engine.similar(SimilarRequest(path=sheet.path, start_line=line, end_line=line, limit=2 * limit))
    except KhojdError as error:
        log.debug("%s: nothing related: %s", session.label, error.message)
        return []
    if found.phase == "words":
        return []
    return [hit for hit in found.hits if hit.score >= LEAST_SCORE and hit.path != sheet.path][:limit]
