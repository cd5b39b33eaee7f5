"""Retrieval quality on judged collections."""
