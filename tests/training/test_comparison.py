"""Networks are compared on one split, and the fastest of the equally good ones wins."""

import pytest

from doubles.tiny_training import RECIPE
from smearcount.errors import UsageError
from smearcount.training import compare
from smearcount.training.comparison import Row, choose_winner
from smearcount.training.recipes.recipe import recipe_as_toml


def test_a_comparison_is_written_and_not_done_twice(data, tmp_path):
    augmentation = RECIPE.augmentation.model_copy(update={"mosaic": 0.0})
    path = tmp_path / "short.toml"
    short = RECIPE.model_copy(update={"epochs": 1, "augmentation": augmentation})
    path.write_text(recipe_as_toml(short))
    messages: list[str] = []
    source, out = data, tmp_path / "compared"
    for _ in range(2):
        comparison = compare(
            source, out, ["smearnet"], [0], recipe=str(path), on_message=messages.append
        )
    assert sum(line == "smearnet, seed 0" for line in messages) == 1
    assert comparison.winner == "smearnet"
    assert comparison.rows[0].figures["gflops"] > 0.1
    table = (out / "compare.md").read_text()
    assert "count MAE RBC" in table
    assert (out / "compare.png").stat().st_size > 1000
    with pytest.raises(UsageError, match=r"another recipe \(epochs 1, now 7\)"):
        compare(source, out, ["smearnet"], [0], recipe=str(path), epochs={"smearnet": 7})


def test_of_equally_good_networks_the_fastest_wins():
    def row(arch: str, seed: int, map_50: float, latency_ms: float) -> Row:
        return Row(arch, seed, {"map_50": map_50, "latency_ms": latency_ms})

    rows = [row("slow", 0, 0.90, 90), row("slow", 1, 0.94, 90), row("fast", 0, 0.905, 5)]
    assert choose_winner(rows) == "fast"
    assert choose_winner([*rows[:2], row("fast", 0, 0.85, 5)]) == "slow"
