"""Public data sets: fetched from where they are published, verified, and cut for the exercise."""
