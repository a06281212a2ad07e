"""Is the picture fit to count? Warnings that say how sure to be, and never hide a count."""
