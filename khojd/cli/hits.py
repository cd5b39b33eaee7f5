"""Hits as a person reads them: `path:line`, heading path, score, then the snippet with the found words painted."""

import sys
from collections.abc import Sequence

from khojd.cli import output
from khojd.server.types import Explanation, Hit, SearchResult

MOST_LINES = 8  # of a snippet


def show(result: SearchResult, *, explain: bool = False) -> None:
    """Print the hits on stdout and the notes of the answer on stderr."""
    style = output.Style()
    for number, hit in enumerate(result.hits):
        if number:
            print()
        print(_head(hit, style))
        for line in _snippet(hit, style):
            print(f"    {line}".rstrip())
        if explain and hit.explanation is not None:
            print(style(f"    {_explanation(hit.explanation)}", "dim"))
    sys.stdout.flush()
    for note in result.notes:
        output.say(f"note: {note}")


def _head(hit: Hit, style: output.Style) -> str:
    place = style(output.shown(hit.path), "magenta") + style(":", "dim") + style(str(hit.location.range.start.line + 1), "green")
    marks = [style(hit.todo, "yellow"), style(f"[#{hit.priority}]" if hit.priority else "", "yellow")]
    title = [hit.title] if hit.title and hit.title not in hit.headings[:1] else []
    path = " › ".join(output.harmless(part) for part in (*title, *hit.headings) if part)
    tags = style(" ".join(f"#{output.harmless(tag)}" for tag in hit.tags), "blue")
    unsaved = style("(unsaved)", "yellow") if hit.unsaved else ""
    date = style(hit.date, "dim")
    score = style(f"{hit.score:.3f}", "cyan") if hit.score else ""  # a list by date has none
    return "  ".join(
        part for part in (place, " ".join(filter(None, marks)), style(path, "bold"), date, tags, unsaved, score) if part
    )


def _snippet(hit: Hit, style: output.Style) -> Sequence[str]:
    """Lines of the snippet without blank ones; of long ones the first."""
    pieces, end = [], 0
    for start, stop in hit.highlights:
        pieces += [output.harmless(hit.snippet[end:start]), style(output.harmless(hit.snippet[start:stop]), "bold", "red")]
        end = stop
    pieces.append(output.harmless(hit.snippet[end:]))
    lines = [line.expandtabs(4) for line in "".join(pieces).splitlines() if line.strip()]
    # The first line starts where the passage does, so the others' common indentation says nothing.
    indent = min((len(line) - len(line.lstrip(" ")) for line in lines[1:]), default=0)
    lines[1:] = [line[indent:] for line in lines[1:]]
    return lines if len(lines) <= MOST_LINES else [*lines[:MOST_LINES], style("…", "dim")]


def _explanation(why: Explanation) -> str:
    parts = []
    for name, rank, score in (
        ("words", why.lexical_rank, why.lexical_score),
        ("meaning", why.semantic_rank, why.semantic_score),
    ):
        value = "" if score is None else f" {score:.3f}"
        parts.append(f"{name}{value} (rank {rank})" if rank is not None else f"{name}{value} (not among its candidates)")
    for name, score in (
        ("coverage", why.coverage),
        ("weight of meaning", why.semantic_weight),
        ("fused", why.fused_score),
        ("re-ranked", why.rerank_score),
    ):
        if score is not None:
            parts.append(f"{name} {score:.3f}")
    return "; ".join(parts)
