"""How long the page keeps a user waiting: from a drop to its count, and panning a huge picture.

    python benchmarks/page.py [--rounds 5] [--slowdown 1] [--copies 18]

Starts ``smearcount serve`` and opens the page in a headless Chromium (extra ``web``, playwright).
The first count is timed from the drop of one 640 × 480 JPEG to the number on the screen, on a
server that has just been started. The huge picture is the same drawn smear side by side, 18 × 18
times: 100 megapixels with thousands of cells. It is panned with all boxes on, at several zooms.
Reported is how long the page's main thread was blocked: by the longest task in Chromium's trace, by
the clock and in processor time (which other work on the machine does not lengthen), and the
longest gap between two frames. ``--slowdown 4`` has Chromium play a machine four times slower.
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from smearcount.synthetic.smears import demo_smears

VIEWPORT = {"width": 1280, "height": 720}
DRAGS, STEPS = 4, 40
TRACED = ["toplevel", "devtools.timeline"]
COUNTING_TIMEOUT_S = 900


@dataclass(frozen=True)
class BlockedTime:
    """The longest waits during a movement.

    Attributes:
        task_ms: of the main thread's tasks, by the clock.
        cpu_ms: of the same, in processor time.
        frame_ms: between two frames.
    """

    task_ms: float
    cpu_ms: float
    frame_ms: float


def draw(folder: Path, copies: int) -> tuple[Path, Path]:
    """Write the small photograph and the huge one."""
    smear = next(one for one in demo_smears() if one.pixels.shape[:2] == (480, 640))
    small, huge = folder / "small.jpg", folder / "huge.jpg"
    Image.fromarray(smear.pixels).save(small, quality=90)
    Image.fromarray(np.tile(smear.pixels, (copies, copies, 1))).save(huge, quality=90)
    return small, huge


@contextmanager
def serve(session: Path) -> Iterator[str]:
    """Serve the page as a user does; yield its address."""
    command = [sys.executable, "-m", "smearcount", "serve", "--port", "0", "--no-browser"]
    server = subprocess.Popen(
        [*command, "--session", str(session)], stdout=subprocess.PIPE, text=True
    )
    assert server.stdout is not None
    try:
        yield next(word for word in server.stdout.readline().split() if word.startswith("http"))
    finally:
        server.terminate()
        server.wait()
        server.stdout.close()


def first_count_s(browser: Browser, session: Path, photograph: Path) -> float:
    """Return the seconds from a drop to its first count on the screen."""
    with serve(session) as address:
        page = browser.new_page(viewport=VIEWPORT)  # type: ignore[arg-type]
        page.goto(address)
        page.wait_for_selector("#counts tbody tr")
        started = time.perf_counter()
        page.set_input_files("#files", photograph)
        page.wait_for_selector(".card.done .counts b")
        seconds = time.perf_counter() - started
        page.close()
    return seconds


def drag_back_and_forth(page: Page, x: float, y: float) -> None:
    """Drag the picture back and forth."""
    page.mouse.down()
    for step in range(DRAGS * STEPS):
        angle = 2 * math.pi * step / STEPS
        page.mouse.move(x + 250 * math.sin(angle), y + 150 * math.sin(2 * angle))
    page.mouse.up()


def zoom_back_and_forth(page: Page, x: float, y: float) -> None:
    """Turn the wheel back and forth."""
    for step in range(STEPS):
        page.mouse.wheel(0, 80 * math.copysign(1, math.sin(2 * math.pi * step / STEPS)))


def blocked_time(
    move: Callable[[Page, float, float], None], browser: Browser, page: Page
) -> BlockedTime:
    """Return how long a movement that starts in the middle of the picture blocked the page."""
    stage = page.locator("#canvas").bounding_box()
    assert stage is not None
    x, y = stage["x"] + stage["width"] / 2, stage["y"] + stage["height"] / 2
    browser.start_tracing(page=page, categories=TRACED)
    page.evaluate(
        """() => {
            window.longestFrame = 0;
            let last = performance.now();
            const measure = (now) => {
                window.longestFrame = Math.max(window.longestFrame, now - last);
                last = now;
                requestAnimationFrame(measure);
            };
            requestAnimationFrame(measure);
        }"""
    )
    page.mouse.move(x, y)
    move(page, x, y)
    frame_ms = page.evaluate("window.longestFrame")
    tasks = main_thread_tasks(json.loads(browser.stop_tracing())["traceEvents"])
    return BlockedTime(
        max(dur for dur, _ in tasks) / 1000, max(cpu for _, cpu in tasks) / 1000, frame_ms
    )


def main_thread_tasks(events: list[dict]) -> list[tuple[float, float]]:  # type: ignore[type-arg]
    """Return duration and processor time in µs of every task of the page's main thread."""
    mains = {
        (event["pid"], event["tid"])
        for event in events
        if event["name"] == "thread_name" and event["args"]["name"] == "CrRendererMain"
    }
    return [
        (event["dur"], event.get("tdur", 0))
        for event in events
        if event["name"].endswith("RunTask")
        and "dur" in event
        and (event["pid"], event["tid"]) in mains
    ]


def pan_everywhere(browser: Browser, session: Path, photograph: Path, slowdown: float) -> None:
    """Count the huge picture, pan it at several zooms, and print what blocked."""
    with serve(session) as address:
        page = browser.new_page(viewport=VIEWPORT)  # type: ignore[arg-type]
        page.goto(address)
        page.set_input_files("#files", photograph)
        page.wait_for_selector(".card.done", timeout=COUNTING_TIMEOUT_S * 1000)
        page.context.new_cdp_session(page).send(
            "Emulation.setCPUThrottlingRate", {"rate": slowdown}
        )
        page.click(".card .open")
        page.wait_for_timeout(2000)
        print(page.locator("#counts").inner_text().replace("\n", "; "))
        print(f"{'zoom':<22}{'longest task':>14}{'its CPU':>10}{'longest frame':>15}   (ms)")
        for zoom, clicks in (("whole field", 0), ("2 x", 2), ("5 x", 2), ("13 x", 2), ("38 x", 3)):
            for _ in range(clicks):
                page.click("#zoom-in")
            print_row(zoom, blocked_time(drag_back_and_forth, browser, page))
        page.click("#fit")
        page.focus("#canvas")
        page.keyboard.press("Control+a")
        page.wait_for_timeout(1000)
        print_row("zooming, all selected", blocked_time(zoom_back_and_forth, browser, page))
        page.close()


def print_row(zoom: str, blocked: BlockedTime) -> None:
    """Print a row."""
    print(
        f"{zoom:<22}{blocked.task_ms:>14.0f}{blocked.cpu_ms:>10.0f}{blocked.frame_ms:>15.0f}",
        flush=True,
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--slowdown", type=float, default=1)
    parser.add_argument("--copies", type=int, default=18)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        folder = Path(scratch)
        small, huge = draw(folder, options.copies)
        if options.rounds:
            times = [first_count_s(browser, folder / f"{n}", small) for n in range(options.rounds)]
            median, longest = statistics.median(times), max(times)
            print(f"first count: median {median:.2f} s, longest {longest:.2f} s, n = {len(times)}")
        pan_everywhere(browser, folder / "huge", huge, options.slowdown)
        browser.close()


if __name__ == "__main__":
    main()
