"""A training can be killed and taken up again, and ends in files that count."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from smearcount.detector.load import load_detector
from smearcount.detector.magnification import estimate_magnification
from smearcount.errors import DataError, ModelError, UsageError
from smearcount.image.read import open_image
from smearcount.training.augment import Augmentation
from smearcount.training.comparison import Row, compare, winner
from smearcount.training.data import DataChoice, read_training_data
from smearcount.training.loop import fit, growing_average
from smearcount.training.networks.architectures import ARCHITECTURES
from smearcount.training.recipes.recipe import Recipe, read_recipe
from smearcount.training.run_folder import Fitted, settings_of
from smearcount.training.samples import (
    CellSamples,
    drops_last,
    labelled_rbc_diameters,
    rbc_diameters,
)
from smearcount.training.training import retrain_detector, train_detector
from smearcount.training.tuning import as_toml, tune

RECIPE = Recipe(
    epochs=2,
    batch=2,
    learning_rate=2e-3,
    precision="32-true",
    augmentation=Augmentation(crop_px=64, mosaic=0.5),
)
EPOCHS_OF_THE_KILLED = 6

TRAIN = """
import sys
from smearcount.training.samples import CellSamples
from smearcount.training.run_folder import Fitted
from smearcount.training.loop import fit
from smearcount.training.recipes.recipe import Recipe
from smearcount.training.data import DataChoice
from smearcount.training.training import train_detector
recipe = Recipe.model_validate_json(sys.argv[3])
train_detector(DataChoice(sys.argv[1]), sys.argv[2], recipe=recipe)
"""


def draw(folder: Path, split: str, n: int, rng: np.random.Generator) -> None:
    """Write ``n`` noisy images with three discs each, as a COCO split with a learner's names."""
    images, boxes = [], []
    for index in range(n):
        pixels = rng.integers(150, 255, (6, 8, 3), dtype=np.uint8).repeat(16, 0).repeat(16, 1)
        rows, columns = np.mgrid[:96, :128]
        for cell in range(3):
            x, y = 24 + 40 * cell + rng.integers(-3, 4), rng.integers(22, 74)
            pixels[(rows - y) ** 2 + (columns - x) ** 2 < 18**2] = (190, 40 + 60 * cell, 90)
            boxes.append((index, cell % 2, float(x) - 18, float(y) - 18))
        Image.fromarray(pixels).save(folder / "images" / f"{split}{index}.png")
        images.append({"id": index, "file_name": f"{split}{index}.png", "width": 128, "height": 96})
    content = {
        "images": images,
        "categories": [{"id": 1, "name": "red cell"}, {"id": 2, "name": "parasite"}],
        "annotations": [
            {"id": k, "image_id": i, "category_id": c + 1, "bbox": [x, y, 36.0, 36.0],
             "area": 1296.0, "iscrowd": 0}
            for k, (i, c, x, y) in enumerate(boxes)
        ],
    }  # fmt: skip
    (folder / f"{split}.bbox.json").write_text(json.dumps(content))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A data set of 4 + 3 small images, one of the 3 a flipped copy of one to learn from."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "images").mkdir()
    rng = np.random.default_rng(0)
    draw(folder, "train", 4, rng)
    draw(folder, "valid", 3, rng)
    twin = Image.open(folder / "images" / "train0.png").transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    twin.save(folder / "images" / "valid2.png")
    return folder


@pytest.fixture(scope="module")
def finished(data, tmp_path_factory):
    """A finished training of two epochs."""
    told: list[str] = []
    run = tmp_path_factory.mktemp("runs") / "tiny"
    return train_detector(DataChoice(str(data)), run, recipe=RECIPE, say=told.append), told


def test_a_training_ends_in_files_that_count(finished):
    trained, told = finished
    assert told == ["1 validation images nearly duplicate a training image and are left out."]
    card = trained.outcome.card
    assert card.classes == ("RBC", "parasite")
    assert card.training["seed"] == 0
    assert card.metrics["validation"]["images"] == 2
    for name in ("model.onnx", "weights.pth", "best.ckpt", "last.ckpt"):
        detector = load_detector(trained.folder / name)
        assert detector.card.classes == card.classes
        detector.detect(np.full((70, 50, 3), 200, dtype=np.uint8))
    with (trained.folder / "curves.csv").open() as file:
        assert [row["epoch"] for row in csv.DictReader(file)] == ["1", "2"]


def test_the_checkpoint_counts_as_the_exported_file_does(finished):
    trained, _ = finished
    pixels = np.random.default_rng(1).integers(0, 256, (96, 128, 3), dtype=np.uint8)
    one = load_detector(trained.folder / "model.onnx").detect(pixels)
    other = load_detector(trained.folder / "weights.pth").detect(pixels)
    assert abs(len(one) - len(other)) <= 1
    np.testing.assert_allclose(one.scores[:5], other.scores[:5], atol=0.01)


