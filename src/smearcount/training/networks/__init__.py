"""The detectors that can be trained, their losses and their weights."""
