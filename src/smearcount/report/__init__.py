"""What is left of a count: tables, annotated pictures, and the record to repeat it."""
