"""Several workers give what one gives, in the same order, and hold no more than a few images."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from smearcount.api import count_folder
from smearcount.batch.workers import in_order, short_switch_interval
from smearcount.detector.load import SHIPPED_FILE, load_detector
from smearcount.errors import UsageError
from smearcount.results.image_outcome import ImageOutcome

shipped = pytest.mark.skipif(not SHIPPED_FILE.exists(), reason="no model in the package yet")


def test_results_come_in_the_order_of_the_jobs_whoever_is_faster() -> None:
    def work(job: int, stop: threading.Event) -> int:
        time.sleep(0.01 * (job % 3 == 0))
        return job * job

    for workers in (1, 2, 5):
        assert list(in_order(work, range(20), workers)) == [n * n for n in range(20)]


def test_jobs_are_taken_only_as_results_are_fetched() -> None:
    taken: list[int] = []

    def jobs() -> Iterator[int]:
        for n in range(1000):
            taken.append(n)
            yield n

    results = in_order(lambda job, stop: job, jobs(), 3)
    for n in range(10):
        assert next(results) == n
        assert len(taken) <= n + 1 + 6
    results.close()
    assert len(taken) < 20


def test_workers_work_at_the_same_time() -> None:
    together = threading.Barrier(3, timeout=20)
    assert len(list(in_order(lambda job, stop: together.wait(), range(6), 3))) == 6


def test_only_a_program_that_asks_changes_how_the_threads_of_its_process_take_turns() -> None:
    usual = sys.getswitchinterval()
    results = in_order(lambda job, stop: job, range(20), 2)
    next(results)
    assert sys.getswitchinterval() == usual
    results.close()
    with short_switch_interval():
        assert sys.getswitchinterval() < usual
    assert sys.getswitchinterval() == usual


@pytest.mark.parametrize("workers", [1, 3])
def test_what_a_worker_raises_ends_everything(workers: int) -> None:
    done: list[int] = []

    def work(job: int, stop: threading.Event) -> None:
        if job == 2:
            raise UsageError("no")
        done.append(job)

    with pytest.raises(UsageError):
        list(in_order(work, range(500), workers))
    assert len(done) < 20


def test_who_stops_early_waits_only_for_work_that_looks_up() -> None:
    started = threading.Event()

    def work(job: int, stop: threading.Event) -> int:
        if job:
            started.set()
            assert stop.wait(20), "told to stop"
        return job

    results = in_order(work, range(100), 2)
    assert next(results) == 0
    assert started.wait(20)
    begun = time.monotonic()
    results.close()
    assert time.monotonic() - begun < 10


@shipped
def test_many_workers_give_the_numbers_of_one_to_the_last_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from smearcount.synthetic.smears import demo_smears

    paths = []
    for n, smear in enumerate(demo_smears()):
        paths.append(str(tmp_path / f"{n}.jpg"))
        Image.fromarray(smear.pixels).save(paths[-1])
    paths.insert(2, str(tmp_path / "gone.png"))
    runs: list[tuple[ImageOutcome, ...]] = []
    for cores in (1, 3):
        monkeypatch.setattr("smearcount.batch.run.available_cores", lambda cores=cores: cores)
        out = tmp_path / f"out{cores}"
        told: list[ImageOutcome] = []
        batch = count_folder(paths, out, model=load_detector(), on_result=told.append)
        runs.append(batch.outcomes)
        assert [outcome.name for outcome in told] == paths
    for one, other in zip(*runs, strict=True):
        assert one.error == other.error
        if one.result is None or other.result is None:
            continue
        assert one.result.scale == other.result.scale
        assert one.result.flags == other.result.flags
        np.testing.assert_array_equal(one.result.candidates.scores, other.result.candidates.scores)
        np.testing.assert_array_equal(
            one.result.candidates.boxes_xyxy_px, other.result.candidates.boxes_xyxy_px
        )
    first, second = (tmp_path / "out1", tmp_path / "out3")
    assert (first / "detections.json").read_bytes() == (second / "detections.json").read_bytes()
    for picture in (first / "annotated").iterdir():
        ours = picture.read_bytes()
        assert ours == (second / "annotated" / picture.name).read_bytes()
