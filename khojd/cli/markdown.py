"""Markdown painted for a terminal while it comes, in pieces of any size. What it does not know stays as it is."""

import re

from khojd.cli.output import harmless

_BOLD, _CODE, _HEADING, _DIM = "1", "36", "1;4", "2"
_RESET = "\x1b[0m"
_MAY_GO_ON = re.compile(r" {0,3}(?:`{0,2}|~{0,2}|#{1,6})")  # the beginning of a line that may become a fence or a heading
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_HEADING_MARK = re.compile(r"#{1,6}[ \t]+")
_PLAIN = re.compile(r"[^*`\n]+")


def link(text: str, uri: str) -> str:
    """A hyperlink for terminals that have them (OSC 8); others show the text."""
    return f"\x1b]8;;{harmless(uri)}\x1b\\{text}\x1b]8;;\x1b\\"


class Painter:
    """Turns Markdown into text with colours: headings, bold, code. With `on` false the text goes through as it is."""

    def __init__(self, *, on: bool) -> None:
        self._on = on
        self._waiting = ""
        self._line_begins = True
        self._heading = self._bold = self._code = False
        self._fence = ""

    def feed(self, text: str) -> str:
        """What to show of `text`, and of what waited before it. The beginning of a mark waits for the rest."""
        self._waiting += harmless(text)
        return self._paint(final=False)

    def finish(self) -> str:
        """The rest, and colours switched off."""
        shown = self._paint(final=True)
        coloured = self._codes()
        self._heading = self._bold = self._code = False
        self._fence = ""
        return shown + (_RESET if coloured else "")

    def _paint(self, *, final: bool) -> str:
        text, self._waiting = self._waiting, ""
        if not self._on:
            return text
        shown: list[str] = []
        at = 0
        while at < len(text):
            rest = text[at:]
            if self._line_begins:
                if not final and (_MAY_GO_ON.fullmatch(rest) or (_FENCE.match(rest) and "\n" not in rest)):
                    break
                at += self._begin(rest, shown)
                continue
            step = self._step(rest, shown, final=final)
            if not step:
                break
            at += step
        self._waiting = text[at:]
        return "".join(shown)

    def _begin(self, rest: str, shown: list[str]) -> int:
        """Take the mark at the beginning of a line; how long it is."""
        self._line_begins = False
        fence = _FENCE.match(rest)
        if fence and (not self._fence or (fence[1].startswith(self._fence) and not rest.partition("\n")[0][fence.end() :].strip())):
            line = rest.partition("\n")[0]
            self._fence = "" if self._fence else fence[1]
            self._code = self._bold = False
            shown.append(f"{_RESET}\x1b[{_DIM}m{line}{_RESET}" + (f"\x1b[{_CODE}m" if self._fence else ""))
            return len(line)
        mark = None if self._fence else _HEADING_MARK.match(rest)
        if mark:
            self._heading = True
            shown.append(self._colours())
            return mark.end()
        return 0

    def _step(self, rest: str, shown: list[str], *, final: bool) -> int:
        """Take the next piece of a line; 0 when it must wait."""
        if rest[0] == "\n":
            self._line_begins = True
            ended = self._heading
            self._heading = False
            shown.append((_RESET if ended else "") + "\n")
            return 1
        if self._fence:
            line = rest.partition("\n")[0]
            shown.append(line)
            return len(line)
        if rest[0] == "`":
            self._code = not self._code
            shown.append(self._colours())
            return 1
        if rest[0] == "*" and not self._code:
            if rest == "*" and not final:
                return 0
            if rest.startswith("**"):
                self._bold = not self._bold
                shown.append(self._colours())
                return 2
        plain = _PLAIN.match(rest)
        size = plain.end() if plain else 1
        shown.append(rest[:size])
        return size

    def _codes(self) -> list[str]:
        states = ((self._heading, _HEADING), (self._bold, _BOLD), (self._code or bool(self._fence), _CODE))
        return [code for state, code in states if state]

    def _colours(self) -> str:
        codes = self._codes()
        return _RESET + (f"\x1b[{';'.join(codes)}m" if codes else "")
