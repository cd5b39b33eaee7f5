"""khoj/search, khoj/similar, khoj/grep."""

from khojd.search import types as core
from khojd.search.tuning import profile
from khojd.server import types
from khojd.server.message import INVALID_PARAMS, RpcError
from khojd.server.method import Method
from khojd.server.session import Session


async def search(session: Session, params: types.SearchParams) -> types.SearchResult:
    """With a `partialResultToken` each phase goes out as it comes, and the reply does not repeat the hits."""
    request = core.SearchRequest(
        query=params.query,
        limit=params.limit or profile(params.profile, session.engine.config.search).limit,
        mode=params.mode,
        profile=params.profile,
        rerank=params.rerank,
        explain=params.explain,
        folders=session.paths(params.folders),
        all_passages=params.all_passages,
    )
    token = params.partial_result_token
    if token is None:
        return _result(session, await session.engine.search(request, measure=session.measure))
    sent: core.SearchResult | None = None

    async def on_phase(result: core.SearchResult) -> None:
        nonlocal sent
        sent = result
        await session.partial(token, _result(session, result))

    final = await session.engine.search(request, measure=session.measure, on_phase=on_phase)
    if sent is None or (sent.phase, sent.hits) != (final.phase, final.hits):
        await on_phase(final)
    return _result(session, final, streamed=True)


async def similar(session: Session, params: types.SimilarParams) -> types.SearchResult:
    request = core.SimilarRequest(
        text=params.text, path=_source(session, params), limit=params.limit, folders=session.paths(params.folders), **_lines(params)
    )
    return _result(session, await session.engine.similar(request, measure=session.measure))


def _source(session: Session, params: types.SimilarParams) -> str:
    place = params.text_document.uri if params.text_document else params.path
    if bool(place) == bool(params.text):
        reason = "khoj/similar takes either text, or a file as textDocument or path"
        raise RpcError(INVALID_PARAMS, reason, kind="params", method="khoj/similar", reason=reason)
    return session.path(place) if place else ""


def _lines(params: types.SimilarParams) -> dict[str, int]:
    if params.range is not None:
        start, end = params.range.start, params.range.end
        # A selection of whole lines ends at the start of the line after it.
        last = end.line - 1 if end.character == 0 and end.line > start.line else end.line
        return {"start_line": start.line, "end_line": last}
    return {} if params.position is None else {"start_line": params.position.line}


async def grep(session: Session, params: types.GrepParams) -> types.GrepResult:
    request = core.GrepRequest(
        pattern=params.pattern,
        globs=params.globs,
        ignore_case=params.ignore_case,
        context=params.context,
        limit=params.limit,
        folders=session.paths(params.folders),
    )
    found = await session.engine.grep(request, measure=session.measure)
    return types.GrepResult(
        matches=tuple(
            types.GrepMatch(
                location=_location(session, match.path, match.range),
                path=match.path,
                line=match.line,
                before=match.before,
                after=match.after,
            )
            for match in found.matches
        ),
        files=found.files,
        truncated=found.truncated,
        notes=found.notes,
    )


def _result(session: Session, result: core.SearchResult, *, streamed: bool = False) -> types.SearchResult:
    return types.SearchResult(
        phase=result.phase,
        hits=() if streamed else tuple(_hit(session, hit) for hit in result.hits),
        count=len(result.hits),
        took_ms=result.took_ms,
        notes=result.notes,
    )


def _hit(session: Session, hit: core.Hit) -> types.Hit:
    width = session.measure
    why = hit.explanation
    return types.Hit(
        location=_location(session, hit.path, hit.passage),
        entry=_range(hit.range),
        path=hit.path,
        format=hit.format,
        title=hit.title,
        headings=hit.headings,
        snippet=hit.snippet,
        highlights=tuple((width(hit.snippet[:start]), width(hit.snippet[:end])) for start, end in hit.highlights),
        score=hit.score,
        todo=hit.todo,
        priority=hit.priority,
        tags=hit.tags,
        date=hit.date,
        modified=hit.modified,
        unsaved=hit.unsaved,
        explanation=None
        if why is None
        else types.Explanation(
            lexical_rank=why.lexical_rank,
            lexical_score=why.lexical_score,
            semantic_rank=why.semantic_rank,
            semantic_score=why.semantic_score,
            semantic_weight=why.semantic_weight,
            coverage=why.coverage,
            fused_score=why.fused_score,
            rerank_score=why.rerank_score,
        ),
    )


def _location(session: Session, path: str, range: core.Range) -> types.Location:
    return types.Location(uri=session.uri(path), range=_range(range))


def _range(range: core.Range) -> types.Range:
    return types.Range(start=_position(range.start), end=_position(range.end))


def _position(place: core.Place) -> types.Position:
    return types.Position(line=place.line, character=place.column)


METHODS = (
    Method("khoj/search", types.SearchParams, types.SearchResult, search, bare="query"),
    Method("khoj/similar", types.SimilarParams, types.SearchResult, similar, bare="text"),
    Method("khoj/grep", types.GrepParams, types.GrepResult, grep, bare="pattern"),
)
