"""A class has one color everywhere, whatever other classes a model knows."""

from __future__ import annotations

from smearcount.classes import CLASS_COLORS, CLASS_NAMES, class_color


def test_a_known_class_keeps_its_color_under_any_label_and_spelling() -> None:
    for name, color in zip(CLASS_NAMES, CLASS_COLORS, strict=True):
        assert {class_color(name, label) for label in range(1, 9)} == {color}
    assert class_color("red blood cell", 1) == class_color("RBC", 2)


def test_other_classes_have_colors_of_their_own() -> None:
    for known in range(4):
        labels = range(known + 1, known + 6)
        colors = {class_color(f"parasite {label}", label) for label in labels}
        assert len(colors) == 5
        assert not colors & set(CLASS_COLORS)
