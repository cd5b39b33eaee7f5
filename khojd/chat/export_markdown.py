"""A conversation as Markdown. An answer is Markdown already: it is held in its place, below the heading of its question."""

import re
from collections.abc import Collection, Sequence

from khojd.chat import export_parts as parts
from khojd.chat.model import Citation, Conversation, Turn
from khojd.content import markdown, markdown_outline
from khojd.content.markdown_outline import OPAQUE
from khojd.content.model import ContentSettings
from khojd.graph.compose import encoded

QUESTION = 2  # level of the headings
_END = "khojd-end-of-answer"
_SPECIAL = re.compile(r"[\\`*\[\]<>#|~^&$%{}]|(?<![^\W_])_|_(?![^\W_])|=(?==)|(?<==)=")
_BLOCK_START = re.compile(r"[-+](?=\s|$)|[0-9]{1,9}(?=[.)](?:\s|$))|=+\s*$|-{2,}\s*$")
_ATX = re.compile(r" {0,3}#{1,6}(?P<text>(?:[ \t].*)?)$")
_DEFINITION = re.compile(r"(?P<before>(?:[ \t]|>|[-+*][ \t]|[0-9]{1,9}[.)][ \t])*)(?P<rest>\[[^\]]*\]:)")
_CODE = re.compile(r"(?P<ticks>`+)(?!`).*?(?<!`)(?P=ticks)(?!`)")
_OPENED_HTML = {"<!--": "-->", "<?": "?>", "<![CDATA[": "]]>", "<!": ">"}
_OPENED_TAG = re.compile(r"<(script|pre|style|textarea)\b", re.IGNORECASE)


def markdown_of(conversation: Conversation, turns: Sequence[Turn], stale: Collection[Citation]) -> str:
    """The whole note."""
    blocks = [f"# {escaped(parts.one_line(conversation.title) or 'Untitled')}"]
    for number, turn in enumerate(turns, 1):
        blocks += _turn(turn, number, stale)
    return "\n\n".join(blocks) + "\n"


def escaped(line: str) -> str:
    """A line of plain text as Markdown that shows it."""
    text = _SPECIAL.sub(r"\\\g<0>", line.strip())
    start = _BLOCK_START.match(text)
    return f"{text[: start.end()]}\\{text[start.end() :]}" if start and start[0].isdigit() else f"\\{text}" if start else text


def contained(text: str) -> str:
    """Markdown that may stand below a question: its headings are below the question's, and all that it opens is closed.

    What cannot be held in its place like that becomes a block of plain text.
    """
    text = parts.tidy(text).strip("\n")
    held = _demoted(text)
    for _ in range(3):
        if _holds(held):
            return held
        closing = _closing(held)
        if not closing:
            break
        held += closing
    return fenced(text)


def fenced(text: str) -> str:
    """A code block that holds `text`, whatever that is."""
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"{fence}text\n{text}\n{fence}"


def _turn(turn: Turn, number: int, stale: Collection[Citation]) -> list[str]:
    heading, question = parts.asked(turn.question)
    facts = (parts.when(turn), turn.persona, parts.model(turn), parts.state(turn))
    blocks = [
        f"{'#' * QUESTION} {escaped(heading)}",
        f"*{escaped(' · '.join(filter(None, map(parts.one_line, facts))))}*",
    ]
    if question:
        blocks.append("\n".join(f"> {escaped(line)}  " if line.strip() else ">" for line in question.split("\n")))
    found = list(parts.pieces(turn))
    written = "".join(piece if isinstance(piece, str) else _marker(piece, number) for piece in found)
    if written.strip():
        blocks.append(contained(written))
    footnotes = parts.footnotes(found)
    cited = [_source(source, number, footnote=footnotes) for source in parts.sources(turn, stale)]
    if cited:
        blocks.append("\n".join(cited) if footnotes else "Sources:\n\n" + "\n".join(cited))
    return blocks


def _marker(marker: parts.Marker, number: int) -> str:
    citation = marker.citation
    if marker.footnote:
        return f"[^{number}-{citation.number}]"
    return f"[{citation.number}]({_target(citation.path, citation.line)})"


def _source(source: parts.Source, number: int, *, footnote: bool) -> str:
    link = f"[{escaped(source.name)}]({_target(source.path, source.line)})"
    start = f"[^{number}-{source.number}]:" if footnote else f"- \\[{source.number}\\]"
    return f"{start} {link}{parts.quoted(source, escaped)}"


def _target(path: str, line: int) -> str:
    place = encoded(path)
    return f"<{place if place.startswith('/') else 'file:///' + place}#L{line + 1}>"


# --- answers -------------------------------------------------------------------------------------------------------------------


def _demoted(text: str) -> str:
    """Headings below the question's, no definitions that would hold for the whole note, no comments of Obsidian's."""
    lines = text.split("\n")
    outline = markdown_outline.read(text, len(lines))
    down = max(0, QUESTION + 1 - min((heading.level for heading in outline.headings), default=6))
    heads = {heading.first: heading for heading in outline.headings}
    out: list[str] = []
    at = 0
    while at < len(lines):
        heading = heads.get(at)
        if heading is not None:
            atx = _ATX.match(lines[at])
            title = atx["text"] if atx else " ".join(line.strip() for line in lines[at : heading.last - 1])
            out.append(f"{'#' * min(6, heading.level + down)} {_plain(title.strip())}".rstrip())
            at = heading.last
        else:
            out.append(lines[at] if outline.kinds[at] == OPAQUE else _plain(lines[at]))
            at += 1
    return "\n".join(out)


def _plain(line: str) -> str:
    """A line of text that defines nothing and comments nothing out."""
    if definition := _DEFINITION.match(line):
        line = f"{definition['before']}\\{line[definition.end('before') :]}"
    if "%%" not in line:
        return line
    out, at = [], 0
    for code in _CODE.finditer(line):
        out += [line[at : code.start()].replace("%%", "&#37;&#37;"), code[0]]
        at = code.end()
    return "".join([*out, line[at:].replace("%%", "&#37;&#37;")])


def _holds(text: str) -> bool:
    """Whether a heading after `text` is the next one of its level."""
    parsed = markdown.parse(f"{'#' * QUESTION} q\n\n{text}\n\n{'#' * QUESTION} {_END}\n", ContentSettings())
    heads = [section for section in parsed.sections if section.level]
    inner = heads[1:-1]
    return len(heads) > 1 and heads[-1].heading == _END and all(section.level > QUESTION for section in inner)


def _closing(text: str) -> str:
    """What closes the code block or the HTML at the end of `text`; "" where nothing is known to."""
    tokens = markdown_outline.tokens(f"{text}\n\n{_END}\n") or []
    last = next((token for token in reversed(tokens) if _END in token.content), None)
    if last is None:
        return ""
    if last.type == "fence":
        return f"\n{last.markup}"
    if last.type == "html_block":
        start = last.content.lstrip()
        if tag := _OPENED_TAG.match(start):
            return f"\n</{tag[1]}>"
        return "\n" + next((end for opened, end in _OPENED_HTML.items() if start.startswith(opened)), "")
    return ""
