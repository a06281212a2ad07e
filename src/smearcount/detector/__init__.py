"""Pixels to detections: models and their cards, magnification, tiles."""