def test_weights_beside_another_card_are_refused(finished, tmp_path):
    trained, _ = finished
    (tmp_path / "weights.pth").write_bytes((trained.folder / "weights.pth").read_bytes() + b" ")
    card = (trained.folder / "weights.json").read_text()
    (tmp_path / "weights.json").write_text(card)
    with pytest.raises(ModelError, match="SHA-256"):
        load_detector(tmp_path / "weights.pth")


def test_a_recipe_may_show_the_cells_larger(data, tmp_path):
    recipe = RECIPE.model_copy(update={"epochs": 1, "rbc_px": 64.0})
    path = tmp_path / "larger.toml"
    path.write_text(as_toml(recipe))
    assert read_recipe(str(path)) == recipe
    trained = train_detector(DataChoice(str(data)), tmp_path / "run", recipe=recipe)
    for name in ("model.onnx", "weights.pth", "last.ckpt"):
        assert load_detector(tmp_path / "run" / name).card.rbc_px == 64
    assert trained.outcome.card.rbc_px == 64


def test_a_folder_is_not_taken_for_another_run(finished, data):
    trained, _ = finished
    with pytest.raises(UsageError, match="another seed"):
        train_detector(DataChoice(str(data)), trained.folder, recipe=RECIPE, seed=1)


def test_a_start_that_failed_does_not_keep_the_folder(data, tmp_path):
    choice, out = DataChoice(str(data)), tmp_path / "run"
    with pytest.raises(ModelError, match="no-such"):
        train_detector(choice, out, recipe=RECIPE, weights=str(tmp_path / "no-such.pth"))
    assert train_detector(choice, out, recipe=RECIPE, epochs=1).fitted.epoch == 1


def test_a_run_that_was_moved_keeps_its_best_epoch(data, tmp_path, monkeypatch):
    measured = iter([0.9, 0.5, 0.4, 0.3])
    monkeypatch.setattr(
        "smearcount.training.loop.mean_average_precision",
        lambda *_: {"map": next(measured), "map_50": 0.5},
    )
    training = read_training_data(DataChoice(str(data)))
    of = ARCHITECTURES["smearnet"]
    train, val = (
        CellSamples(each, of.rbc_px, of.stride) for each in (training.train, training.val)
    )
    recipe = RECIPE.model_copy(update={"augmentation": "none", "validate_every": 1})

    def go_on(folder: Path, epochs: int) -> Fitted:
        torch.manual_seed(0)
        more = recipe.model_copy(update={"epochs": epochs})
        return fit(of.builder(2), train, val, training.train.classes, more, folder, quiet=True)

    assert go_on(tmp_path / "run", 2).epoch == 1
    (tmp_path / "run").rename(tmp_path / "moved")
    assert go_on(tmp_path / "moved", 4).epoch == 1


def test_a_checkpoint_that_would_run_code_or_is_damaged_is_refused(data, tmp_path):
    choice, marker = DataChoice(str(data)), tmp_path / "executed"
    run = train_detector(choice, tmp_path / "run", recipe=RECIPE, epochs=1).folder
    (run / "fitted.json").unlink()  # as if it had been killed

    class Malice:
        def __reduce__(self):
            return (Path.touch, (marker,))

    torch.save({"state_dict": Malice()}, run / "last.ckpt")
    for _ in range(2):
        with pytest.raises(ModelError, match=r"last\.ckpt: not a checkpoint.* Delete it"):
            train_detector(choice, run, recipe=RECIPE, epochs=1)
        (run / "last.ckpt").write_bytes(b"PK cut off")
    assert not marker.exists()


def test_images_to_validate_on_may_show_no_red_cell(data, tmp_path):
    other = json.loads((data / "valid.bbox.json").read_text())
    other["annotations"] = [one for one in other["annotations"] if one["category_id"] == 2]
    (tmp_path / "images").symlink_to(data / "images")
    (tmp_path / "pale.bbox.json").write_text(json.dumps(other))
    training = read_training_data(DataChoice(str(data), str(tmp_path / "pale.bbox.json")))
    with pytest.raises(DataError, match="no whole red cell"):
        labelled_rbc_diameters(training.val)
    read = [estimate_magnification(open_image(image.path)).rbc_px for image in training.val.images]
    assert rbc_diameters(training.val) == pytest.approx(read)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [({"annotations": []}, "no cell is labelled"), ({"images": []}, "no image to validate on")],
)
def test_nothing_to_validate_on_is_told_before_the_training(data, tmp_path, changes, sentence):
    other = json.loads((data / "valid.bbox.json").read_text()) | {"annotations": []} | changes
    (tmp_path / "images").symlink_to(data / "images")
    (tmp_path / "none.bbox.json").write_text(json.dumps(other))
    with pytest.raises(DataError, match=sentence):
        read_training_data(DataChoice(str(data), str(tmp_path / "none.bbox.json")))


