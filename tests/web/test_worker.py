"""One photograph cannot stop the others, nor leave anything behind."""

from __future__ import annotations

import struct
import threading
import zlib
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from doubles.disc_detector import CELLS, PICTURE, DiscDetector, png, smear
from doubles.web_client import settled, upload
from smearcount.detections.detections import Detections
from smearcount.image.image import Pixels
from smearcount.image.read import open_image
from smearcount.web.app import create_app
from smearcount.web.worker import _cancelable, _CanceledError


def test_a_bad_file_is_a_row_with_its_reason_and_the_others_are_counted(
    client: TestClient,
) -> None:
    upload(client, b"this is no picture", "bad.jpg")
    upload(client, b"", "empty.jpg")
    upload(client, png(PICTURE), "good.png")
    rows = settled(client)
    assert rows["bad.jpg"]["state"] == rows["empty.jpg"]["state"] == "failed"
    assert "not an image" in rows["bad.jpg"]["reason"]
    assert "session" not in rows["bad.jpg"]["reason"]
    assert rows["good.png"]["state"] == "done"


def test_a_photograph_removed_while_it_is_counted_leaves_nothing(tmp_path: Path) -> None:
    begun, removed = threading.Event(), threading.Event()

    class Slow(DiscDetector):
        def detect(self, pixels: Pixels) -> Detections:
            if pixels.shape == PICTURE.shape:
                begun.set()
                removed.wait(240)
            return super().detect(pixels)

    app = create_app(tmp_path / "session", Slow())
    with TestClient(app, base_url="http://127.0.0.1:8765") as client:
        identity = upload(client, png(PICTURE), "a.png")["id"]
        assert begun.wait(240)
        assert client.delete(f"/api/photographs/{identity}").status_code == 204
        removed.set()
        upload(client, png(smear(CELLS[:2], 4, 4)), "b.png")
        settled(client)
        seen = {path.name for path in (tmp_path / "session" / "seen").iterdir()}
    assert len(seen) == 1
    assert identity not in seen


def bomb(width: int, height: int) -> bytes:
    """Return a small PNG file that claims to be huge."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 1_000_000)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (bomb(60_000, 60_000), "megapixels"),
        (bomb(15_000, 15_000), ""),
        (b"\xff\xd8\xff\xe0" + b"\0" * 5000, ""),
        (b"<svg onload='alert(1)'></svg>", "not an image"),
        (b"GIF89a" + b"\0" * 100, ""),
    ],
)
def test_monsters_become_cards_with_a_reason(
    client: TestClient, content: bytes, reason: str
) -> None:
    upload(client, content, "monster.png")
    upload(client, png(smear([("RBC", 0.9)])), "good.png")
    rows = settled(client)
    assert rows["monster.png"]["state"] == "failed"
    assert reason in rows["monster.png"]["reason"]
    assert rows["good.png"]["automatic"]["counted"] == [0, 1, 0]


@pytest.mark.parametrize("way", ["cancel", "remove"])
def test_a_count_that_takes_long_can_be_ended(tmp_path: Path, way: str) -> None:
    begun, ended = threading.Event(), threading.Event()

    class Endless(DiscDetector):
        """Never done with the large picture, whose red cells it says are ever larger."""

        def detect(self, pixels: Pixels) -> Detections:
            if max(pixels.shape) > 300:
                begun.set()
                ended.wait(240)
            return super().detect(pixels)

    app = create_app(tmp_path / "session", Endless())
    with TestClient(app, base_url="http://127.0.0.1:8765") as client:
        identity = upload(client, png(PICTURE), "junk.png")["id"]
        assert begun.wait(240)
        if way == "cancel":
            client.post("/api/cancel")
            assert settled(client)["junk.png"]["state"] == "canceled"
        else:
            client.delete(f"/api/photographs/{identity}")
        ended.set()
        upload(client, png(smear(CELLS[:2], 4, 4)), "good.png")
        rows = settled(client)
        assert rows["good.png"]["state"] == "done"
        assert rows.get("junk.png", {"state": "canceled"})["state"] == "canceled"
        client.post("/api/resume")
        assert {row["state"] for row in settled(client).values()} == {"done"}


def test_a_count_ends_at_the_next_piece_that_it_reads() -> None:
    wanted = True
    image = _cancelable(open_image(PICTURE), lambda: wanted)
    assert image.pixels().shape == PICTURE.shape
    wanted = False
    for read in (image.read, image.crop((0, 0, 10, 10)).read):
        with pytest.raises(_CanceledError):
            read((0, 0, 5, 5))
