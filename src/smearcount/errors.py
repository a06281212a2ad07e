"""What can go wrong, as one small tree.

SmearcountError                every error that the package raises on purpose
├── UsageError                 a setting, option or path that cannot be meant; exit code 2
├── ImageError                 one image file cannot be read or is not an image
├── ModelError                 a model or its card is missing, unknown, damaged or does not match
├── DataError                  an annotation file or data set is broken
└── DownloadError              a download failed or did not match its digest

Each message is one sentence for the person at the screen: which file, what is wrong, what to do.
"""

from __future__ import annotations


class SmearcountError(Exception):
    """Base of all errors raised on purpose; its text is a sentence fit to show a user."""


class UsageError(SmearcountError):
    """An option, setting or path makes no sense; the command line exits with 2."""


class ImageError(SmearcountError):
    """One image cannot be read; a batch records it and goes on."""


class ModelError(SmearcountError):
    """A model file or its card is missing, unknown, damaged or does not match its hash."""


class DataError(SmearcountError):
    """An annotation file or data set cannot be understood."""


class DownloadError(SmearcountError):
    """A download failed, or what came does not match its published digest."""
