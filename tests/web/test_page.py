"""The page in a real browser: drop, count, correct, undo, reload, take away."""

from __future__ import annotations

import base64
import csv
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from doubles.disc_detector import CARD, SQUARE, DiscDetector, png, smear
from smearcount.web.app import create_app

sync_api = pytest.importorskip(
    "playwright.sync_api", reason="playwright, which drives the browser, is not installed"
)
uvicorn = pytest.importorskip("uvicorn", reason="the extra 'web' is not installed")

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")

sync_api.expect.set_options(timeout=200_000)  # the machine may be busy

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium to open the page in"),
    pytest.mark.timeout(900),
]

FIRST = png(smear([("RBC", 0.9)] * 12 + [("RBC", 0.3)] * 4 + [("WBC", 0.8), ("Platelets", 0.7)]))
SECOND = png(smear([("RBC", 0.9)] * 5))


@pytest.fixture
def address(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """Serve the page; a test may say how large the squares of its discs are."""
    square = getattr(request, "param", SQUARE)
    app = create_app(tmp_path / "session", DiscDetector(square=square))
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    server.should_exit = True
    thread.join()


@pytest.fixture(scope="module")
def chromium() -> Iterator[sync_api.Browser]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: sync_api.Browser, address: str) -> Iterator[sync_api.Page]:
    """The page at 1280×720; it may say nothing on the console and ask no other host."""
    context = chromium.new_context(viewport={"width": 1280, "height": 720}, locale="en-GB")
    page = context.new_page()
    page.set_default_timeout(200_000)
    messages: list[str] = []
    page.on("console", lambda message: messages.append(message.text))
    page.on("pageerror", lambda error: messages.append(str(error)))
    foreign_requests: list[str] = []
    context.on(
        "request",
        lambda request: (
            foreign_requests.append(request.url)
            if not request.url.startswith((address, "blob:", "data:"))
            else None
        ),
    )
    page.goto(address)
    yield page
    context.close()
    assert messages == []
    assert foreign_requests == []


def drop(page: sync_api.Page, **files: bytes) -> None:
    """Drop files on the page as a hand would."""
    content = {f"{name}.png": base64.b64encode(content).decode() for name, content in files.items()}
    transfer = page.evaluate_handle(
        """(files) => {
            const transfer = new DataTransfer();
            for (const [name, text] of Object.entries(files)) {
                const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
                transfer.items.add(new File([bytes], name));
            }
            return transfer;
        }""",
        content,
    )
    page.dispatch_event("#drop", "drop", {"dataTransfer": transfer})


def counts(page: sync_api.Page, kind: str) -> list[int]:
    """Read the counts beside the photographs."""
    cells = [page.locator(f"[data-count='{kind}-{name}']") for name in CARD.classes]
    return [int(cell.inner_text()) for cell in cells]


def wait_for_counts(page: sync_api.Page, kind: str, expected: list[int]) -> None:
    for name, value in zip(CARD.classes, expected, strict=True):
        cell = page.locator(f"[data-count='{kind}-{name}']")
        sync_api.expect(cell).to_have_text(str(value))


def open_photograph(page: sync_api.Page, name: str) -> None:
    page.get_by_role("button", name=f"Open {name}").click()
    sync_api.expect(page.locator("#photograph-name")).to_have_text(name)


def until(page: sync_api.Page, condition: Callable[[], bool]) -> None:
    """Wait, as long as the machine needs, until a condition holds."""
    while not condition():
        page.wait_for_timeout(20)


def session_of(page: sync_api.Page) -> dict[str, Any]:
    """Ask the server for the whole session."""
    session: dict[str, Any] = page.evaluate(
        "async () => (await fetch('api/session?since=-1')).json()"
    )
    return session


def on_screen(page: sync_api.Page, x: float, y: float) -> tuple[float, float]:
    """Return where an image point of the fitted photograph of 320 by 240 px lies."""
    stage = page.locator("#canvas").bounding_box()
    assert stage is not None
    scale = min(stage["width"] / 320, stage["height"] / 240)
    left = stage["x"] + (stage["width"] - 320 * scale) / 2
    top = stage["y"] + (stage["height"] - 240 * scale) / 2
    return left + x * scale, top + y * scale


