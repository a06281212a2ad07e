"""A counted image: the result, its corrections, its totals, and how it is stored."""
