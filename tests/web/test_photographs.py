"""The photographs of a session: one natural order for the page and the downloads."""

from __future__ import annotations

import csv
import io

from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from doubles.disc_detector import png, smear
from doubles.web_client import settled, upload
from smearcount.web.photographs import Photograph, Photographs, identity_of, natural_order


def test_names_sort_as_people_count() -> None:
    names = ["b/1.jpg", "a/10.jpg", "a/2.jpg", "Slide 10/a.jpg", "slide 9/a.jpg", "z.jpg"]
    assert sorted(names, key=natural_order) == [
        "z.jpg",
        "a/2.jpg",
        "a/10.jpg",
        "b/1.jpg",
        "slide 9/a.jpg",
        "Slide 10/a.jpg",
    ]


@given(st.lists(st.text(min_size=1), unique=True))
def test_any_two_names_have_an_order(names: list[str]) -> None:
    backwards = names[::-1]
    assert sorted(names, key=natural_order) == sorted(backwards, key=natural_order)


def test_the_page_lists_photographs_as_the_downloads_do(client: TestClient) -> None:
    names = ["a-1.png", "a_1.png", "F.png", "É.png", "é/10.png", "é/9.png", "B/1.png"]
    for number, name in enumerate(names, start=1):
        upload(client, png(smear([("RBC", 0.9)] * number)), name)
    settled(client)
    session = client.get("/api/session").json()
    by_id = {row["id"]: row["name"] for row in session["photographs"]}
    on_page = [by_id[identity] for identity in session["order"]]
    text = client.get("/api/downloads/counts.csv").content.decode("utf-8-sig")
    assert on_page == [row["image"] for row in csv.DictReader(io.StringIO(text))]
    assert on_page.index("É.png") < on_page.index("F.png")


def test_the_order_is_told_only_when_photographs_came_or_went() -> None:
    photographs = Photographs()
    assert photographs.order_since(-1) == []
    made = [Photograph(identity_of(name, ""), name, "", 0) for name in ("10.png", "9.png")]
    for photograph in made:
        photographs.add(photograph)
    seen = photographs.revision
    assert photographs.order_since(0) == [made[1].id, made[0].id]
    photographs.change(made[0], "done")
    assert photographs.order_since(seen) is None
    photographs.remove(made[1])
    assert photographs.order_since(seen) == [made[0].id]
