"""TIFF files of microscopes and cameras: the right page, the right levels, or a sentence."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import tifffile

from smearcount.errors import ImageError
from smearcount.image.color import EMPTY_ALPHA_NOTE
from smearcount.image.image import SmearImage
from smearcount.image.read import open_image
from smearcount.image.tiff import THUMBNAIL_NOTE


def smooth(width: int = 96, height: int = 64) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    planes = [128 + 100 * np.sin(x / 17 + k) * np.cos(y / 23 - k) for k in range(3)]
    picture = np.stack(planes, axis=2).astype(np.uint8)
    picture[:3, :3] = 255
    return picture


PICTURE = smooth()


def written(
    tmp_path: Path, values: np.ndarray, name: str = "a.tif", **options: object
) -> SmearImage:
    file = tmp_path / name
    tifffile.imwrite(file, values, **{"photometric": "rgb", **options})
    return open_image(file)


@pytest.mark.parametrize(
    ("values", "note"),
    [
        (PICTURE.astype(np.int16), "int16 values scaled to 8 bits: 0..255"),
        ((PICTURE.astype(int) - 128).astype(np.int8), "int8 values scaled to 8 bits: -128..127"),
        ((PICTURE.astype(int) * 257 - 32768).astype(np.int16), "-32768..32767"),
        (PICTURE.astype(np.uint32), "uint32 values scaled to 8 bits: 0..255"),
        (PICTURE.astype(np.uint32) * 16843009, "0..4.2949673e+09"),
        ((PICTURE / 255).astype(np.float32), "float32 values scaled to 8 bits: 0..1"),
        (PICTURE.astype(np.float32), "0..255"),
        (PICTURE.astype(np.float64) * 257, "0..65535"),
    ],
)
def test_every_type_is_scaled_by_a_rule_that_the_note_tells(
    tmp_path: Path, values: np.ndarray, note: str
) -> None:
    image = written(tmp_path, values)
    assert np.abs(image.pixels().astype(int) - PICTURE).max() <= 1
    assert note in image.notes[0]


def test_what_is_no_number_is_black(tmp_path: Path) -> None:
    values = (PICTURE / 255).astype(np.float32)
    values[10, 10], values[11, 11] = np.nan, np.inf
    pixels = written(tmp_path, values).pixels()
    assert not pixels[10, 10].any()
    assert np.array_equal(pixels[20:], PICTURE[20:])


@pytest.mark.parametrize("dtype", [np.uint16, np.int16, np.float32])
def test_a_hot_pixel_does_not_darken_the_picture(tmp_path: Path, dtype: type) -> None:
    values = (PICTURE.astype(np.uint16) * 16).astype(dtype)
    values[30, 40] = 30000
    image = written(tmp_path, values)
    assert np.abs(image.pixels()[32:].astype(int) - PICTURE[32:]).max() <= 1
    assert "brighter ones cut" in image.notes[0]


@pytest.mark.parametrize(
    "options",
    [
        {"bigtiff": True, "byteorder": ">"},
        {"bigtiff": True, "byteorder": "<"},
        {"byteorder": ">"},
        {"tile": (32, 32)},
        {"tile": (32, 32), "byteorder": ">", "bigtiff": True},
        {"rowsperstrip": 7},
    ],
)
@pytest.mark.parametrize("factor", [1, 257])
def test_containers_give_the_same_pixels(
    tmp_path: Path, options: dict[str, object], factor: int
) -> None:
    values = PICTURE if factor == 1 else PICTURE.astype(np.uint16) * factor
    assert np.array_equal(written(tmp_path, values, **options).pixels(), PICTURE)


def test_an_alpha_channel_of_zeros_is_ignored_with_a_note(tmp_path: Path) -> None:
    values = np.dstack([PICTURE, np.zeros(PICTURE.shape[:2], np.uint8)])
    image = written(tmp_path, values, extrasamples=["unassalpha"])
    assert np.array_equal(image.pixels(), PICTURE)
    assert EMPTY_ALPHA_NOTE in image.notes


@pytest.mark.parametrize("below", [False, True])
@pytest.mark.parametrize("flagged", [False, True])
def test_a_thumbnail_is_never_counted(tmp_path: Path, below: bool, flagged: bool) -> None:
    file = tmp_path / "camera.tif"
    with tifffile.TiffWriter(file) as writer:
        writer.write(
            PICTURE[::4, ::4].copy(),
            photometric="rgb",
            subfiletype=1 if flagged else 0,
            subifds=1 if below else 0,
        )
        writer.write(PICTURE, photometric="rgb", subfiletype=0)
    image = open_image(file)
    assert np.array_equal(image.pixels(), PICTURE)
    assert image.notes == (THUMBNAIL_NOTE,)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"subfiletype": 1}, "only a preview"),
        ({"photometric": 34892}, "raw data of a camera"),
        ({"photometric": "separated", "planarconfig": "contig", "wide": True}, "CMYK"),
    ],
)
def test_what_cannot_be_counted_right_is_refused(
    tmp_path: Path, options: dict[str, object], said: str
) -> None:
    values = PICTURE
    if options.pop("wide", False):
        values = np.dstack([PICTURE, PICTURE[:, :, :1]]).astype(np.uint16)
    with pytest.raises(ImageError, match=said):
        written(tmp_path, values, **options)


def test_planar_cmyk_of_sixteen_bits_is_refused(tmp_path: Path) -> None:
    values = np.repeat(PICTURE[None, :, :, 0], 4, axis=0).astype(np.uint16)
    with pytest.raises(ImageError, match="CMYK"):
        written(tmp_path, values, photometric="separated", planarconfig="separate")


@pytest.mark.parametrize("name", ["slide.vsi", "slide.MRXS"])
def test_a_preview_of_a_slide_is_refused_by_its_name(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"II*\0")
    with pytest.raises(ImageError, match="only a preview"):
        open_image(tmp_path / name)


@pytest.mark.parametrize("pages", [1, 2, 150])
def test_a_chain_of_pages_that_runs_in_a_circle_is_refused(tmp_path: Path, pages: int) -> None:
    side, first = 64, 8 + 64 * 64
    tags = [(256, side), (257, side), (258, 8), (259, 1), (262, 1), (273, 8), (278, side)]
    tags.append((279, side * side))
    step = 2 + 12 * len(tags) + 4
    content = b"II*\0" + struct.pack("<I", first) + bytes(side * side)
    for page in range(pages):
        content += struct.pack("<H", len(tags))
        content += b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
        content += struct.pack("<I", first + step * ((page + 1) % pages))
    file = tmp_path / "circle.tif"
    file.write_bytes(content)
    with pytest.raises(ImageError, match=r"circle.tif: its chain of pages runs in a circle"):
        open_image(file)


@pytest.mark.parametrize(
    ("description", "size_um"),
    [
        ('<OME><Pixels PhysicalSizeX="0.25" PhysicalSizeXUnit="&#181;m"/></OME>', 0.25),
        ('<OME><Pixels PhysicalSizeX="0.25" PhysicalSizeXUnit="&#xB5;m"/></OME>', 0.25),
        ("<OME><Pixels PhysicalSizeX='0.25' PhysicalSizeXUnit='um'/></OME>", 0.25),
        ('<OME><Pixels PhysicalSizeX="0.25"/></OME>', 0.25),
        ('<OME><Pixels PhysicalSizeX = "2.5e-5" PhysicalSizeXUnit = "cm"/></OME>', 0.25),
        ('<OME><Pixels PhysicalSizeX="2.5E-7" PhysicalSizeXUnit="m"/></OME>', 0.25),
        ('<OME><Pixels PhysicalSizeX="250000" PhysicalSizeXUnit="pm"/></OME>', 0.25),
        ('<OME><Pixels PhysicalSizeX="250" PhysicalSizeXUnit="nm"/></OME>', 0.25),
        ('<OME><Pixels PhysicalSizeX="2500" PhysicalSizeXUnit="&#8491;"/></OME>', 0.25),
        ('<OME><Pixels PhysicalSizeX="0.25" PhysicalSizeXUnit="pixel"/></OME>', None),
        ('<OME><Pixels PhysicalSizeX="wide" PhysicalSizeXUnit="um"/></OME>', None),
        ("Aperio Image Library v10\r\n96x64 |AppMag = 40|MPP = 0.2521|Left = 3", 0.2521),
    ],
)
def test_pixel_sizes_in_descriptions(
    tmp_path: Path, description: str, size_um: float | None
) -> None:
    image = written(tmp_path, PICTURE, description=description.encode(), metadata=None)
    assert image.pixel_size_um == (size_um if size_um is None else pytest.approx(size_um))
