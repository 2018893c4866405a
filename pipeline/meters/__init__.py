"""Streaming measurements by published standards, each a small class that knows nothing of clips, limits or findings."""
