"""Readers of file structure, one family of containers each: what a file claims about itself, and whether it ends whole.

They read headers and the tail of a file, never its audio, and trust no size that they find there: every walk is bounded.
"""