def test_a_class_without_cells_may_be_missing_from_the_training_data(data, tmp_path):
    other = json.loads((data / "valid.bbox.json").read_text())
    other["categories"].append({"id": 9, "name": "yeast"})
    (tmp_path / "images").symlink_to(data / "images")
    (tmp_path / "more.bbox.json").write_text(json.dumps(other))
    choice = DataChoice(str(data), str(tmp_path / "more.bbox.json"))
    assert read_training_data(choice).val.classes == ("RBC", "parasite")


def test_one_image_at_a_time_is_refused_by_networks_that_cannot_learn_from_it(data, tmp_path):
    recipe = RECIPE.model_copy(update={"batch": 1, "epochs": 1})
    arch = "ssdlite320_mobilenet_v3_large"
    with pytest.raises(UsageError, match="two images a step"):
        train_detector(DataChoice(str(data)), tmp_path / "run", arch=arch, recipe=recipe)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("mosaic = 7", "augmentation.mosaic"),
        ("looks = [2.0, 1.0]", "least strength comes first"),
        ("looks = 1.0", r"looks = \[1.0, 1.0\]"),
        ("crop_px = -5", "augmentation.crop_px"),
        ("crops = 224", "there is no entry augmentation.crops"),
    ],
)
def test_a_recipe_out_of_range_is_told_when_it_is_read(tmp_path, line, sentence):
    path = tmp_path / "odd.toml"
    path.write_text(f"epochs = 1\nlearning_rate = 0.001\n[augmentation]\n{line}\n")
    with pytest.raises(UsageError, match=sentence):
        read_recipe(str(path))


def test_windows_that_the_network_cannot_take_are_told_before_the_training(data, tmp_path):
    recipe = RECIPE.model_copy(update={"augmentation": Augmentation(crop_px=100)})
    with pytest.raises(UsageError, match="multiple of 16"):
        train_detector(DataChoice(str(data)), tmp_path / "run", recipe=recipe)


@pytest.mark.parametrize(
    ("images", "batch", "bold", "dropped"),
    [(5, 4, False, True), (6, 4, False, False), (6, 4, True, True), (3, 4, True, False)],
)
def test_a_single_image_is_no_batch(images, batch, bold, dropped):
    assert drops_last(images, batch, Augmentation() if bold else None) == dropped


def test_retraining_learns_from_all_images_and_keeps_the_thresholds(finished, tmp_path):
    trained, _ = finished
    again = retrain_detector(trained.folder, tmp_path / "all")
    assert again.outcome.card.thresholds == trained.outcome.card.thresholds
    assert again.outcome.card.training["train"]["images"] == 6
    assert again.settings.recipe.epochs == trained.fitted.epoch


def test_a_run_finds_its_data_again_from_another_folder(data, tmp_path, monkeypatch):
    monkeypatch.chdir(data.parent)
    choice = DataChoice(data.name, f"{data.name}/valid.bbox.json")
    whole = read_training_data(choice)
    named = settings_of(choice, whole, "smearnet", RECIPE, "none", 0).data
    monkeypatch.chdir(tmp_path)
    assert len(read_training_data(named).train.images) == len(whole.train.images)


def test_a_run_without_its_facts_is_not_retrained(finished, tmp_path):
    trained, _ = finished
    copy = tmp_path / "copy"
    shutil.copytree(trained.folder, copy)
    (copy / "fitted.json").write_text("{")
    with pytest.raises(UsageError, match=r"fitted\.json: missing or damaged"):
        retrain_detector(copy, tmp_path / "all")


def rows_of(run: Path) -> list[dict[str, str]]:
    """Return the curves without the clock."""
    with (run / "curves.csv").open() as file:
        return [{k: v for k, v in row.items() if k != "seconds"} for row in csv.DictReader(file)]


def test_a_killed_training_goes_on_as_if_it_had_not_been(data, tmp_path):
    recipe = RECIPE.model_copy(update={"epochs": EPOCHS_OF_THE_KILLED})
    run = tmp_path / "killed"
    command = [sys.executable, "-c", TRAIN, str(data), str(run), recipe.model_dump_json()]
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    curves = run / "curves.csv"
    while process.poll() is None and not (curves.exists() and len(rows_of(run)) >= 2):
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert len(rows_of(run)) < EPOCHS_OF_THE_KILLED

    resumed = train_detector(DataChoice(str(data)), run, recipe=recipe)
    whole = without_a_stop(DataChoice(str(data)), recipe, tmp_path / "whole")
    assert rows_of(run) == rows_of(tmp_path / "whole")
    assert resumed.fitted.epoch == whole.epoch
    for name, weights in whole.weights.items():
        assert torch.equal(resumed.fitted.weights[name], weights), name


