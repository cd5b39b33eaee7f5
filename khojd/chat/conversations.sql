-- Version 1. Times are seconds since the epoch; `folded` is what search looks in: NFKC, case-folded.
CREATE TABLE conversations (
  id TEXT PRIMARY KEY,
  title TEXT NOT NULL,
  titled INTEGER NOT NULL DEFAULT 0,      -- 1: by a person or a model, 0: from the first question
  created REAL NOT NULL,
  updated REAL NOT NULL,
  persona TEXT NOT NULL DEFAULT '',
  filters TEXT NOT NULL DEFAULT '',
  forked_from TEXT NOT NULL DEFAULT '',   -- id of the turn, which may be gone
  folded TEXT NOT NULL                    -- of the title
);
CREATE INDEX conversations_updated ON conversations (updated);

CREATE TABLE turns (
  number INTEGER PRIMARY KEY AUTOINCREMENT,  -- the order of turns
  id TEXT NOT NULL UNIQUE,
  conversation TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
  aside INTEGER NOT NULL DEFAULT 0,       -- 0: part of the conversation; else which time, from 1, turns of it were put aside
  state TEXT NOT NULL,
  saved REAL NOT NULL,
  folded TEXT NOT NULL,                   -- of question and answer
  body TEXT NOT NULL                      -- JSON of the whole Turn
);
CREATE INDEX turns_conversation ON turns (conversation, aside, number);
CREATE INDEX turns_running ON turns (state) WHERE state = 'running';
