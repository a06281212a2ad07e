"""Counting many images: workers, a journal to resume from, failures as rows."""