def without_a_stop(choice: DataChoice, recipe: Recipe, out: Path) -> Fitted:
    """Train as train_detector does, without writing model files."""
    read = read_training_data(choice)
    of = ARCHITECTURES["smearnet"]
    torch.manual_seed(0)
    return fit(
        of.builder(2),
        CellSamples(read.train, of.rbc_px, of.stride, recipe.augmentation, 0),
        CellSamples(read.val, of.rbc_px, of.stride, None),
        read.train.classes,
        recipe,
        out,
        quiet=True,
    )


def test_data_without_anything_to_validate_on_are_refused(data):
    with pytest.raises(UsageError, match="--val"):
        read_training_data(DataChoice(str(data / "train.bbox.json")))


def test_a_comparison_is_written_and_not_done_twice(data, tmp_path):
    once = replace(RECIPE.augmentation, mosaic=0.0)
    path = tmp_path / "short.toml"
    path.write_text(as_toml(RECIPE.model_copy(update={"epochs": 1, "augmentation": once})))
    assert read_recipe(str(path)).epochs == 1
    told: list[str] = []
    choice, out = DataChoice(str(data)), tmp_path / "compared"
    for _ in range(2):
        comparison = compare(choice, out, ["smearnet"], [0], recipe=str(path), say=told.append)
    assert sum(line == "smearnet, seed 0" for line in told) == 1
    assert comparison.winner == "smearnet"
    assert comparison.rows[0].figures["gflops"] > 0.1
    table = (out / "compare.md").read_text()
    assert "count MAE RBC" in table
    assert (out / "compare.png").stat().st_size > 1000
    with pytest.raises(UsageError, match=r"another recipe \(epochs 1, now 7\)"):
        compare(choice, out, ["smearnet"], [0], recipe=str(path), epochs={"smearnet": 7})


def test_networks_are_compared_with_epochs_of_their_own(data, tmp_path):
    path, out = tmp_path / "short.toml", tmp_path / "compared"
    path.write_text(as_toml(RECIPE))
    asked = ["compare", str(data), "-o", str(out), "--seeds", "1", "--recipe", str(path), "-q"]
    command = [sys.executable, "-m", "smearcount", *asked, "--arch"]
    subprocess.run([*command, "smearnet:1"], check=True, timeout=300)
    run = json.loads((out / "smearnet-seed0" / "settings.json").read_text())
    assert run["recipe"]["epochs"] == 1
    wrong = subprocess.run([*command, "smearnet:soon"], capture_output=True, text=True, timeout=60)
    assert wrong.returncode == 2
    assert "number of epochs" in wrong.stderr


def test_an_average_of_weights_forgets_the_first_ones_fast():
    average = torch.zeros(())
    for n in range(1, 200):
        growing_average(0.998)([average], [torch.ones(())], torch.tensor(n))
    assert average > 0.999  # a plain average of that decay would stand at 0.33
    growing_average(0.998)([average], [torch.zeros(())], torch.tensor(10**6))
    assert float(average) == pytest.approx(0.998, abs=0.001)


def test_of_equally_good_networks_the_fastest_wins():
    def row(arch: str, seed: int, map_50: float, latency_ms: float) -> Row:
        return Row(arch, seed, {"map_50": map_50, "latency_ms": latency_ms})

    rows = [row("slow", 0, 0.90, 90), row("slow", 1, 0.94, 90), row("fast", 0, 0.905, 5)]
    assert winner(rows) == "fast"
    assert winner([*rows[:2], row("fast", 0, 0.85, 5)]) == "slow"


def test_a_search_is_taken_up_where_it_stopped(data, tmp_path):
    path = tmp_path / "short.toml"
    path.write_text(as_toml(RECIPE))
    choice, out = DataChoice(str(data)), tmp_path / "tuned"
    tune(choice, out, recipe=str(path), trials=1, epochs=1)
    tuned = tune(choice, out, recipe=str(path), trials=2, epochs=1)
    assert tuned.trials == 2
    with pytest.raises(UsageError, match="begun with another recipe"):
        tune(choice, out, recipe=str(path), trials=3, epochs=2)
    assert len(list(out.glob("trial-*"))) == 2
    assert read_recipe(str(tuned.path)) == tuned.recipe
