"""The value that everything downstream reads: detections, and the geometry of boxes."""
