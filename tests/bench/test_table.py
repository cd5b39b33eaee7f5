"""The tables that the benchmarks print."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bench.table import Row, Table, figure, markdown, percentile, plain


def test_percentiles_are_interpolated_between_neighbours() -> None:
    values = [4.0, 1.0, 3.0, 2.0]
    assert percentile(values, 0.0) == 1.0
    assert percentile(values, 0.5) == 2.5
    assert percentile(values, 1.0) == 4.0
    assert percentile([7.0], 0.95) == 7.0


@given(st.lists(st.floats(-1e6, 1e6), min_size=1), st.floats(0, 1))
def test_a_percentile_lies_within_the_values(values: list[float], share: float) -> None:
    assert min(values) - 1e-6 <= percentile(values, share) <= max(values) + 1e-6


def test_no_values_have_no_percentile() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)


def test_columns_of_a_plain_table_start_at_the_same_place_in_every_line() -> None:
    table = Table("Title", (Row("a", "1 ms", "2 ms", "target"), Row("日本語", "100 files/s", "3", "this run")), ("a note",))
    title, _, header, _, first, second, note = plain(table).splitlines()
    assert title == "Title"
    assert header.index("khojd") == first.index("1 ms")
    assert second.index("100 files/s") == header.index("khojd") - 3  # each of the three characters is two columns wide
    assert header.index("target or peer") == first.index("2 ms")
    assert note == "* a note"


def test_a_markdown_table_has_as_many_cells_in_every_line() -> None:
    lines = markdown(Table("Title", (Row("words | meaning", "1 ms"),), ("a note",))).splitlines()
    assert lines[0] == "### Title"
    assert [line.replace("\\|", "").count("|") for line in lines[2:5]] == [5, 5, 5]
    assert lines[-1] == "- a note"


@pytest.mark.parametrize(("value", "text"), [(1234.5, "1,234"), (99.96, "100.0"), (12.34, "12.3"), (0.123, "0.12")])
def test_figures_have_about_three_digits(value: float, text: str) -> None:
    assert figure(value) == text