def drag(page: sync_api.Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
    page.mouse.move(*end)
    page.mouse.up()


def test_drop_count_correct_undo_reload_and_take_away(page: sync_api.Page, tmp_path: Path) -> None:
    drop(page, first=FIRST, second=SECOND)
    wait_for_counts(page, "automatic", [1, 17, 1])

    open_photograph(page, "first.png")
    wait_for_counts(page, "corrected", [1, 12, 1])

    # Add by dragging, on an empty place.
    page.get_by_role("button", name="Add cells").click()
    drag(page, on_screen(page, 205, 205), on_screen(page, 235, 235))
    wait_for_counts(page, "corrected", [1, 13, 1])
    # Relabel what was just added.
    page.keyboard.press("Escape")
    page.keyboard.press("1")
    wait_for_counts(page, "corrected", [2, 12, 1])
    # Delete a detected cell.
    page.mouse.click(*on_screen(page, 20, 20))
    page.keyboard.press("Delete")
    wait_for_counts(page, "corrected", [2, 11, 1])
    # Select the first row of red cells that are left, and delete them together.
    page.get_by_role("button", name="Select an area").click()
    drag(page, on_screen(page, 1, 1), on_screen(page, 319, 39))
    page.get_by_role("button", name="Delete").click()
    wait_for_counts(page, "corrected", [2, 4, 1])
    wait_for_counts(page, "automatic", [1, 12, 1])
    page.keyboard.press("Control+z")
    wait_for_counts(page, "corrected", [2, 11, 1])

    page.reload()
    sync_api.expect(page.locator("#photograph-name")).to_have_text("first.png")
    wait_for_counts(page, "corrected", [2, 11, 1])
    # The threshold moves the counts at once, corrections and all.
    page.locator("#threshold-1").fill("0.2")
    wait_for_counts(page, "corrected", [2, 15, 1])
    wait_for_counts(page, "automatic", [1, 16, 1])

    page.get_by_role("button", name="All photographs").click()
    wait_for_counts(page, "corrected", [2, 20, 1])
    page.get_by_role("button", name="Table", exact=True).click()
    rows = page.locator("#table tbody tr").all_inner_texts()
    page.get_by_text("Download").click()
    with page.expect_download() as download:
        page.get_by_text("Table of counts (CSV)").click()
    download.value.save_as(tmp_path / "counts.csv")
    with (tmp_path / "counts.csv").open(encoding="utf-8-sig") as stream:
        table = list(csv.DictReader(stream))
    # Each row of the screen: name, then automatic and corrected of each class.
    for row, exported in zip(rows, table, strict=True):
        name, *numbers = row.split()
        assert name == exported["image"]
        assert numbers[1::2] == [exported[label] for label in CARD.classes]
    sums = [sum(int(row[label]) for row in table) for label in CARD.classes]
    assert sums == counts(page, "corrected")


def test_everything_goes_by_keyboard(page: sync_api.Page) -> None:
    drop(page, first=FIRST)
    wait_for_counts(page, "automatic", [1, 12, 1])
    page.get_by_role("button", name="Open first.png").focus()
    page.keyboard.press("Enter")
    sync_api.expect(page.locator("#canvas")).to_be_focused()
    status = page.locator("#status")
    page.keyboard.press("n")
    sync_api.expect(status).to_contain_text("RBC, score 0.9")
    page.keyboard.press("n")
    page.keyboard.press("Delete")
    wait_for_counts(page, "corrected", [1, 11, 1])
    page.keyboard.press("3")
    page.keyboard.press("a")
    wait_for_counts(page, "corrected", [1, 11, 2])
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    page.keyboard.press("Shift+ArrowDown")
    sync_api.expect(status).to_contain_text("Saved")
    for _ in range(6):
        page.keyboard.press("Control+z")
    wait_for_counts(page, "corrected", [1, 12, 1])
    sync_api.expect(page.get_by_role("button", name="Undo")).to_be_disabled()
    for _ in range(6):
        page.keyboard.press("Control+y")
    wait_for_counts(page, "corrected", [1, 11, 2])
    page.keyboard.press("Control+a")
    page.keyboard.press("Delete")
    wait_for_counts(page, "corrected", [0, 0, 0])
    page.keyboard.press("Escape")
    sync_api.expect(page.locator("#overview")).to_be_visible()


@pytest.mark.parametrize("address", [133], indirect=True)
def test_with_an_edge_rule_the_panel_says_what_row_and_file_say(page: sync_api.Page) -> None:
    # Cells as wide as in a real photograph, 129 px, that end 2 px from the border.
    cells = [("RBC", 0.9)] * 4 + [("WBC", 0.8), ("RBC", 0.7), ("RBC", 0.3), ("RBC", 0.3)] * 2
    drop(page, large=png(smear(cells, 4, 3, square=133, radius=64)))
    wait_for_counts(page, "corrected", [2, 6, 0])
    open_photograph(page, "large.png")
    for rule, counts_by_threshold in (
        ("inside", {"0.8": [0, 0, 0], "0.6": [0, 1, 0], "0.2": [0, 2, 0]}),
        ("two-edges", {"0.8": [1, 3, 0], "0.6": [1, 4, 0], "0.2": [1, 5, 0]}),
        ("all", {"0.8": [2, 4, 0], "0.6": [2, 6, 0], "0.2": [2, 10, 0]}),
    ):
        page.locator("#edge").select_option(rule)
        for threshold, expected in counts_by_threshold.items():
            page.locator("#threshold-1").fill(threshold)
            wait_for_counts(page, "automatic", expected)
            wait_for_counts(page, "corrected", expected)
            while settings_of_server(page) != (rule, float(threshold)):
                page.wait_for_timeout(20)
            row = session_of(page)["photographs"][0]
            assert row["automatic"]["counted"] == row["corrected"]["counted"] == expected
            text = page.evaluate("async () => (await fetch('api/downloads/counts.csv')).text()")
            table = next(csv.DictReader(text.removeprefix("\ufeff").splitlines()))
            assert [int(table[name]) for name in CARD.classes] == expected


def settings_of_server(page: sync_api.Page) -> tuple[str, float | None]:
    """Return the edge rule and the threshold of red cells that the server has."""
    settings = session_of(page)["settings"]
    return settings["edge"], (settings["thresholds"] or [None, None])[1]


class HeldCorrections:
    """Corrections that reach the server only when the test lets them go."""

    def __init__(self, page: sync_api.Page) -> None:
        self._held: list[sync_api.Route] = []
        page.route("**/corrections", lambda route: self._held.append(route))
        self._page = page

    def let_one_go(self) -> None:
        """Wait for a correction to be sent, and let it through to the server."""
        until(self._page, lambda: bool(self._held))
        with self._page.expect_response("**/corrections"):
            self._held.pop(0).continue_()


def test_a_late_answer_leaves_a_newer_selection_alone(page: sync_api.Page) -> None:
    drop(page, first=FIRST)
    wait_for_counts(page, "automatic", [1, 12, 1])
    open_photograph(page, "first.png")
    held = HeldCorrections(page)
    status = page.locator("#status")
    page.locator("#canvas").focus()
    page.keyboard.press("n")
    page.keyboard.press("Delete")
    page.keyboard.press("Control+a")
    sync_api.expect(status).to_have_text("14 cells selected")
    held.let_one_go()
    wait_for_counts(page, "corrected", [1, 11, 1])
    page.keyboard.press("Delete")
    held.let_one_go()
    wait_for_counts(page, "corrected", [0, 0, 0])
    # An undo keeps what is selected.
    page.keyboard.press("Control+z")
    held.let_one_go()
    wait_for_counts(page, "corrected", [1, 11, 1])
    page.keyboard.press("Control+a")
    page.keyboard.press("Control+z")
    held.let_one_go()
    wait_for_counts(page, "corrected", [1, 12, 1])
    page.keyboard.press("Delete")
    held.let_one_go()
    wait_for_counts(page, "corrected", [0, 1, 0])


def test_corrections_made_faster_than_they_are_answered_add_up(page: sync_api.Page) -> None:
    drop(page, second=SECOND)
    wait_for_counts(page, "automatic", [0, 5, 0])
    open_photograph(page, "second.png")
    held = HeldCorrections(page)
    page.locator("#canvas").focus()
    page.keyboard.press("n")
    for key in ("ArrowRight", "1", "ArrowRight", "ArrowDown", "3"):
        page.keyboard.press(key)
    for _ in range(5):
        held.let_one_go()
    wait_for_counts(page, "corrected", [0, 4, 1])
    identity = session_of(page)["photographs"][0]["id"]
    seen = page.evaluate(
        "async (path) => (await fetch(path)).json()", f"api/photographs/{identity}"
    )
    left, top, right, bottom = seen["boxes"][seen["removed"][0]]
    assert seen["added"] == [{"box": [left + 2, top + 1, right + 2, bottom + 1], "label": 3}]


def test_after_a_deletion_n_goes_on_from_there(page: sync_api.Page) -> None:
    drop(page, first=FIRST)
    wait_for_counts(page, "automatic", [1, 12, 1])
    open_photograph(page, "first.png")
    status = page.locator("#status")
    page.locator("#canvas").focus()
    for number in range(1, 6):
        page.keyboard.press("n")
        sync_api.expect(status).to_contain_text(f"{number} of 14")
    page.keyboard.press("Delete")
    wait_for_counts(page, "corrected", [1, 11, 1])
    page.keyboard.press("n")
    sync_api.expect(status).to_contain_text("5 of 13")
    page.keyboard.press("Delete")
    wait_for_counts(page, "corrected", [1, 10, 1])
    page.keyboard.press("p")
    sync_api.expect(status).to_contain_text("4 of 12")


def test_a_cell_is_moved_and_resized_by_hand(page: sync_api.Page, tmp_path: Path) -> None:
    drop(page, second=SECOND)
    wait_for_counts(page, "automatic", [0, 5, 0])
    open_photograph(page, "second.png")
    wait_for_counts(page, "corrected", [0, 5, 0])
    page.mouse.click(*on_screen(page, 20, 20))
    drag(page, on_screen(page, 20, 20), on_screen(page, 60, 120))
    journal = tmp_path / "session" / "corrections.jsonl"
    sync_api.expect(page.get_by_role("button", name="Undo")).to_be_enabled()
    assert '"add":[{"box":[4' in journal.read_text()
    # The edge rule counts it no more once it reaches the border.
    page.locator("#edge").select_option("inside")
    drag(page, on_screen(page, 60, 120), on_screen(page, 10, 120))
    wait_for_counts(page, "corrected", [0, 4, 0])
    sync_api.expect(page.locator("#excluded-note")).to_contain_text("1 not counted")
    wait_for_counts(page, "automatic", [0, 5, 0])


def test_a_setting_survives_a_correction_made_at_once_and_a_reload(page: sync_api.Page) -> None:
    drop(page, first=FIRST)
    wait_for_counts(page, "automatic", [1, 12, 1])
    open_photograph(page, "first.png")
    page.evaluate(
        """() => {
            const edge = document.getElementById("edge");
            edge.value = "two-edges";
            edge.dispatchEvent(new Event("change"));
        }"""
    )
    page.keyboard.press("n")
    page.keyboard.press("Delete")
    wait_for_counts(page, "corrected", [1, 11, 1])
    page.keyboard.press("b")
    until(page, lambda: settings_of_server(page)[0] == "two-edges")
    until(page, lambda: "boxes=off" in page.url)
    for _ in range(2):
        assert page.locator("#edge").input_value() == "two-edges"
        sync_api.expect(page.locator("#show-boxes")).not_to_be_checked()
        page.reload()
        wait_for_counts(page, "corrected", [1, 11, 1])


def test_another_pixel_size_is_seen_on_the_open_photograph(page: sync_api.Page) -> None:
    drop(page, first=FIRST)
    wait_for_counts(page, "automatic", [1, 12, 1])
    open_photograph(page, "first.png")
    for size, note in (("0.1", "0.100 µm (as you set it)"), ("0,2", "0.200 µm (as you set it)")):
        page.locator("#pixel-size").fill(size)
        page.keyboard.press("Enter")
        sync_api.expect(page.locator("#scale-note")).to_contain_text(note)
    wait_for_counts(page, "corrected", [1, 12, 1])


def test_a_pixel_size_that_no_microscope_has_is_refused_with_its_range(
    page: sync_api.Page,
) -> None:
    drop(page, first=FIRST)
    wait_for_counts(page, "automatic", [1, 12, 1])
    page.locator("#pixel-size").fill("110")
    page.get_by_role("button", name="Set for 1 photographs").click()
    sync_api.expect(page.locator("#pixel-size")).to_have_attribute("aria-invalid", "true")
    sync_api.expect(page.locator("body")).to_contain_text("from 0.01 to 1.875")


def test_a_bad_file_is_a_card_with_its_reason(page: sync_api.Page) -> None:
    drop(page, bad=b"no picture", good=SECOND)
    card = page.locator(".card.failed")
    sync_api.expect(card).to_contain_text("not an image")
    page.get_by_role("button", name="Remove bad.png").click()
    sync_api.expect(card).to_have_count(0)


def test_the_page_speaks_japanese(chromium: sync_api.Browser, address: str) -> None:
    context = chromium.new_context(locale="ja-JP", viewport={"width": 820, "height": 1180})
    page = context.new_page()
    page.set_default_timeout(200_000)
    page.goto(address)
    sync_api.expect(page.locator("#add-files")).to_have_text("写真を追加")
    assert page.evaluate("document.documentElement.lang") == "ja"
    # Nothing is cut off on an upright tablet.
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    context.close()


def test_one_unreadable_file_does_not_lose_a_dropped_folder(page: sync_api.Page) -> None:
    told = page.evaluate(
        """async () => {
            const { filesOfDrop, uploads } = await import("./upload.js");
            const { session } = await import("./session_state.js");
            session.suffixes = [".png"];  // as the server sends them
            const entry = (name, file) => ({ name, fullPath: `/d/${name}`, file });
            const parts = [[
                entry("gone.png", (take, fail) => fail(new Error("it is gone"))),
                entry("good.png", (take) => take(new File(["x"], "good.png"))),
            ], []];
            const readEntries = (take) => take(parts.shift());
            const createReader = () => ({ readEntries });
            const folder = { isDirectory: true, fullPath: "/d", createReader };
            const items = [{
                kind: "file", webkitGetAsEntry: () => folder, getAsFile: () => null,
            }];
            const found = await filesOfDrop({ items });
            return [found.map((one) => one.name), [...uploads.failed.entries()]];
        }"""
    )
    assert told == [["d/good.png"], [["d/gone.png", "The file could not be sent (it is gone)."]]]


def test_after_a_correction_without_an_answer_the_next_one_is_sent(page: sync_api.Page) -> None:
    told = page.evaluate(
        """async () => {
            const { sendCorrection } = await import("./corrections.js");
            const [ask, said] = [window.fetch, []];
            window.fetch = (path, options) => {
                if (path.endsWith("corrections")) return new Response("{}", { status: 409 });
                if (path.endsWith("nobody")) throw new TypeError("no answer");
                return ask(path, options);
            };
            const photograph = { row: { id: "nobody" }, log_length: 0 };
            for (const kind of ["undo", "redo"]) {
                const say = (why) => said.push(`${kind}: ${why}`);
                await sendCorrection(photograph, () => ({ kind }), () => {}, say);
            }
            window.fetch = ask;
            return said;
        }"""
    )
    assert told == ["undo: smearcount does not answer.", "redo: smearcount does not answer."]


def test_the_tool_that_adds_cells_changes_no_other(page: sync_api.Page) -> None:
    drop(page, first=FIRST, second=SECOND)
    wait_for_counts(page, "automatic", [1, 17, 1])
    open_photograph(page, "second.png")
    page.get_by_role("button", name="Add cells").click()
    # The class of the next cell is chosen before and between.
    page.keyboard.press("3")
    drag(page, on_screen(page, 100, 150), on_screen(page, 130, 180))
    wait_for_counts(page, "corrected", [0, 5, 1])
    page.keyboard.press("1")
    drag(page, on_screen(page, 200, 150), on_screen(page, 230, 180))
    wait_for_counts(page, "corrected", [1, 5, 1])
    # The corner of the cell just added resizes it; its inside takes a further cell.
    x, y = on_screen(page, 230, 180)
    drag(page, (x + 3, y + 3), on_screen(page, 260, 210))
    until(page, lambda: added_boxes(page)[-1][2] > 255)
    assert len(added_boxes(page)) == 2
    # Escape gives up the gesture, then the tool, and stays on the photograph.
    page.mouse.move(*on_screen(page, 20, 200))
    page.mouse.down()
    page.mouse.move(*on_screen(page, 60, 230))
    page.keyboard.press("Escape")
    page.mouse.up()
    page.keyboard.press("Escape")
    sync_api.expect(page.locator("#tool-look")).to_have_attribute("aria-pressed", "true")
    assert len(added_boxes(page)) == 2
    # The next photograph takes the same class; two cells never lie at the same place.
    page.keyboard.press("PageUp")
    sync_api.expect(page.locator("#photograph-name")).to_have_text("first.png")
    page.keyboard.press("a")
    page.keyboard.press("a")
    sync_api.expect(page.locator("#status")).to_contain_text("at this very place")
    wait_for_counts(page, "corrected", [2, 12, 1])
    # With the middle button, and while space is held, dragging moves the view.
    page.get_by_role("button", name="Add cells").click()
    page.locator("#canvas").focus()
    before = page.url
    page.keyboard.down(" ")
    drag(page, on_screen(page, 50, 220), on_screen(page, 80, 220))
    page.keyboard.up(" ")
    until(page, lambda: page.url != before)
    before = page.url
    page.mouse.move(*on_screen(page, 50, 220))
    page.mouse.down(button="middle")
    page.mouse.move(*on_screen(page, 90, 220))
    page.mouse.up(button="middle")
    until(page, lambda: page.url != before)
    wait_for_counts(page, "corrected", [2, 12, 1])


def added_boxes(page: sync_api.Page) -> list[list[float]]:
    """Return the boxes added by hand in the open photograph, as the server has them."""
    identity = page.url.partition("photograph=")[2][:16]
    seen = page.evaluate(
        "async (path) => (await fetch(path)).json()", f"api/photographs/{identity}"
    )
    return [cell["box"] for cell in seen["added"]]


def test_messages_are_seen(page: sync_api.Page) -> None:
    drop(page, first=FIRST)
    wait_for_counts(page, "automatic", [1, 12, 1])
    page.locator("#pixel-size").fill("110")
    page.get_by_role("button", name="Set for 1 photographs").click()
    message = page.locator("#status")
    sync_api.expect(message).to_contain_text("from 0.01 to 1.875")
    place = message.bounding_box()
    assert place is not None
    assert place["width"] > 500
    assert place["height"] > 20
    assert place["y"] + place["height"] <= 720


class Server:
    """The page's server, which can go away and come back on the same port."""

    def __init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}/"

    def start(self, folder: Path) -> None:
        app = create_app(folder, DiscDetector())
        listener = socket.create_server(("127.0.0.1", self.port))
        self._server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [listener]})
        self._thread.start()

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join()


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.stop()


