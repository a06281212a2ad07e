"""From detections to numbers: edge rules, intervals, slides."""
