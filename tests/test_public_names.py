"""The public names are exactly those listed, and each says what it is for."""

from __future__ import annotations

import importlib
import inspect
import pickle
import pydoc
from typing import get_args

import pytest

import smearcount

FACES = ("training", "evaluation", "datasets", "calibration", "synthetic")


def test_all_names_are_listed_sorted_and_there() -> None:
    public = {name for name in dir(smearcount) if not name.startswith("_")} | {"__version__"}
    # Modules of the package appear among its attributes once something has imported them.
    names = {name for name in public if not inspect.ismodule(getattr(smearcount, name))}
    assert sorted(smearcount.__all__) == smearcount.__all__
    assert names == set(smearcount.__all__)


@pytest.mark.parametrize("face", FACES)
def test_each_face_lists_its_names_and_its_functions_have_examples(face: str) -> None:
    if face not in ("datasets", "synthetic"):
        pytest.importorskip("torch" if face == "training" else "scipy")
    module = importlib.import_module(f"smearcount.{face}")
    names = list(module.__all__)
    assert names == sorted(names)
    values = {name: getattr(module, name) for name in names}
    for name, value in values.items():
        if inspect.isclass(value) or inspect.isfunction(value):
            assert pydoc.getdoc(value), f"{name} needs a docstring"
        if inspect.isfunction(value):
            assert ">>> " in pydoc.getdoc(value), f"{name} needs an example"


def test_every_error_is_public() -> None:
    errors = importlib.import_module("smearcount.errors")
    raised = {name for name, value in vars(errors).items() if inspect.isclass(value)}
    assert raised <= set(smearcount.__all__)
    assert all(issubclass(getattr(smearcount, name), smearcount.SmearcountError) for name in raised)


def public_objects() -> list[str]:
    return [name for name in smearcount.__all__ if name not in ("__version__", "EdgeRule")]


@pytest.mark.parametrize("name", public_objects())
def test_every_public_name_has_a_docstring_with_an_example(name: str) -> None:
    text = pydoc.getdoc(getattr(smearcount, name))
    assert text
    if not name.endswith("Error"):
        assert ">>> " in text, f"{name} needs an example"


def test_edge_rules_are_words() -> None:
    assert get_args(smearcount.EdgeRule) == ("all", "inside", "two-edges")


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = smearcount.no_such_name


@pytest.mark.parametrize("name", public_objects())
def test_public_classes_and_functions_can_be_pickled_by_name(name: str) -> None:
    value = getattr(smearcount, name)
    assert pickle.loads(pickle.dumps(value)) is value
