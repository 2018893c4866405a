"""The subjects of the dataset, one a file, in the same form as those of a clip; their meters are fed clips."""