def test_a_page_survives_a_restart_and_never_mixes_two_sessions(
    chromium: sync_api.Browser, server: Server, tmp_path: Path
) -> None:
    server.start(tmp_path / "first")
    context = chromium.new_context(locale="en-GB")
    page = context.new_page()
    page.set_default_timeout(200_000)
    page.goto(server.address)
    drop(page, first=FIRST)
    wait_for_counts(page, "automatic", [1, 12, 1])

    # Settings changed while the server is away are told, and sent when it is back.
    server.stop()
    page.locator("#edge").select_option("inside")
    sync_api.expect(page.locator("#offline")).to_be_visible()
    sync_api.expect(page.locator("#status")).to_have_text("smearcount does not answer.")
    server.start(tmp_path / "first")
    until(page, lambda: settings_of_server(page)[0] == "inside")
    sync_api.expect(page.locator("#offline")).to_be_hidden()
    assert page.locator("#edge").input_value() == "inside"

    # Another session on the same port is not added to this one, whatever the page does.
    server.stop()
    server.start(tmp_path / "second")
    page.locator("#edge").select_option("all")
    drop(page, second=SECOND)
    sync_api.expect(page.locator("#offline")).to_contain_text("Another session")
    sync_api.expect(page.locator(".card")).to_have_count(2)  # the upload is refused, and shown
    assert session_of(page)["photographs"] == []
    assert settings_of_server(page)[0] == "all"
    page.get_by_role("button", name="Show the new session").click()
    sync_api.expect(page.locator(".card")).to_have_count(0)
    sync_api.expect(page.locator("#edge")).to_have_value("all")
    drop(page, second=SECOND)
    wait_for_counts(page, "automatic", [0, 5, 0])
    context.close()


