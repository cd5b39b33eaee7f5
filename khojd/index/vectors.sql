-- Version 5. A vector has a number, and its hash an index: in a table in the order of the hashes such large rows made a tree of
-- seven levels, each read for each vector. The indexes on chunks hold all that a search wants of them.
CREATE TABLE numbered_vectors (
  id INTEGER PRIMARY KEY,
  hash BLOB NOT NULL UNIQUE,              -- blake2b-16 of model fingerprint and compiled text
  model_id INTEGER NOT NULL REFERENCES models (id) ON DELETE CASCADE,
  vector BLOB NOT NULL,                   -- float16, little-endian, L2-normalised
  stored INTEGER NOT NULL DEFAULT 0       -- 1: in Chroma
);
INSERT INTO numbered_vectors (hash, model_id, vector, stored) SELECT hash, model_id, vector, stored FROM vectors;
DROP TABLE vectors;
ALTER TABLE numbered_vectors RENAME TO vectors;
CREATE INDEX vectors_pending ON vectors (hash) WHERE stored = 0;
DROP INDEX chunks_entry;
DROP INDEX chunks_hash;
CREATE INDEX chunks_entry ON chunks (entry_id, model_id, start, end, hash);
CREATE INDEX chunks_hash ON chunks (hash, model_id, entry_id, start, end);
