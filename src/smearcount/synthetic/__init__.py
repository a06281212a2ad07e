"""Drawn smears with known cells: ground truth for tests, the demo and robustness curves.

The names below are public; the modules behind them are imported when a name is first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
