"""The annotation formats: one module each, and one entry each in ``table``."""
