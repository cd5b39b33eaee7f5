-- Version 1. Offsets are code points; lines and columns 0-based; times seconds since the epoch; days proleptic Gregorian ordinals.
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

-- A file (overlay 0), or an editor's buffer standing in for one: 1 where editors share them, else the number of its owner. Files
-- of a folder that is out of reach, and buffers that cannot be read, have visible = 0.
CREATE TABLE documents (
  id INTEGER PRIMARY KEY,
  path TEXT NOT NULL,                     -- absolute
  overlay INTEGER NOT NULL DEFAULT 0,
  visible INTEGER NOT NULL DEFAULT 1,
  folder TEXT NOT NULL,                   -- the configured folder it was found under
  state TEXT NOT NULL CHECK (state IN ('indexed', 'pending', 'skipped', 'failed')),
  reason TEXT NOT NULL DEFAULT '',
  state_at REAL NOT NULL,
  size INTEGER NOT NULL DEFAULT 0,
  mtime_ns INTEGER NOT NULL DEFAULT 0,
  inode INTEGER NOT NULL DEFAULT 0,
  hash BLOB NOT NULL DEFAULT x'',         -- blake2b-16 of the bytes
  fingerprint TEXT NOT NULL DEFAULT '',   -- of the content settings it was read with
  format TEXT NOT NULL DEFAULT '',
  language TEXT NOT NULL DEFAULT '',
  encoding TEXT NOT NULL DEFAULT '',
  title TEXT NOT NULL DEFAULT '',
  notes TEXT NOT NULL DEFAULT '[]',       -- JSON array of remarks
  UNIQUE (path, overlay)
);
CREATE INDEX documents_hash ON documents (hash);

CREATE TABLE entries (
  id INTEGER PRIMARY KEY AUTOINCREMENT,   -- never reused: the words index is keyed by it
  document_id INTEGER NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
  position INTEGER NOT NULL,              -- order in the document
  key BLOB NOT NULL,                      -- Entry.key
  headings TEXT NOT NULL,                 -- JSON array, the entry's own heading last
  start INTEGER NOT NULL, end INTEGER NOT NULL,
  start_line INTEGER NOT NULL, start_column INTEGER NOT NULL,
  end_line INTEGER NOT NULL, end_column INTEGER NOT NULL,
  segments BLOB NOT NULL,                 -- msgpack of tuple[Segment, ...]
  text TEXT NOT NULL,
  day INTEGER,                            -- the date by which lists are ordered, NULL when it has none
  words INTEGER NOT NULL DEFAULT 0,       -- 1: in the words index
  vectors INTEGER NOT NULL DEFAULT 0      -- id of the model it is embedded with, 0: pending
);
CREATE INDEX entries_document ON entries (document_id);
CREATE INDEX entries_words_pending ON entries (id) WHERE words = 0;
CREATE INDEX entries_vectors ON entries (vectors);
CREATE INDEX entries_day ON entries (day) WHERE day IS NOT NULL;

CREATE TABLE sections (
  id INTEGER PRIMARY KEY,
  document_id INTEGER NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
  entry_id INTEGER REFERENCES entries (id) ON DELETE SET NULL,  -- NULL: excluded or without text
  position INTEGER NOT NULL,              -- index in the document's sections
  parent INTEGER NOT NULL,                -- position of the parent, -1 for the root
  level INTEGER NOT NULL,
  heading TEXT NOT NULL,
  start INTEGER NOT NULL, end INTEGER NOT NULL,
  line INTEGER NOT NULL,                  -- of its heading (0 for the root)
  todo TEXT NOT NULL, priority TEXT NOT NULL
);
CREATE INDEX sections_document ON sections (document_id);
CREATE INDEX sections_entry ON sections (entry_id);
CREATE INDEX sections_todo ON sections (todo) WHERE todo <> '';
CREATE INDEX sections_priority ON sections (priority) WHERE priority <> '';

-- kind: tag (key ''), prop (key as written), id (key ''); folded is the casefolded value, folded_key the casefolded key.
-- place is the order within the section.
CREATE TABLE section_values (
  section_id INTEGER NOT NULL REFERENCES sections (id) ON DELETE CASCADE,
  place INTEGER NOT NULL,
  kind TEXT NOT NULL, key TEXT NOT NULL, folded_key TEXT NOT NULL, value TEXT NOT NULL, folded TEXT NOT NULL,
  PRIMARY KEY (section_id, place)
) WITHOUT ROWID;
CREATE INDEX section_values_lookup ON section_values (kind, folded_key, folded);

CREATE TABLE section_dates (
  section_id INTEGER NOT NULL REFERENCES sections (id) ON DELETE CASCADE,
  kind TEXT NOT NULL, start INTEGER NOT NULL, end INTEGER NOT NULL,
  PRIMARY KEY (section_id, kind, start, end)
) WITHOUT ROWID;
CREATE INDEX section_dates_lookup ON section_dates (kind, start, end);

-- Entries gone from the catalog whose words may still be in the words index.
CREATE TABLE words_tombstones (entry_id INTEGER PRIMARY KEY);

-- Embedding models seen. One is active (serves queries); another may be filling up (target).
CREATE TABLE models (id INTEGER PRIMARY KEY, fingerprint TEXT NOT NULL UNIQUE, dimensions INTEGER NOT NULL);

CREATE TABLE chunks (
  id INTEGER PRIMARY KEY,
  entry_id INTEGER NOT NULL REFERENCES entries (id) ON DELETE CASCADE,
  model_id INTEGER NOT NULL REFERENCES models (id) ON DELETE CASCADE,
  start INTEGER NOT NULL, end INTEGER NOT NULL,   -- code points of entries.text
  hash BLOB NOT NULL                              -- vectors.hash
);
CREATE INDEX chunks_entry ON chunks (entry_id);
CREATE INDEX chunks_hash ON chunks (hash);

-- Every vector, so that Chroma can be rebuilt without a model and exact cosines cost no model either.
CREATE TABLE vectors (
  hash BLOB PRIMARY KEY,                  -- blake2b-16 of model fingerprint and compiled text
  model_id INTEGER NOT NULL REFERENCES models (id) ON DELETE CASCADE,
  vector BLOB NOT NULL,                   -- float16, little-endian, L2-normalised
  stored INTEGER NOT NULL DEFAULT 0       -- 1: in Chroma
) WITHOUT ROWID;
CREATE INDEX vectors_pending ON vectors (hash) WHERE stored = 0;
