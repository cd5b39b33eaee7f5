from datetime import date
from pathlib import Path

import pytest

from khojd.content import registry
from khojd.content.model import ContentSettings, Document
from khojd.content.registry import PROCESSORS, Processor, fingerprint, read, read_text, skip_reason, supported
from khojd.errors import ContentError, SkippedContent

SETTINGS = ContentSettings()


def words(text: str) -> int:
    return len(text.split())


def document(path: str, text: str, settings: ContentSettings = SETTINGS) -> Document:
    return read(path, text.encode(), settings, words)


def days(made: Document, section: int = 0) -> list[tuple[str, str]]:
    return [(ref.kind, date.fromordinal(ref.start).isoformat()) for ref in made.sections[section].dates]


@pytest.mark.parametrize(
    ("name", "format"),
    [
        ("a.org", "org"),
        ("A.ORG", "org"),
        ("a.md", "markdown"),
        ("a.markdown", "markdown"),
        ("a.txt", "text"),
        ("a.rst", "text"),
        ("config.el", "text"),
        ("Makefile", "text"),
        (".hidden", "text"),
        ("a.b.unknown", "text"),
    ],
)
def test_the_extension_chooses_the_format_and_other_text_is_plain(name: str, format: str) -> None:
    assert supported(name)
    assert document(f"/notes/{name}", "some text\n").format == format


@pytest.mark.parametrize(
    "name", ["a.pdf", "A.PNG", "b.docx", "c.zip", "d.mp3", "e.org.gpg", "f.ipynb", "g.sqlite", ".note.org.swp"]
)
def test_formats_that_are_not_read_are_skipped_by_name_with_the_reason(name: str) -> None:
    extension = name.rpartition(".")[2].lower()
    assert not supported(name)
    assert extension in (skip_reason(name) or "")
    with pytest.raises(SkippedContent) as caught:
        read(f"/notes/{name}", b"whatever", SETTINGS, words)
    assert caught.value.message == skip_reason(name)
    assert caught.value.data["file"] == f"/notes/{name}"


def test_pdf_is_said_to_be_not_read_yet() -> None:
    assert skip_reason("paper.pdf") == "pdf is not read yet"


def test_binary_content_under_a_text_name_is_skipped() -> None:
    with pytest.raises(SkippedContent, match="binary"):
        read("/notes/a.org", b"\x89PNG\r\n\x1a\n\0\0\0", SETTINGS, words)


def test_a_file_over_the_limit_is_skipped_with_both_sizes() -> None:
    with pytest.raises(SkippedContent, match=r"11 > 10 bytes"):
        read("/notes/a.txt", b"x" * 11, ContentSettings(max_file_bytes=10), words)


def test_an_org_file_becomes_a_document(tmp_path: Path) -> None:
    note = tmp_path / "garden.org"
    note.write_bytes(b"#+TITLE: Garden\nintro\n* TODO Sow peas :spring:\nthe soil is to be warm and it is not\n")
    made = read(str(note), note.read_bytes(), SETTINGS)
    assert (made.format, made.title, made.encoding, made.language) == ("org", "Garden", "utf-8", "en")
    assert [(entry.headings, entry.text) for entry in made.entries] == [
        ((), "intro\n"),
        (("Sow peas",), "the soil is to be warm and it is not\n"),
    ]
    assert made.sections[1].tags == ("spring",)


def test_a_markdown_file_becomes_a_document() -> None:
    made = document("/notes/a.md", "---\ntitle: Reise\nlang: de-AT\n---\n# Wien\nText\n")
    assert (made.format, made.title, made.language) == ("markdown", "Reise", "de")
    assert made.entries[-1].headings[-1] == "Wien"


def test_a_detected_encoding_is_noted_on_the_document() -> None:
    made = read("/notes/a.txt", "Grüße aus Köln".encode("cp1252"), SETTINGS, words)
    assert made.encoding == "cp1252"
    assert made.notes == ("read as windows-1252 (detected)",)
    assert made.entries[0].text == "Grüße aus Köln"


def test_dates_in_headings_and_bodies_belong_to_their_own_section() -> None:
    made = document("/notes/a.md", "intro 2024-01-01\n# On 2024-02-02\nand 3 March 2024\n# Other\nno date\n")
    assert days(made, 0) == [("text", "2024-01-01")]
    assert days(made, 1) == [("text", "2024-02-02"), ("text", "2024-03-03")]
    assert days(made, 2) == []


