"""From detections to numbers: edge rule, intervals, slides."""
