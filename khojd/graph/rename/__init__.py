"""What must change, and where, when a note, a heading, an anchor or a tag gets another name. Nothing here writes."""