def test_junk_is_left_out_of_the_totals_and_removal_asks(page: sync_api.Page) -> None:
    drop(page, junk=FIRST, good=SECOND, bad=b"no picture")
    wait_for_counts(page, "automatic", [1, 17, 1])
    summary = page.locator("#summary")
    sync_api.expect(summary).to_have_text("2 counted, 1 failed")
    page.get_by_role("button", name="Leave out of totals: junk.png").click()
    wait_for_counts(page, "corrected", [0, 5, 0])
    sync_api.expect(summary).to_have_text("1 counted, 1 failed, 1 left out")
    page.get_by_role("button", name="Table", exact=True).click()
    wait_for_counts(page, "automatic", [0, 5, 0])
    page.reload()
    sync_api.expect(summary).to_have_text("1 counted, 1 failed, 1 left out")
    page.get_by_role("checkbox", name="junk.png is in the totals").click()
    wait_for_counts(page, "corrected", [1, 17, 1])
    page.get_by_role("button", name="Pictures").click()

    page.get_by_role("button", name="Remove good.png").click()
    dialog = page.get_by_role("dialog")
    sync_api.expect(dialog).to_contain_text("Remove good.png")
    page.keyboard.press("Escape")
    sync_api.expect(dialog).to_be_hidden()
    assert len(session_of(page)["photographs"]) == 3
    page.get_by_role("button", name="Remove good.png").click()
    dialog.get_by_role("button", name="Remove").click()
    wait_for_counts(page, "corrected", [1, 12, 1])
    page.get_by_role("button", name="Remove all").click()
    dialog.get_by_role("button", name="Remove all").click()
    sync_api.expect(page.locator(".card")).to_have_count(0)
    until(page, lambda: session_of(page)["photographs"] == [])


