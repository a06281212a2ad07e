"""The errors that this package raises on purpose, as one small tree.

SmearcountError                every error raised on purpose
├── UsageError                 an argument, setting, option or path that makes no sense
├── ImageError                 an image cannot be read, or is not an image
├── ModelError                 a model or its card is missing, unknown, damaged or does not match
├── DataError                  an annotation file or data set is broken
├── DownloadError              a download failed or did not match its digest
└── WriteError                 results cannot be written: a full disk, a folder that is read-only

Each message is one sentence for the user: which file, what is wrong, what to do. The command line
prints it and exits with 2 for a UsageError and with 1 for any other.
"""

from __future__ import annotations


class SmearcountError(Exception):
    """Base of all errors raised on purpose; its text is a sentence fit to show a user.

    Example:
        >>> import smearcount
        >>> try:
        ...     smearcount.count("missing.png")
        ... except smearcount.SmearcountError as error:
        ...     print(error)
        missing.png: there is no such file; check the path.
    """


class UsageError(SmearcountError):
    """An argument, setting, option or path makes no sense."""


class ImageError(SmearcountError):
    """One image cannot be read; a batch records it and continues."""


class ModelError(SmearcountError):
    """A model file or its card is missing, unknown, damaged or does not match its hash."""


class DataError(SmearcountError):
    """An annotation file or data set cannot be understood."""


class DownloadError(SmearcountError):
    """A download failed, or what came does not match its published digest."""


class WriteError(SmearcountError):
    """Results cannot be written: the disk is full, or the folder is read-only or gone."""
