"""Pixels in: reading files, and cutting large fields into tiles."""
