import io
import random
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khojd.content.decode import SAMPLE_BYTES, clean, decode
from khojd.errors import ContentError, SkippedContent

SENTENCES = {
    "cp1252": "C'était déjà l'été, où les élèves français s'étaient réunis à côté de la forêt.\n",
    "cp1250": "Zażółć gęślą jaźń, dzisiaj idziemy do sklepu po chleb i mleko.\n",
    "cp1251": "Привет, это заметка о встрече в понедельник. Нужно купить молоко и хлеб.\n",
    "cp1253": "Σήμερα πήγα στην αγορά και αγόρασα ψωμί.\n",
    "shift_jis": "今日は友達と東京へ行きました。とても楽しかったです。\n",
    "gb18030": "今天我和朋友去了北京，我们玩得很开心。这是一个笔记。\n",
    "iso2022_jp": "今日は友達と東京へ行きました。\n",
    "utf-16-le": "Today the plan is to write.\n",
    "utf-16-be": "Today the plan is to write.\n",
}


def test_utf8_needs_no_note() -> None:
    decoded = decode("Grüße 𝄞\r\n".encode())
    assert (decoded.text, decoded.encoding, decoded.notes) == ("Grüße 𝄞\r\n", "utf-8", ())


def test_an_empty_file_is_empty_text() -> None:
    assert decode(b"").text == ""


@pytest.mark.parametrize(
    ("encoding", "name"), [("utf-8-sig", "utf-8-sig"), ("utf-16", "utf-16"), ("utf-32", "utf-32"), ("utf_16_be", "utf-16")]
)
def test_a_byte_order_mark_is_heeded_and_no_part_of_the_text(encoding: str, name: str) -> None:
    mark = b"\xfe\xff" if encoding == "utf_16_be" else b""
    decoded = decode(mark + "Käse\n今日".encode(encoding))
    assert (decoded.text, decoded.encoding, decoded.notes) == ("Käse\n今日", name, ())


@pytest.mark.parametrize("encoding", SENTENCES)
@pytest.mark.parametrize("times", [1, 20])
def test_other_encodings_are_detected_and_noted(encoding: str, times: int) -> None:
    text = SENTENCES[encoding] * times
    decoded = decode(text.encode(encoding))
    assert decoded.text == text
    assert len(decoded.notes) == 1
    assert decoded.notes[0].endswith("(detected)")


def test_the_note_names_an_encoding_as_people_know_it() -> None:
    assert decode("Übermut in Größe".encode("cp1252")).notes == ("read as windows-1252 (detected)",)


def test_a_large_file_with_few_foreign_bytes_is_detected_by_them() -> None:
    text = "plain words on a line\n" * (3 * SAMPLE_BYTES // 22) + "naïve façade déjà vu\n"
    assert decode(text.encode("cp1252")).text == text


def test_damaged_utf8_stays_utf8() -> None:
    data = ("今日は友達と東京へ行きました。" * 20).encode()
    decoded = decode(data[:100] + b"\xff" + data[100:])
    assert decoded.encoding == "utf-8"
    assert decoded.text.count("今日は友達") >= 19
    assert "damaged utf-8" in decoded.notes[0]


def test_utf16_with_half_a_character_at_its_end_is_read_and_noted() -> None:
    decoded = decode("Eine längere Notiz mit Text".encode("utf-16") + b"\x41")
    assert decoded.text.startswith("Eine längere Notiz")
    assert "damaged utf-16" in decoded.notes[0]


def test_what_only_starts_like_utf16_fails_with_a_reason() -> None:
    with pytest.raises(ContentError, match="starts as utf-16"):
        decode(b"\xff\xfe" + b"\x00\xdc" * 40)


def test_a_stray_nul_keeps_the_note_and_its_offsets() -> None:
    decoded = decode(b"a line of a note\0 with a slip in it\nand another")
    assert decoded.text == "a line of a note\ufffd with a slip in it\nand another"
    assert "1 character" in decoded.notes[0]


def test_a_stray_nul_is_no_reason_to_drop_a_note_in_another_encoding() -> None:
    data = (SENTENCES["cp1252"] * 3).encode("cp1252") + b"\0"
    assert decode(data).text == SENTENCES["cp1252"] * 3 + "\ufffd"


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"%PDF-1.7\n...", "pdf"),
        (b"\x89PNG\r\n\x1a\n....", "png"),
        (b"\xff\xd8\xff\xe0..", "jpeg"),
        (b"\x1f\x8b\x08....", "gzip"),
        (b"SQLite format 3\0...", "sqlite"),
        (b"\0\0\0\x20ftypisom", "iso media"),
        (b"-----BEGIN PGP MESSAGE-----\n", "encrypted"),
    ],
)
def test_binary_files_are_skipped_by_kind(data: bytes, kind: str) -> None:
    with pytest.raises(SkippedContent, match=kind):
        decode(data)


def test_a_zip_file_is_skipped() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("note.txt", "text " * 100)
    with pytest.raises(SkippedContent, match="zip"):
        decode(buffer.getvalue())


@pytest.mark.parametrize("data", [bytes(100), b"\x01\x02\x03\x00" * 100, random.Random(1).randbytes(5000)])
def test_bytes_that_are_no_text_are_skipped(data: bytes) -> None:
    with pytest.raises(SkippedContent, match="binary file"):
        decode(data)


def test_lone_surrogates_are_replaced_one_for_one() -> None:
    text, notes = clean("a\ud800b\udc00\0c")
    assert text == "a\ufffdb\ufffd\ufffdc"
    assert "3 characters" in notes[0]
    assert clean("a𝄞b") == ("a𝄞b", ())


@pytest.mark.parametrize("text", ["the petrel \ud800 flies", "\udc00", "größer \ud83d\ude00 als \udfff"])
def test_utf8_with_halves_of_surrogate_pairs_is_utf8_and_noted(text: str) -> None:
    decoded = decode(text.encode("utf-8", "surrogatepass"))
    assert (decoded.encoding, decoded.text) == ("utf-8", clean(text)[0])
    assert "lone surrogate" in decoded.notes[0]


@given(st.binary(max_size=300))
def test_any_bytes_are_text_skipped_or_failed(data: bytes) -> None:
    try:
        decoded = decode(data)
    except (SkippedContent, ContentError) as error:
        assert error.message
    else:
        decoded.text.encode()
        assert "\0" not in decoded.text


@given(st.text(max_size=200))
def test_utf8_text_comes_back_as_it_was(text: str) -> None:
    data = text.encode()
    try:
        decoded = decode(data)
    except SkippedContent:
        return  # control characters or a signature
    if decoded.encoding == "utf-8":
        assert len(decoded.text) == len(text)
        assert decoded.text == text.replace("\0", "\ufffd")