def test_the_date_in_a_file_name_belongs_to_every_section() -> None:
    made = document("/notes/2024-05-01.md", "intro\n# A\ntext\n")
    assert [days(made, index) for index in range(len(made.sections))] == [[("filename", "2024-05-01")]] * len(made.sections)
    assert days(document("/notes/daily.journal.2024.05.01", "x")) == [("filename", "2024-05-01")]
    assert days(document("/notes/daily.journal.2024.05.01.md", "x")) == [("filename", "2024-05-01")]


def test_the_date_in_front_matter_belongs_to_every_section() -> None:
    made = document("/notes/a.md", "---\ndate: 2024-05-01\n---\nintro\n# A\ntext\n")
    assert len(made.sections) == 2
    assert all(("frontmatter", "2024-05-01") in days(made, index) for index in range(2))


def test_a_timestamp_is_not_listed_again_as_a_date_in_text() -> None:
    made = document("/notes/a.org", "* Meeting\n<2024-05-01 Wed> and <2024-05-01 Wed>\n")
    assert days(made, 1) == [("timestamp", "2024-05-01")]


def test_dates_in_metadata_lines_are_not_dates_in_text() -> None:
    made = document("/notes/a.org", "* A\n:PROPERTIES:\n:NOTE: 2024-05-01\n:END:\nbody 2024-06-01\n")
    assert days(made, 1) == [("text", "2024-06-01")]


def test_the_order_of_day_and_month_follows_the_setting() -> None:
    assert days(document("/notes/a.txt", "03/04/2024")) == [("text", "2024-04-03")]
    assert days(document("/notes/a.txt", "03/04/2024", ContentSettings(day_first=False))) == [("text", "2024-03-04")]


def test_a_buffer_is_read_like_a_file_and_keeps_its_offsets() -> None:
    text = "* A\nlone \ud800 surrogate and \0 nul\n* B\nb\n"
    made = read_text("/notes/a.org", text, SETTINGS, words)
    assert made.entries[0].text == "lone \ufffd surrogate and \ufffd nul\n"
    assert text[made.entries[1].span.start :].startswith("* B")
    assert "2 characters" in made.notes[0]


def test_the_language_is_that_of_the_body_not_of_keywords_around_it() -> None:
    head = ":PROPERTIES:\n:ID: the-of-and-to-in-is\n:END:\n#+TITLE: x\n#+DESCRIPTION: this is the one for you and me\n"
    text = head + "Das ist nicht die Stadt.\n"
    assert document("/notes/a.org", text).language == "de"


def test_an_empty_file_has_no_entries() -> None:
    for name in ("a.org", "a.md", "a.txt"):
        assert document(f"/notes/{name}", "").entries == ()
        assert document(f"/notes/{name}", "\n \n").entries == ()


def test_a_processor_that_breaks_fails_the_file_and_names_the_format(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(text: str, settings: ContentSettings) -> None:
        raise IndexError("no such line")

    monkeypatch.setitem(PROCESSORS, ".odd", Processor("odd", broken))  # type: ignore[arg-type]
    with pytest.raises(ContentError, match=r"could not be read as odd: IndexError: no such line") as caught:
        document("/notes/a.odd", "text")
    assert caught.value.data["file"] == "/notes/a.odd"


def test_the_fingerprint_follows_every_setting_and_the_parsers(monkeypatch: pytest.MonkeyPatch) -> None:
    made = {
        fingerprint(settings)
        for settings in (
            SETTINGS,
            ContentSettings(entry_tokens=128),
            ContentSettings(include_archived=True),
            ContentSettings(todo_keywords=("HOLD",)),
            ContentSettings(day_first=False),
        )
    }
    assert len(made) == 5
    assert fingerprint(ContentSettings()) == fingerprint(SETTINGS)
    monkeypatch.setattr(registry, "VERSION", registry.VERSION + 1)
    assert fingerprint(SETTINGS) not in made


def test_files_made_to_torture_parsers_are_read_or_fail_with_a_reason(shared_data: Path) -> None:
    files = [path for path in (shared_data / "corpora" / "nasty").rglob("*") if path.is_file()]
    assert files
    for path in files:
        try:
            made = read(str(path), path.read_bytes(), SETTINGS)
        except (ContentError, SkippedContent) as error:
            assert error.message
        else:
            for entry in made.entries:
                assert sum(segment.end - segment.start for segment in entry.segments) == len(entry.text)
