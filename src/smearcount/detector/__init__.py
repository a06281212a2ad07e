"""Pixels to detections: models and their cards, the magnification they want, large fields."""
