"""Where files live: hashing, atomic writing, and our records as JSON."""
