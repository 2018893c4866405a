"""Where the work runs, one engine a file, imported only when named: each has `engine(jobs)` with the one method `map`."""
