"""Situations that the test suites of other note servers try, tried on this one with notes of our own.

Where the peers differ from one another, the tests say what Obsidian, Org mode or CommonMark do. Each module names its sources.
"""
