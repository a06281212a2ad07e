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
    """An argument, setting, option or path makes no sense.

    Example:
        >>> import smearcount
        >>> smearcount.Settings(threshold=2)
        Traceback (most recent call last):
            ...
        smearcount.errors.UsageError: threshold must be a number from 0 to 1, not 2.
    """


class ImageError(SmearcountError):
    """One image cannot be read; a batch records it and continues.

    Example:
        >>> import smearcount
        >>> smearcount.open_image("missing.png")
        Traceback (most recent call last):
            ...
        smearcount.errors.ImageError: missing.png: there is no such file; check the path.
    """


class ModelError(SmearcountError):
    """A model file or its card is missing, unknown, damaged or does not match its hash.

    Example:
        >>> import smearcount
        >>> try:
        ...     smearcount.load_detector("model.onnx")
        ... except smearcount.ModelError as error:
        ...     print(str(error).split(";")[0])
        model.onnx: there is no such model
    """


class DataError(SmearcountError):
    """An annotation file or data set cannot be understood.

    Example:
        >>> import smearcount
        >>> from pathlib import Path
        >>> from smearcount.datasets import read_dataset
        >>> _ = Path("empty.json").write_text("{}")
        >>> try:
        ...     read_dataset("empty.json")
        ... except smearcount.DataError as error:
        ...     print("empty.json" in str(error))
        True
    """


class DownloadError(SmearcountError):
    """A download failed, or what came does not match its published digest.

    Example:
        >>> import smearcount
        >>> from smearcount.datasets import fetch
        >>> # Skipped: it needs a network that fails.
        >>> try:  # doctest: +SKIP
        ...     fetch("bccd", "data")
        ... except smearcount.DownloadError as error:
        ...     print(error)
    """


class WriteError(SmearcountError):
    """Results cannot be written: the disk is full, or the folder is read-only or gone.

    Example:
        >>> import smearcount
        >>> try:
        ...     smearcount.count_folder("slides", out="smear.png")
        ... except smearcount.WriteError as error:
        ...     print("results cannot be written" in str(error))
        True
    """
