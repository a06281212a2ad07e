from .average_precision import (
    DetectionScores,
    detection_scores,
    mean_average_precision,
)
from .count_agreement import (
    ALLOWED_ERROR,
    CountAgreement,
    Estimate,
    SlideCount,
    compare_counts,
    count_slides,
)
from .error_types import (
    ERROR_TYPES,
    ErrorTypes,
    count_error_types,
)
from .evaluation import (
    ALL_CLASSES,
    CountEvaluation,
    EvaluatedImage,
    Evaluation,
    evaluate,
    evaluate_detections,
)
from .matching import (
    GroundTruth,
    Match,
    match_detections,
)
from .missing_labels import (
    MissingLabel,
    find_missing_labels,
)
from .report.figures import (
    bland_altman_figure,
    scatter_figure,
)
from .robustness import (
    SWEEPS,
    Curve,
    Sweep,
    measure_robustness,
)

__all__ = [
    "ALLOWED_ERROR",
    "ALL_CLASSES",
    "ERROR_TYPES",
    "SWEEPS",
    "CountAgreement",
    "CountEvaluation",
    "Curve",
    "DetectionScores",
    "ErrorTypes",
    "Estimate",
    "EvaluatedImage",
    "Evaluation",
    "GroundTruth",
    "Match",
    "MissingLabel",
    "SlideCount",
    "Sweep",
    "bland_altman_figure",
    "compare_counts",
    "count_error_types",
    "count_slides",
    "detection_scores",
    "evaluate",
    "evaluate_detections",
    "find_missing_labels",
    "match_detections",
    "mean_average_precision",
    "measure_robustness",
    "scatter_figure",
]
