"""The subjects of a clip, one a file, always the same parts in the same order: Limits, Meter, checks."""
