"""What a release changes in README and pyproject.toml before it is built."""

import importlib.util
import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
URL = "https://forge.example/someone/smearcount"
_SPEC = importlib.util.spec_from_file_location("release", ROOT / "scripts" / "prepare_release.py")
release = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(release)


def test_every_relative_link_of_readme_exists_and_becomes_absolute():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#]+)\)", text)
    relative = [link for link in links if not link.startswith("http")]
    assert relative
    assert all((ROOT / link).exists() for link in relative)
    released = release.readme_of_release(text, URL, "v0.1.0")
    assert all(link.startswith("http") for link in re.findall(r"\]\(([^)#]+)\)", released))
    assert f"![A drawn smear with its cells boxed and counted]({URL}/raw/v0.1.0/docs/" in released


def test_the_readme_of_a_release_installs_the_package_by_name():
    released = release.readme_of_release(
        (ROOT / "README.md").read_text(encoding="utf-8"), URL, "v1"
    )
    assert "pip install -q smearcount && .venv/bin/smearcount demo" in released
    assert "pip install 'smearcount[web]'" in released


def test_the_urls_are_a_table_of_pyproject():
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    urls = tomllib.loads(text + release.project_urls(URL, "v0.1.0"))["project"]["urls"]
    assert urls["Source"] == URL


def test_one_version_everywhere():
    version = release.version_of((ROOT / "src/smearcount/__init__.py").read_text("utf-8"))
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text("utf-8")
    assert f"## [{version}]" in (ROOT / "CHANGELOG.md").read_text("utf-8")
