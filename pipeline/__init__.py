"""voxgate: whether a folder of recordings is good enough to clone a voice from, and what to mend where."""

__version__ = "0.2.0"