def test_a_pixel_size_says_what_it_applies_to(page: sync_api.Page) -> None:
    drop(page, first=FIRST, second=SECOND)
    wait_for_counts(page, "automatic", [1, 17, 1])
    field, apply = page.locator("#pixel-size"), page.locator("#apply-pixel-size")
    sync_api.expect(apply).to_have_text("Set for 2 photographs")
    # Leaving the field counts nothing anew.
    field.fill("0.1")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert {row["state"] for row in session_of(page)["photographs"]} == {"done"}
    assert session_of(page)["settings"]["pixel_size_um"] is None
    open_photograph(page, "first.png")
    sync_api.expect(apply).to_have_text("Set for 1 photographs")
    field.fill("0.2")
    apply.click()
    sync_api.expect(page.locator("#scale-note")).to_contain_text("0.200 µm (as you set it)")
    sizes = {row["name"]: row["pixel_size_um"] for row in session_of(page)["photographs"]}
    assert sizes == {"first.png": 0.2, "second.png": None}
    page.get_by_role("button", name="All photographs").click()
    sync_api.expect(apply).to_have_text("Set for 1 photographs")


def test_letter_keys_act_on_the_photograph_alone(page: sync_api.Page) -> None:
    drop(page, first=FIRST)
    wait_for_counts(page, "automatic", [1, 12, 1])
    open_photograph(page, "first.png")
    page.keyboard.press("n")
    for control in ("#fit", "#show-boxes", "#reset"):
        page.locator(control).focus()
        for key in ("Backspace", "Delete", "a"):
            page.keyboard.press(key)
    wait_for_counts(page, "corrected", [1, 12, 1])
    # After a click the keys are for the photograph again.
    page.get_by_role("button", name="Fit").click()
    page.keyboard.press("Backspace")
    wait_for_counts(page, "corrected", [1, 11, 1])
    # What is hidden cannot be selected.
    page.keyboard.press("b")
    page.mouse.click(*on_screen(page, 60, 20))
    sync_api.expect(page.locator("#delete")).to_be_disabled()
    page.keyboard.press("n")
    sync_api.expect(page.locator("#show-boxes")).to_be_checked()
    # Menus close when another one opens, when the focus leaves, and after a choice.
    downloads = page.locator("#downloads")
    page.get_by_text("Download", exact=True).click()
    page.get_by_text("Keys", exact=True).click()
    assert downloads.get_attribute("open") is None
    page.locator("#back").focus()
    assert page.locator("#help").get_attribute("open") is None


