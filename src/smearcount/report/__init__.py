"""The files of a batch: tables, a page to print, and the record to repeat it."""
