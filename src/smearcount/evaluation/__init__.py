"""Is it right? Detections and counts measured against truth."""
