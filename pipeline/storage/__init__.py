"""Where files live: hashing, atomic writing, JSON of our records, and the journal."""
