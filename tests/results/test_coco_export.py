import json
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from doubles.square_detector import SquareDetector, some_smear
from smearcount.api import count_folder
from smearcount.results.json_document import shortest_decimals
from smearcount.settings import Settings


@given(arrays.arrays(np.float32, 5, elements=st.floats(0, 1e5, width=32)))
def test_numbers_in_files_read_back_as_the_same_float32(values: np.ndarray) -> None:
    read = np.array(json.loads(json.dumps(shortest_decimals(values))), dtype=np.float32)
    assert np.array_equal(read, values)


def test_detections_json_is_coco_with_scores_and_our_categories(tmp_path: Path) -> None:
    paths = [str(tmp_path / "gone.png"), str(some_smear(tmp_path / "a.png"))]
    count_folder(paths, tmp_path / "out", settings=Settings(edge="inside"), model=SquareDetector())
    coco = json.loads((tmp_path / "out" / "detections.json").read_text())
    assert coco["categories"] == [
        {"id": 1, "name": "WBC"},
        {"id": 2, "name": "RBC"},
        {"id": 3, "name": "Platelets"},
    ]
    # A failed input is no image; the other keeps its place among the inputs.
    assert coco["images"] == [{"id": 2, "file_name": paths[1], "width": 160, "height": 120}]
    assert len(coco["annotations"]) == 5
    assert len({a["id"] for a in coco["annotations"]}) == 5
    white = next(a for a in coco["annotations"] if a["category_id"] == 1)
    assert white["bbox"] == [40, 60, 30, 30]
    assert white["area"] == 900
    assert white["score"] == 0.9
    assert white["image_id"] == 2
