"""A search for a better recipe goes on where it stopped."""

import pytest

from doubles.tiny_training import RECIPE
from smearcount.errors import UsageError
from smearcount.training import read_recipe, tune
from smearcount.training.recipes.recipe import recipe_as_toml


def test_a_search_is_taken_up_where_it_stopped(data, tmp_path):
    path = tmp_path / "short.toml"
    path.write_text(recipe_as_toml(RECIPE))
    source, out = data, tmp_path / "tuned"
    tune(source, out, recipe=str(path), trials=1, epochs=1)
    tuned = tune(source, out, recipe=str(path), trials=2, epochs=1)
    assert tuned.trials == 2
    with pytest.raises(UsageError, match="begun with another recipe"):
        tune(source, out, recipe=str(path), trials=3, epochs=2)
    assert len(list(out.glob("trial-*"))) == 2
    assert read_recipe(str(tuned.path)) == tuned.recipe