def test_corrections_of_a_second_window_are_shown(page: sync_api.Page) -> None:
    drop(page, first=FIRST)
    wait_for_counts(page, "automatic", [1, 12, 1])
    open_photograph(page, "first.png")
    identity = session_of(page)["photographs"][0]["id"]
    page.evaluate(
        """async (path) => fetch(path, {
            method: "POST",
            headers: { "Content-Type": "application/json" },
            body: JSON.stringify({
                after: 0, add: [{ box: [200, 200, 230, 230], label: "WBC" }],
            }),
        })""",
        f"api/photographs/{identity}/corrections",
    )
    wait_for_counts(page, "corrected", [2, 12, 1])
    page.locator("#canvas").focus()
    page.keyboard.press("Control+z")
    wait_for_counts(page, "corrected", [1, 12, 1])


def test_a_pinch_that_loses_a_finger_goes_on_as_a_pan(page: sync_api.Page) -> None:
    drop(page, first=FIRST)
    wait_for_counts(page, "automatic", [1, 12, 1])
    open_photograph(page, "first.png")
    before = page.url
    page.evaluate(
        """() => {
            const canvas = document.getElementById("canvas");
            canvas.setPointerCapture = () => {};
            const send = (kind, pointerId, clientX, clientY) => canvas.dispatchEvent(
                new PointerEvent(kind, { pointerId, clientX, clientY, pointerType: "touch" }));
            send("pointerdown", 1, 300, 300);
            send("pointerdown", 2, 400, 300);
            send("pointermove", 2, 480, 300);
            send("pointerup", 2, 480, 300);
            send("pointermove", 1, 340, 320);
            send("pointermove", 1, 360, 330);
            send("pointerup", 1, 360, 330);
        }"""
    )
    until(page, lambda: page.url != before)


