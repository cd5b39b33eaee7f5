"""The fast token counter gives exactly the tokenizer's counts."""

import subprocess
import sys
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from khojd.embed import tokens
from khojd.embed.tokens import count_tokens, default_counter, tokenizer


def exact(text: str) -> int:
    return len(tokenizer().encode(text, add_special_tokens=False).ids)


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_counts_any_text_like_the_tokenizer(text: str) -> None:
    assert count_tokens(text) == exact(text)


@settings(deadline=None)
@given(st.text(st.sampled_from("aé́ \t\n\r\x0b\x0c\x1c\x1f\x85\u00a0\u2028\u3000\u200b\ufeff\ufffd-.[]日本ไทย🙂ß\x00")))
def test_counts_blanks_controls_and_scripts_without_blanks_like_the_tokenizer(text: str) -> None:
    assert count_tokens(text) == exact(text)


def test_counts_a_vertical_tab_as_nothing_because_bert_deletes_it() -> None:
    assert count_tokens("note\x0bbook") == exact("note\x0bbook") == count_tokens("notebook")


def test_counts_special_tokens_written_in_a_text() -> None:
    assert count_tokens("see [SEP] and x[MASK]y") == exact("see [SEP] and x[MASK]y")


def test_takes_lone_surrogates() -> None:
    assert count_tokens("broken \ud800 emoji") == count_tokens("broken emoji")


def test_a_line_of_300_000_characters_without_blanks_is_counted() -> None:
    assert count_tokens("x" * 300_000) == exact("x" * 300_000)
    assert count_tokens("漢" * 300_000) == 300_000


def test_remembers_a_bounded_number_of_words() -> None:
    counter = default_counter()
    for start in range(0, 120_000, 10_000):
        counter(" ".join(f"w{number}" for number in range(start, start + 10_000)))
    counter("y" * 1000)
    assert 0 < len(tokens._known) <= 100_000
    assert max(map(len, tokens._known)) <= 40
    assert counter("w1 w119999") == exact("w1 w119999")


def test_agrees_with_the_tokenizer_on_every_file_of_the_shared_corpora(shared_data: Path) -> None:
    files = sorted(path for path in (shared_data / "corpora").rglob("*") if path.suffix in (".org", ".md", ".txt"))[::20]
    assert len(files) > 50
    for path in files:
        text = path.read_text(encoding="utf-8", errors="replace")
        assert count_tokens(text) == exact(text), path


def test_counting_imports_neither_numpy_nor_onnxruntime() -> None:
    code = "import sys; from khojd.embed.tokens import count_tokens; count_tokens('a b'); print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"numpy", "onnxruntime", "torch", "transformers"} & set(modules)
