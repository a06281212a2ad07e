"""Make the screenshots of the documentation from drawn smears: ``python scripts/screenshots.py``.

Needs the extra ``web``, playwright and a Chromium.
"""

from __future__ import annotations

import shutil
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from PIL import Image
from playwright.sync_api import Page, expect, sync_playwright

from smearcount.detector.load import load_detector
from smearcount.synthetic.smears import demo_smears
from smearcount.web.app import create_app

IMAGES = Path(__file__).parents[1] / "docs" / "images"
COLORS = 256

expect.set_options(timeout=120_000)


def draw_smears(folder: Path) -> None:
    """Draw the demo's smears into two folders, as two slides."""
    for number, smear in enumerate(demo_smears()):
        slide = folder / f"slide {number % 2 + 1}"
        slide.mkdir(parents=True, exist_ok=True)
        Image.fromarray(smear.pixels).save(slide / f"{smear.name}.png")


@contextmanager
def serve(session: Path) -> Iterator[str]:
    """Serve a page; yield its address."""
    listener = socket.create_server(("127.0.0.1", 0))
    app = create_app(session, load_detector())
    server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    finally:
        server.should_exit = True
        thread.join()


def save_screenshot(page: Page, name: str) -> None:
    """Save what the page shows as a small PNG."""
    page.wait_for_timeout(800)  # tiles and thumbnails come one by one
    path = IMAGES / f"page-{name}.png"
    page.screenshot(path=path)
    with Image.open(path) as picture:
        small = picture.convert("RGB").quantize(
            COLORS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE
        )
    small.save(path, optimize=True)
    print(f"{path}: {path.stat().st_size // 1000} kB")


def take_screenshots(page: Page, address: str, smears: Path) -> None:
    """Add photographs, correct one, and take the screenshots."""
    page.goto(address)
    page.set_input_files("#folder", smears)
    expect(page.locator(".card.done")).to_have_count(len(list(smears.rglob("*.png"))))
    expect(page.locator("#progress")).to_be_hidden()
    save_screenshot(page, "photographs")
    page.locator(".card .open").last.click()
    expect(page.locator("#photograph-name")).not_to_be_empty()
    page.select_option("#edge", "two-edges")
    page.locator("#canvas").focus()
    page.keyboard.press("n")
    page.keyboard.press("Delete")
    expect(page.locator("#undo")).to_be_enabled()
    for _ in range(5):
        page.keyboard.press("n")
    save_screenshot(page, "correct")
    page.click("#back")
    page.click("#as-table")
    save_screenshot(page, "table")


def main() -> None:
    """Make the screenshots."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        smears = Path(scratch) / "smears"
        draw_smears(smears)
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page(viewport={"width": 1280, "height": 720}, locale="en-US")
        with serve(Path(scratch) / "session") as address:
            take_screenshots(page, address, smears)
            browser.close()


if __name__ == "__main__":
    main()
