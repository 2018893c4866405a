"""What a person sees in the terminal: progress while a check runs, and the summary at its end."""
