"""Drawn smears whose every cell is known: ground truth for tests, the demo and stress curves."""
