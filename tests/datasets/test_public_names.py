"""``from smearcount.datasets import ...``: the promised names, each with an example that runs."""

import doctest
import subprocess
import sys

import pytest

import smearcount.datasets

NAMES = [
    "AnnotatedImage",
    "DataCheck",
    "Dataset",
    "check_dataset",
    "clean_dataset",
    "deduplicate",
    "disjoint_split_names",
    "fetch",
    "find_near_duplicates",
    "read_dataset",
    "split_names",
    "without_duplicates_of",
    "write_dataset",
]


def test_the_public_names_are_these():
    assert sorted(smearcount.datasets.__all__) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_every_public_name_has_an_example_that_runs(name):
    public = getattr(smearcount.datasets, name)
    (found,) = doctest.DocTestFinder(recurse=False).find(public, name)
    assert found.examples
    assert doctest.DocTestRunner().run(found).failed == 0


def test_a_name_is_imported_when_it_is_used():
    code = "import sys, smearcount.datasets; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
