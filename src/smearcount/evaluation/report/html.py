"""What a page on an evaluation is made of: one self-contained HTML file, pictures inside."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Iterable, Sequence
from importlib import resources
from typing import TYPE_CHECKING

from PIL.Image import Image as PILImage

from smearcount import __version__

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def page(title: str, sections: Iterable[str]) -> str:
    """Return a whole HTML page.

    Args:
        title: plain text.
        sections: HTML, as :mod:`smearcount.evaluation.report.sections` makes it.
    """
    style = (resources.files("smearcount.evaluation.report") / "page.css").read_text(
        encoding="utf-8"
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{as_html(title)}</title>\n<style>{style}</style>\n</head>\n<body>\n"
        + "\n".join(sections)
        + f"\n<footer>Written by smearcount {__version__}. For research and teaching; "
        "not a medical device.</footer>\n</body>\n</html>\n"
    )


def embedded(drawn: Figure | PILImage, alt: str, caption: str) -> str:
    """Return a picture as part of the page itself.

    Args:
        drawn: a figure (kept as PNG) or a photograph (as JPEG).
        alt: what it shows, for readers who cannot see it; plain text.
        caption: plain text.
    """
    stream = io.BytesIO()
    if isinstance(drawn, PILImage):
        drawn.save(stream, "JPEG", quality=85)
        kind = "jpeg"
    else:
        drawn.savefig(stream, format="png")
        kind = "png"
    data = base64.b64encode(stream.getvalue()).decode("ascii")
    return (
        f'<figure><img alt="{as_html(alt)}" src="data:image/{kind};base64,{data}">'
        f"<figcaption>{as_html(caption)}</figcaption></figure>"
    )


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of HTML cells."""
    header = "".join(f"<th>{cell}</th>" for cell in head)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>\n" for row in rows)
    return (
        f'<div class="scroll"><table><thead><tr>{header}</tr></thead>\n<tbody>\n{body}</tbody>'
        "</table></div>"
    )


def as_html(plain: str) -> str:
    """Return plain text as HTML, its percent signs kept beside their numbers."""
    return html.escape(plain, quote=True).replace(" %", "&nbsp;%")
