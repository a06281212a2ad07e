"""Calibration: fit the thresholds, count intervals and reference statistics of a model's card.

>>> from smearcount.calibration import calibrate
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
