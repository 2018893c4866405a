"""Voice activity engines, one a file: 16 kHz mono in, one `Activity` frame per 270 samples out.

Each module has a class `Engine` with `feed(samples)` and `finish()`, which return speech, voices and overlap of the
frames that became certain; frame n stands for samples [270 n, 270 n + 270) whatever the length of what was fed.
"""
