"""The line scanner against markdown-it: where it says that it is sure, both find the same."""

import re
from pathlib import Path

from hypothesis import example, given

from khojd.content import frontmatter, markdown_outline
from khojd.content.lines import LineIndex
from tests.content.test_markdown import TEXTS


def check_agreement(text: str) -> bool:
    """Compare headings and the kinds of lines that are not blank; gives whether the scanner was sure."""
    text = re.sub(r"\r\n?", "\n", text).replace("\0", "\ufffd")
    count = len(LineIndex(text))
    scanned, parsed = markdown_outline.by_lines(text, count), markdown_outline.by_parser(text, count)
    if not scanned.exact or parsed is None:
        return False
    assert scanned.headings == parsed.headings
    lines = text.split("\n")
    differing = [number for number in range(count) if scanned.kinds[number] != parsed.kinds[number] and lines[number].strip(" \t")]
    assert differing == []
    return True


@given(TEXTS)
@example("- a\n\n # top\n")
@example("1. a\n # top\n")
@example("-\n\n  # top\n")
@example("> a\n# top\n")
@example("- ```\n  # in\ntop\n===\n")
def test_the_scanner_and_the_parser_agree_on_generated_texts(text: str) -> None:
    check_agreement(text)


def test_the_scanner_is_sure_of_the_usual_and_not_of_the_ambiguous() -> None:
    usual = "# A\n\ntext\n\n- a\n  - b\n    ```\n    code\n    ```\n- c\n\nSub\n---\n\n> quote\n> more\n\n"
    usual += "<div>\nx\n</div>\n\n```\n# c\n```\n"
    usual += "\n- a | b\n  c\nlazy\n===\n  - d\n lazy\n\n- <https://x.org>\nlazy\n"
    assert check_agreement(usual)
    for ambiguous in ("- [a]: b\nlazy\n===\n", "> a\nlazy\n===\n", "[a]: /b\n===\n", "|a\n---\n", "[^1]: x\n\n    # in\n"):
        assert not check_agreement(ambiguous)


def test_the_scanner_and_the_parser_agree_on_real_notes(shared_data: Path) -> None:
    files = [
        file for corpus in ("dendron-vault", "logseq-graph") for file in sorted((shared_data / "corpora" / corpus).rglob("*.md"))
    ]
    texts = [file.read_bytes().decode() for file in files]
    sure = sum(check_agreement(text[frontmatter.read(text).end :]) for text in texts)
    assert sure > 0.8 * len(files)


def test_the_scanner_and_the_parser_agree_on_commonmarks_examples(shared_data: Path) -> None:
    spec = (shared_data / "corpora/nasty/nasty-commonmark/spec.txt").read_text(encoding="utf-8")
    examples = re.findall(r"^`{32} example\n(.*?)^\.$", spec, re.DOTALL | re.MULTILINE)
    assert sum(check_agreement(one.replace("→", "\t")) for one in examples) > 300
