"""Recipes are checked when they are read, and old ones still load."""

from pathlib import Path

import pytest

from doubles.tiny_training import RECIPE_WRITTEN_BEFORE
from smearcount.errors import UsageError
from smearcount.training import Augmentation, read_recipe
from smearcount.training.recipes.recipe import recipe_as_toml, shipped_recipes


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("mosaic = 7", "augmentation.mosaic"),
        ("photometric_strength = [2.0, 1.0]", "least strength comes first"),
        ("photometric_strength = 1.0", r"photometric_strength = \[1.0, 1.0\]"),
        ("crop_px = -5", "augmentation.crop_px"),
        ("crops = 224", "there is no entry augmentation.crops"),
    ],
)
def test_a_recipe_out_of_range_is_messages_when_it_is_read(tmp_path, line, sentence):
    path = tmp_path / "odd.toml"
    path.write_text(f"epochs = 1\nlearning_rate = 0.001\n[augmentation]\n{line}\n")
    with pytest.raises(UsageError, match=sentence):
        read_recipe(str(path))


@pytest.mark.parametrize("name", shipped_recipes())
def test_every_shipped_recipe_can_be_read_and_written(name: str, tmp_path: Path) -> None:
    recipe = read_recipe(name)
    path = tmp_path / "again.toml"
    path.write_text(recipe_as_toml(recipe))
    assert read_recipe(path) == recipe


def test_a_recipe_written_before_loads_under_the_present_names(tmp_path: Path) -> None:
    path = tmp_path / "old.toml"
    path.write_text(RECIPE_WRITTEN_BEFORE)
    recipe = read_recipe(path)
    assert recipe.close_mosaic_epochs == 1
    assert isinstance(recipe.augmentation, Augmentation)
    assert recipe.augmentation.photometric_strength == (0.5, 1.5)
    written = recipe_as_toml(recipe)
    assert "close_mosaic_epochs = 1" in written
    assert "looks" not in written


def test_augmentation_is_checked_also_outside_a_recipe() -> None:
    with pytest.raises(ValueError, match="crop_px"):
        Augmentation(crop_px=-5)
    with pytest.raises(ValueError, match="mosaic"):
        Augmentation(mosaic=7.0)
