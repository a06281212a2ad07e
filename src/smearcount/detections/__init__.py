"""Detections, the geometry of boxes, and NMS."""
