"""Numbers as text: the same spelling in tables, reports, pictures and messages."""

from __future__ import annotations


def format_decimal(value: float | None, digits: int) -> str:
    """Return a number with a fixed number of decimals, or an empty text where there is none.

    Args:
        value: the number, or None where it is not known.
        digits: how many decimals to show.

    Example:
        >>> format_decimal(0.12345, 2), format_decimal(None, 2)
        ('0.12', '')
    """
    return "" if value is None else f"{value:.{digits}f}"


def format_count(number: int, interval: tuple[int, int] | None) -> str:
    """Return a count with its interval in parentheses, or alone where there is no interval.

    Args:
        number: cells counted.
        interval: the lowest and the highest plausible number, both included.

    Example:
        >>> format_count(214, (205, 224)), format_count(214, None)
        ('214 (205-224)', '214')
    """
    return str(number) if interval is None else f"{number} ({interval[0]}-{interval[1]})"


def pluralize(number: int, noun: str) -> str:
    """Return a number with its noun, which gets an ``s`` unless the number is 1.

    Args:
        number: how many there are.
        noun: in the singular.

    Example:
        >>> pluralize(1, "image"), pluralize(2, "image")
        ('1 image', '2 images')
    """
    return f"{number} {noun}{'' if number == 1 else 's'}"
