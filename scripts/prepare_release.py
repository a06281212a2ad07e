"""Make a checkout ready to be built as a release: ``prepare_release.py TAG REPOSITORY_URL``.

Fails unless the tag is the version of the code and CHANGELOG has a section for it. Then it writes
into the checkout what only a published release can know: the links of README become absolute, so
that they work on PyPI, commands install the package by name, and pyproject.toml gets the URLs.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def version_of(code: str) -> str:
    """Return the version that ``__init__.py`` names."""
    found = re.search(r'^__version__ = "(.+)"$', code, re.MULTILINE)
    if found is None:
        raise SystemExit("src/smearcount/__init__.py names no version.")
    return found[1]


def readme_of_release(text: str, url: str, tag: str) -> str:
    """Return README with absolute links and with commands that install the released package."""

    def absolute(found: re.Match[str]) -> str:
        kind = "raw" if found[1] == "!" else "blob"
        return f"{found[1]}[{found[2]}]({url}/{kind}/{tag}/{found[3]})"

    text = re.sub(r"(!?)\[([^]]*)\]\((?!https?:|#)([^)\s]+)\)", absolute, text)
    text = re.sub(r"pip install '\.\[", "pip install 'smearcount[", text)
    return text.replace("pip install -q . ", "pip install -q smearcount ")


def project_urls(url: str, tag: str) -> str:
    """Return the table ``project.urls`` of pyproject.toml."""
    return (
        "\n[project.urls]\n"
        f'Source = "{url}"\n'
        f'Documentation = "{url}/tree/{tag}/docs"\n'
        f'Changelog = "{url}/blob/{tag}/CHANGELOG.md"\n'
        f'Issues = "{url}/issues"\n'
    )


def main() -> None:
    """Check the version and rewrite README.md and pyproject.toml."""
    tag, url = sys.argv[1], sys.argv[2].rstrip("/")
    version = version_of((ROOT / "src/smearcount/__init__.py").read_text(encoding="utf-8"))
    if tag != f"v{version}":
        raise SystemExit(f"the tag {tag} is not the version {version} of the code.")
    if f"## [{version}]" not in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"):
        raise SystemExit(f"CHANGELOG.md has no section [{version}].")
    if f"\nversion: {version}\n" not in (ROOT / "CITATION.cff").read_text(encoding="utf-8"):
        raise SystemExit(f"CITATION.cff does not name the version {version}.")
    readme, project = ROOT / "README.md", ROOT / "pyproject.toml"
    text = readme.read_text(encoding="utf-8")
    readme.write_text(readme_of_release(text, url, tag), encoding="utf-8")
    with project.open("a", encoding="utf-8") as file:
        file.write(project_urls(url, tag))


if __name__ == "__main__":
    main()
