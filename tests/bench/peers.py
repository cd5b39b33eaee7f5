"""What other tools do, measured for khojd on the same kind of machine (2 shared cores) with other work on it."""

from tests.bench.table import Row

SOURCE = "measured on the same kind of machine, November 2026"

KHOJ = "Khoj 2.0.0b29"
QMD = "qmd 2.8.3"
BASIC_MEMORY = "basic-memory 0.23.2"
MINIMAL_RAG = "Chroma + sentence-transformers script"
FTS5 = "SQLite FTS5 script"


def peer(what: str, name: str, figure: str) -> Row:
    """A row of a peer alone."""
    return Row(what, "", f"{name}: {figure}", SOURCE)


INDEXING = (
    peer("files to searchable", KHOJ, "5.6 files/s (1,016 notes), 9.6 files/s (13,415 small notes)"),
    peer("files to words-searchable", QMD, "979 files/s (13,415 small notes), 813 files/s (1,016 notes)"),
    peer("files to words-searchable", BASIC_MEMORY, "7 files/s (3,500 notes in 500 s)"),
    peer("files to words-searchable, no parsing", FTS5, "0.6 s for 13,415 small notes"),
)
EMBEDDING = (peer("entries embedded", KHOJ, "19 entries/s"),)
RESCAN = (
    peer("unchanged re-sync", KHOJ, "8.3 s for 1,016 files"),
    peer("unchanged re-sync", QMD, "1.57 s for 13,415 files"),
    peer("unchanged re-sync", BASIC_MEMORY, "1.94 s for 1,033 files"),
)
LATENCY = (
    peer("search by meaning, not cached", KHOJ, "p50 113, p95 141 ms at 12,700 entries; p50 182, p95 214 ms at 25,000"),
    peer("search by meaning, cached", KHOJ, "11 ms"),
    peer("search by words", QMD, "p50 7.7, p95 14 ms warm; p50 177, p95 199 ms as a process"),
    peer("search by words", BASIC_MEMORY, "p50 16, p95 32 ms warm"),
    peer("search by meaning", MINIMAL_RAG, "p50 12, p95 15 ms"),
    peer("search by words", FTS5, "p50 0.7, p95 4.5 ms"),
)
FRESHNESS = (
    peer("an edit is found", KHOJ, "on the client's next sync (10 to 60 minutes)"),
    peer("an edit is found", QMD, "never (needs `qmd update`)"),
    peer("an edit is found", BASIC_MEMORY, "0.4 to 0.7 s"),
)
STARTUP = (
    peer("start to first healthy answer", KHOJ, "12.9 s"),
    peer("start to first healthy answer", QMD, "0.28 s"),
    peer("one query of the command line", BASIC_MEMORY, "4.3 s"),
    peer("model load", MINIMAL_RAG, "6 to 21 s"),
)
MEMORY = (
    peer("memory idle / after indexing", KHOJ, "780 / 1,100 to 1,400 MB"),
    peer("memory idle / after indexing", QMD, "200 / 731 MB (13,000 notes, words only)"),
    peer("memory idle", BASIC_MEMORY, "242 MB (words only)"),
    peer("memory idle", MINIMAL_RAG, "1,000 to 1,300 MB"),
)
