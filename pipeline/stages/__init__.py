"""The verbs: find, decode, derive, measure, flag, decide, report, manifest. Each takes records and returns records."""
