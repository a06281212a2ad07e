"""What an evaluation shows: figures, tables, sentences, HTML."""
