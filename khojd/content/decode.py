"""Bytes to text: UTF-8, UTF-16 and UTF-32 by their marks, anything else by detection, and a word on what was noticed.

The text keeps one code point per code point of the file, so that ranges hold in an editor: NUL characters and lone surrogates,
which neither databases nor tokenizers take, are each replaced by one U+FFFD.
"""

import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE, BOM_UTF32_BE, BOM_UTF32_LE
from typing import Literal

from msgspec import Struct

from khojd.content.signatures import binary_kind
from khojd.errors import ContentError, SkippedContent

SAMPLE_BYTES = 32_768  # what detection looks at: charset-normalizer needs seconds for megabytes
REPLACEMENT = "\ufffd"

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_CONTROLS = bytes(code for code in range(32) if code not in b"\b\t\n\v\f\r\x1b") + b"\x7f"
_ASCII = bytes(range(128))
_HIGH_RUN = re.compile(rb"[\x80-\xff]{2,}")
_HIGH = re.compile(rb"[\x80-\xff]+")
_AROUND = 200  # bytes of its line that are taken before and after
_MARKS: tuple[tuple[bytes, str], ...] = (
    (BOM_UTF8, "utf-8-sig"),
    (BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it starts with
    (BOM_UTF32_BE, "utf-32"),
    (BOM_UTF16_LE, "utf-16"),
    (BOM_UTF16_BE, "utf-16"),
)
# Detection's names for what people know under another one; windows-1252 is a superset of Latin 1 and what such files really are.
_NAMES = {"cp1252": "windows-1252", "cp1251": "windows-1251", "cp1250": "windows-1250", "cp932": "shift_jis"}
# High bytes that Western European text in windows-1252 is made of. They stand alone between ASCII letters, unlike those of other
# scripts. Detection takes short texts of it for Baltic or Central European, so they are recognised here.
_WESTERN = "ÄÖÜäöüßÀÂÇÉÈÊËÎÏÔÙÛàâçéèêëîïôùûœŒÑñáíóúÁÍÓÚåÅøØæÆãÃìò¿¡ºª°§«»„“”‘’‚–—…•€£©®·\xa0".encode("cp1252")
# Single-byte encodings people's files are in. Detection finds many that decode a short text alike; the commonest of them is taken.
_LIKELY = ("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1257", "koi8_r", "iso8859_2", "mac_roman", "cp437", "cp850")


class Decoded(Struct, frozen=True):
    """`text` without a byte-order mark; `encoding` by Python's name; `notes` for the person."""

    text: str
    encoding: str
    notes: tuple[str, ...] = ()


def decode(data: bytes) -> Decoded:
    """The text of a file. Raises SkippedContent for a binary file and ContentError where no encoding fits."""
    if kind := binary_kind(data):
        raise SkippedContent(f"binary file ({kind})")
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _decode_marked(data, encoding)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        return _decode_other(data, error)
    if b"\0" in data:
        if wide := _wide_encoding(data):
            return _decode_detected(data, wide)
        # A stray NUL in a note is a slip; a tenth of control characters is no note.
        _require_text(data, share=0.1)
    if b"\x1b$" in data:
        try:
            return _decode_detected(data, "iso2022_jp")
        except UnicodeDecodeError:
            pass  # escape sequences of a terminal
    return _cleaned(text, "utf-8", ())


def clean(text: str) -> tuple[str, tuple[str, ...]]:
    """`text` with each NUL and lone surrogate replaced by one U+FFFD, and a note when there was one."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        pass
    else:
        if "\0" not in text:
            return text, ()
    cleaned, count = _UNSTORABLE.subn(REPLACEMENT, text)
    what = "character" if count == 1 else "characters"
    return cleaned, (f"{count} {what} that no text may hold (NUL, lone surrogate) read as U+FFFD",)


def _cleaned(text: str, encoding: str, notes: tuple[str, ...]) -> Decoded:
    text, more = clean(text)
    return Decoded(text, encoding, (*notes, *more))


def _decode_marked(data: bytes, encoding: str) -> Decoded:
    try:
        return _cleaned(data.decode(encoding), encoding, ())
    except UnicodeDecodeError as error:
        return _decode_damaged(data, encoding, error)


def _decode_damaged(data: bytes, encoding: str, error: UnicodeDecodeError) -> Decoded:
    text = data.decode(encoding, errors="replace")
    broken = text.count(REPLACEMENT)
    if broken * 20 > len(text):
        raise ContentError(f"starts as {encoding} text but is not: {error.reason} at byte {error.start}")
    return _cleaned(text, encoding, (_damage_note(encoding, error),))


def _damage_note(encoding: str, error: UnicodeDecodeError) -> str:
    return f"damaged {encoding}: what does not decode is read as U+FFFD (first: {error.reason} at byte {error.start})"


def _decode_other(data: bytes, error: UnicodeDecodeError) -> Decoded:
    """Text that is not valid UTF-8."""
    if wide := _wide_encoding(data):
        try:
            return _decode_detected(data, wide)
        except UnicodeDecodeError:
            pass
    _require_text(data, share=0.02)
    try:
        # Halves of surrogate pairs, written by programs that think in UTF-16: nothing else is wrong with the file.
        return _cleaned(data.decode("utf-8", errors="surrogatepass"), "utf-8", ())
    except UnicodeDecodeError:
        pass
    text = data.decode("utf-8", errors="replace")
    broken = text.count(REPLACEMENT)
    # Letters of another encoding next to each other rarely form UTF-8: where most of them do, this is damaged UTF-8.
    whole = len(data) - len(data.translate(None, bytes(range(0xC2, 0xF5))))
    if broken * 10 <= whole - broken:
        return _cleaned(text, "utf-8", (_damage_note("utf-8", error),))
    for encoding in _detect(data):
        try:
            return _decode_detected(data, encoding)
        except UnicodeDecodeError:
            continue
    raise ContentError("its bytes are neither UTF-8 nor in any encoding that can be recognised; save it as UTF-8")


def _decode_detected(data: bytes, encoding: str) -> Decoded:
    return _cleaned(data.decode(encoding), encoding, (f"read as {_NAMES.get(encoding, encoding)} (detected)",))


def _detect(data: bytes) -> list[str]:
    """Encodings that may fit, best first."""
    from charset_normalizer import from_bytes

    sample = b"".join(_high_lines(data))
    # Western letters stand alone or in pairs ("Größe"); letters of other alphabets side by side.
    adjacent = sum(map(len, _HIGH_RUN.findall(sample)))
    if not sample.translate(None, _ASCII + _WESTERN) and adjacent * 2 <= len(sample.translate(None, _ASCII)):
        return ["cp1252"]
    matches = from_bytes(
        sample, steps=3, chunk_size=1024, language_threshold=0.0, cp_exclusion=["utf_16", "utf_16_be", "utf_16_le", "utf_32"]
    )
    best = matches.best()
    if best is None:
        return []
    alike = best.could_be_from_charset
    likely = [encoding for encoding in _LIKELY if encoding in alike]
    return list(dict.fromkeys((*likely, best.encoding, *(match.encoding for match in matches))))


def _high_lines(data: bytes) -> list[bytes]:
    """Pieces of lines with bytes that are not ASCII, up to SAMPLE_BYTES: the rest says nothing about the encoding."""
    pieces: list[bytes] = []
    size = end = 0
    for match in _HIGH.finditer(data):
        if match.start() < end:
            continue
        low = max(match.start() - _AROUND, end)
        start = max(data.rfind(b"\n", low, match.start()) + 1, low)
        end = data.find(b"\n", match.end(), match.end() + _AROUND) + 1 or match.end() + _AROUND
        pieces.append(data[start:end])
        size += end - start
        if size >= SAMPLE_BYTES:
            break
    return pieces


def _wide_encoding(data: bytes) -> Literal["utf-16-le", "utf-16-be"] | None:
    """UTF-16 without a mark, of a mostly Latin text: every other byte is NUL."""
    sample = data[:SAMPLE_BYTES]
    half = len(sample) // 2
    if half < 2 or len(data) % 2:
        return None
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if odd >= 0.6 * half and even <= 0.02 * half:
        return "utf-16-le"
    if even >= 0.6 * half and odd <= 0.02 * half:
        return "utf-16-be"
    return None


def _require_text(data: bytes, *, share: float) -> None:
    """Raises SkippedContent when more than `share` of the bytes are control characters."""
    sample = data[:SAMPLE_BYTES]
    controls = len(sample) - len(sample.translate(None, _CONTROLS))
    if controls > max(share * len(sample), 1):
        raise SkippedContent("binary file (control characters)")