def test_a_dropped_folder_says_what_was_not_taken(page: sync_api.Page) -> None:
    page.evaluate(
        """async () => {
            const { filesOfInput, upload } = await import("./upload.js");
            const file = (path) => Object.defineProperty(
                new File(["x"], path), "webkitRelativePath", { value: path });
            upload(filesOfInput(["d/a.HEIC", "d/b.heic", "d/c.czi", "d/.hidden"].map(file)));
        }"""
    )
    sync_api.expect(page.locator("#skipped")).to_contain_text("2 × .heic, 1 × .czi")


def test_the_edge_of_the_field_of_view_is_drawn(page: sync_api.Page) -> None:
    framed = np.zeros((280, 400, 3), dtype=np.uint8)
    framed[20:260, 40:360] = smear([("RBC", 0.9)] * 12)
    drop(page, framed=png(framed))
    sync_api.expect(page.locator("[data-count='automatic-RBC']")).not_to_have_text("0")
    open_photograph(page, "framed.png")
    until(
        page,
        lambda: page.evaluate(
            """() => {
                const canvas = document.getElementById("canvas");
                const { data } = canvas.getContext("2d")
                    .getImageData(0, 0, canvas.width, canvas.height);
                let gray = 0;
                for (let at = 0; at < data.length; at += 4) {
                    if (data[at] === 107 && data[at + 1] === 107 && data[at + 2] === 107) gray += 1;
                }
                return gray > 500;
            }"""
        ),
    )


def test_on_a_phone_totals_come_first_and_menus_fit(
    chromium: sync_api.Browser, address: str
) -> None:
    context = chromium.new_context(locale="en-GB", viewport={"width": 390, "height": 760})
    page = context.new_page()
    page.set_default_timeout(200_000)
    page.goto(address)
    drop(page, **{"a-very-long-name-of-a-photograph" * 3: FIRST}, second=SECOND)
    wait_for_counts(page, "automatic", [1, 17, 1])
    totals, cards = page.locator("#counts").bounding_box(), page.locator("#cards").bounding_box()
    assert totals is not None
    assert cards is not None
    assert totals["y"] < cards["y"]
    page.get_by_text("Download", exact=True).click()
    menu = page.locator("#downloads > div").bounding_box()
    assert menu is not None
    assert menu["x"] >= 0
    assert menu["x"] + menu["width"] <= 390
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Table", exact=True).click()
    first_number = page.locator("#table tbody td").first.bounding_box()
    assert first_number is not None
    assert first_number["x"] < 390
    context.close()
