"""Fits what a model's card holds: thresholds, intervals, reference statistics."""
