"""Drawn smears with known cells: ground truth for tests, the demo and robustness curves."""
