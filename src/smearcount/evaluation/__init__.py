"""Evaluation: how well a model finds and counts the cells of annotated images.

>>> from smearcount.evaluation import compare_counts, evaluate, match_detections
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
