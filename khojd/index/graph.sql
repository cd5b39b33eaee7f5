-- Version 2: what links can name, and the links. Filled when a document is stored; older documents are read again, as the
-- fingerprint of their reading changed with it.

-- What a note is called: kind 0 the last part of its path, 1 an alias, 2 its title, 3 the heading it begins with, as it is and as a
-- slug. Files that are not read have names, too.
CREATE TABLE note_names (
  key TEXT NOT NULL,                      -- content/names.py: key of the path, fold of an alias or title
  document_id INTEGER NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
  kind INTEGER NOT NULL,
  name TEXT NOT NULL,                     -- as written
  PRIMARY KEY (key, document_id, kind)
) WITHOUT ROWID;
CREATE INDEX note_names_document ON note_names (document_id);

-- Under which keys the links of a document may be asked for; which of them lead to a note is worked out when it is asked.
CREATE TABLE link_keys (
  key TEXT NOT NULL,
  document_id INTEGER NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
  PRIMARY KEY (key, document_id)
) WITHOUT ROWID;
CREATE INDEX link_keys_document ON link_keys (document_id);

CREATE TABLE document_links (
  document_id INTEGER PRIMARY KEY REFERENCES documents (id) ON DELETE CASCADE,
  links BLOB NOT NULL,                    -- msgpack of tuple[Link, ...]
  anchors BLOB NOT NULL,                  -- msgpack of tuple[Anchor, ...]
  abbreviations TEXT NOT NULL             -- JSON object
);

-- The notes that were changed last are offered first.
CREATE INDEX documents_recent ON documents (mtime_ns) WHERE visible = 1 AND state = 'indexed';
