"""Every file that people have opens to the same upright RGB, and damage says so in a sentence."""

import errno
import hashlib
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from smearcount.errors import ImageError
from smearcount.image import color, jpeg, png, raster, tiff
from smearcount.image.raster import Spool
from smearcount.image.read import open_image


def smooth(width: int = 90, height: int = 64) -> np.ndarray:
    """A picture without sharp edges, so that lossy formats stay near it."""
    y, x = np.mgrid[:height, :width]
    planes = [128 + 100 * np.sin(x / 17 + k) * np.cos(y / 23 - k) for k in range(3)]
    return np.stack(planes, axis=2).astype(np.uint8)


@pytest.fixture
def picture() -> np.ndarray:
    return smooth()


@pytest.fixture
def low_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Treat every image as a large one."""
    for module in (raster, jpeg, png, tiff, color):
        monkeypatch.setattr(module, "LARGE_PIXELS", 0)


@pytest.mark.parametrize(
    ("name", "options", "tolerance"),
    [
        ("a.png", {}, 0),
        ("a.bmp", {}, 0),
        ("a.tif", {}, 0),
        ("a.tif", {"compression": "tiff_lzw"}, 0),
        ("a.tif", {"compression": "tiff_adobe_deflate"}, 0),
        ("a.webp", {"lossless": True}, 0),
        ("a.jpg", {"quality": 95}, 12),
        ("misnamed.txt", {"format": "PNG"}, 0),
    ],
)
def test_each_format_gives_the_pixels_and_the_digest_of_the_file(
    tmp_path: Path, picture: np.ndarray, name: str, options: dict, tolerance: int
) -> None:
    file = tmp_path / name
    Image.fromarray(picture).save(file, **options)
    image = open_image(file)
    assert (image.width, image.height, image.name) == (90, 64, str(file))
    assert image.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert image.pixels().dtype == np.uint8
    assert np.abs(image.pixels().astype(int) - picture).max() <= tolerance
    assert np.array_equal(image.read((10, 20, 31, 45)), image.pixels()[20:45, 10:31])


@pytest.mark.parametrize("suffix", ["png", "tif", "webp", "jpg"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied_exactly_once(
    tmp_path: Path, picture: np.ndarray, suffix: str, orientation: int
) -> None:
    undo = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    stored = Image.fromarray(picture)
    stored = stored.transpose(undo) if undo is not None else stored
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if suffix == "webp" else {"quality": 95} if suffix == "jpg" else {}
    file = tmp_path / f"turned.{suffix}"
    stored.save(file, exif=exif, **options)
    image = open_image(file)
    assert (image.width, image.height) == (90, 64)
    assert np.abs(image.pixels().astype(int) - picture).max() <= (12 if suffix == "jpg" else 0)
    assert np.array_equal(image.read((3, 5, 40, 33)), image.pixels()[5:33, 3:40])
    with Image.open(file) as opened:
        assert np.array_equal(open_image(opened).pixels(), image.pixels())


@pytest.mark.parametrize("mode", ["L", "P", "1", "CMYK"])
def test_gray_palette_bilevel_and_cmyk_become_rgb(
    tmp_path: Path, picture: np.ndarray, mode: str
) -> None:
    converted = Image.fromarray(picture).convert(mode)
    file = tmp_path / "a.tif"
    converted.save(file)
    assert np.array_equal(open_image(file).pixels(), np.asarray(converted.convert("RGB")))


def test_adobe_cmyk_jpeg_is_not_inverted(tmp_path: Path, picture: np.ndarray) -> None:
    file = tmp_path / "press.jpg"
    Image.fromarray(picture).convert("CMYK").save(file, quality=95)
    assert np.abs(open_image(file).pixels().astype(int) - picture).mean() < 6


def test_transparent_parts_lie_over_white(tmp_path: Path) -> None:
    rgba = np.zeros((20, 20, 4), np.uint8)
    rgba[:, 10:] = (200, 0, 0, 255)
    file = tmp_path / "a.png"
    Image.fromarray(rgba).save(file)
    image = open_image(file)
    assert tuple(image.pixels()[0, 0]) == (255, 255, 255)
    assert tuple(image.pixels()[0, 19]) == (200, 0, 0)
    assert "white" in image.notes[0]


@pytest.mark.parametrize("bits", [12, 16])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_sixteen_bits_are_scaled_by_the_depth_in_use(
    tmp_path: Path, picture: np.ndarray, bits: int, compression: str | None
) -> None:
    picture[0, 0] = 255
    white = 2**bits - 1
    deep = np.rint(picture * (white / 255)).astype(np.uint16)
    file = tmp_path / "deep.tif"
    tifffile.imwrite(file, deep, photometric="rgb", compression=compression)
    image = open_image(file)
    assert np.array_equal(image.pixels(), picture)
    assert f"0..{white}" in image.notes[-1]


def test_a_full_alpha_channel_does_not_darken_twelve_bits(
    tmp_path: Path, picture: np.ndarray
) -> None:
    picture[0, 0] = 255
    deep = np.rint(picture * (4095 / 255)).astype(np.uint16)
    opaque = np.dstack([deep, np.full(deep.shape[:2], 65535, np.uint16)])
    for extra in ("unassalpha", "unspecified"):
        file = tmp_path / f"{extra}.tif"
        tifffile.imwrite(file, opaque, photometric="rgb", extrasamples=[extra])
        assert np.array_equal(open_image(file).pixels(), picture)


def deep_png(path: Path, values: np.ndarray) -> Path:
    """Write 16-bit RGB, which Pillow cannot write."""
    height, width = values.shape[:2]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    header = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    parts = [b"\x89PNG\r\n\x1a\n"]
    for kind, body in ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")):
        checksum = struct.pack(">I", zlib.crc32(kind + body))
        parts += [struct.pack(">I", len(body)), kind, body, checksum]
    path.write_bytes(b"".join(parts))
    return path


def test_colors_whose_upper_bits_are_empty_are_refused_and_never_black(
    tmp_path: Path, picture: np.ndarray
) -> None:
    full = deep_png(tmp_path / "full.png", picture.astype(np.uint16) * 257)
    assert np.array_equal(open_image(full).pixels(), picture)
    twelve = deep_png(tmp_path / "twelve.png", picture.astype(np.uint16) * 16)
    with pytest.raises(ImageError, match=r"twelve.png: .*upper bits empty.*TIFF"):
        open_image(twelve)


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_sixteen_bit_gray(tmp_path: Path, picture: np.ndarray, suffix: str) -> None:
    gray = picture[:, :, 0]
    gray[0, 0] = 255
    file = tmp_path / f"gray.{suffix}"
    Image.fromarray(gray.astype(np.uint16) * 257).save(file)
    image = open_image(file)
    assert np.array_equal(image.pixels(), np.repeat(gray[:, :, None], 3, axis=2))
    assert "65535" in image.notes[-1]


def test_white_is_zero_and_planar_tiffs(tmp_path: Path, picture: np.ndarray) -> None:
    deep = picture.astype(np.uint16) * 257
    deep[0, 0] = 65535
    planar = tmp_path / "planar.tif"
    tifffile.imwrite(planar, np.moveaxis(deep, 2, 0), photometric="rgb", planarconfig="separate")
    assert np.array_equal(open_image(planar).pixels()[1:], picture[1:])
    inverted = tmp_path / "inverted.tif"
    tifffile.imwrite(inverted, deep[:, :, 0], photometric="miniswhite")
    assert np.array_equal(open_image(inverted).pixels()[1:, :, 0], 255 - picture[1:, :, 0])


@pytest.mark.parametrize("name", ["pages.tif", "frames.png", "frames.webp"])
def test_the_first_page_counts_and_a_note_says_so(
    tmp_path: Path, picture: np.ndarray, name: str
) -> None:
    file = tmp_path / name
    pages = [Image.fromarray(picture), Image.fromarray(255 - picture)]
    exact = {"lossless": True} if name.endswith("webp") else {}
    pages[0].save(file, save_all=True, append_images=pages[1:], **exact)
    image = open_image(file)
    assert np.array_equal(image.pixels(), picture)
    assert image.notes == ("the first of 2 pages",)


@pytest.mark.usefixtures("low_limit")
@pytest.mark.parametrize("mode", ["RGB", "L", "P", "RGBA", "LA"])
def test_a_large_png_gives_the_same_pixels(
    tmp_path: Path, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(png, "BAND_ROWS", 13)
    random = np.random.default_rng(0).integers(0, 256, (64, 90, 3), dtype=np.uint8)
    mixed = np.concatenate([smooth(), random])
    stored = Image.fromarray(mixed).convert(mode)
    if mode in ("RGBA", "LA"):
        stored.putalpha(Image.fromarray(mixed[:, :, 0]))
    file = tmp_path / "large.png"
    stored.save(file)
    image = open_image(file)
    white = Image.new("RGBA", stored.size, "white")
    expected = Image.alpha_composite(white, stored.convert("RGBA")).convert("RGB")
    assert np.array_equal(image.pixels(), np.asarray(expected))
    assert np.array_equal(image.read((7, 40, 33, 90)), np.asarray(expected)[40:90, 7:33])


@pytest.mark.usefixtures("low_limit")
@pytest.mark.parametrize("subsampling", [0, 2])
@pytest.mark.parametrize("size", [(90, 64), (91, 65)])
def test_a_large_jpeg_gives_nearly_the_same_pixels(
    tmp_path: Path, subsampling: int, size: tuple[int, int]
) -> None:
    file = tmp_path / "large.jpg"
    Image.fromarray(smooth(*size)).save(file, quality=95, subsampling=subsampling)
    image = open_image(file)
    with Image.open(file) as opened:
        expected = np.asarray(opened).astype(int)
    assert np.abs(image.pixels() - expected).max() <= 6
    for region in ((0, 0, 17, 17), (11, 13, 42, 64), (60, 33, *size)):
        part = image.read(region)
        left, top, right, bottom = region
        assert np.abs(part - image.pixels()[top:bottom, left:right].astype(int)).max() <= 2


@pytest.mark.usefixtures("low_limit")
@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("layout", [{}, {"tile": (32, 48)}, {"rowsperstrip": 7}])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_a_large_tiff_gives_the_same_pixels(
    tmp_path: Path, picture: np.ndarray, layout: dict, compression: str | None, orientation: int
) -> None:
    file = tmp_path / "large.tif"
    tags = [(274, "H", 1, orientation, True)]
    tifffile.imwrite(
        file, picture, photometric="rgb", compression=compression, extratags=tags, **layout
    )
    expected = picture if orientation == 1 else np.rot90(picture, -1)
    assert np.array_equal(open_image(file).pixels(), expected)


@pytest.mark.usefixtures("low_limit")
@pytest.mark.parametrize(
    ("name", "mode"), [("a.bmp", "RGB"), ("a.tif", "CMYK"), ("lzw.tif", "RGB"), ("a.png", "I;16")]
)
def test_other_large_files_give_the_same_pixels(
    tmp_path: Path, picture: np.ndarray, name: str, mode: str
) -> None:
    if mode == "I;16":
        picture[0, 0, 0] = 255
        stored = Image.fromarray(picture[:, :, 0].astype(np.uint16) * 257)
        expected = np.repeat(picture[:, :, :1], 3, axis=2)
    else:
        stored = Image.fromarray(picture).convert(mode)
        expected = np.asarray(stored.convert("RGB"))
    stored.save(tmp_path / name, **({"compression": "tiff_lzw"} if "lzw" in name else {}))
    assert np.array_equal(open_image(tmp_path / name).pixels(), expected)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"resolution": (72, 72), "resolutionunit": "INCH"}, None),
        ({"resolution": (1e4 / 0.25, 1e4 / 0.25), "resolutionunit": "CENTIMETER"}, 0.25),
        ({"resolution": (4, 4), "imagej": True, "metadata": {"unit": "um"}}, 0.25),
        ({"ome": True, "metadata": {"axes": "YXS", "PhysicalSizeX": 0.11}}, 0.11),
        (
            {
                "ome": True,
                "metadata": {
                    "axes": "YXS",
                    "PhysicalSizeX": 110.0,
                    "PhysicalSizeXUnit": "nm",
                },
            },
            0.11,
        ),
    ],
)
def test_pixel_size_is_believed_only_where_a_microscope_could_have_it(
    tmp_path: Path, picture: np.ndarray, options: dict, expected: float | None
) -> None:
    file = tmp_path / ("a.ome.tif" if "ome" in options else "a.tif")
    tifffile.imwrite(file, picture, photometric="rgb", **options)
    assert open_image(file).pixel_size_um == pytest.approx(expected)


def test_an_array_and_a_pil_image_give_what_the_file_gives(
    tmp_path: Path, picture: np.ndarray
) -> None:
    file = tmp_path / "a.png"
    Image.fromarray(picture).save(file)
    from_array, from_pil = open_image(picture), open_image(Image.fromarray(picture))
    assert np.array_equal(from_array.pixels(), open_image(file).pixels())
    assert np.array_equal(from_pil.pixels(), picture)
    assert from_array.sha256 == from_pil.sha256 == hashlib.sha256(picture.tobytes()).hexdigest()
    assert from_array.name == "array"


@pytest.mark.parametrize(
    "wrong", [np.zeros((64, 64), np.uint8), np.zeros((64, 64, 3)), np.zeros((4, 64, 3), np.uint8)]
)
def test_another_array_is_refused_with_what_is_wanted(wrong: np.ndarray) -> None:
    with pytest.raises(ImageError, match=r"uint8 RGB of shape|at least 16"):
        open_image(wrong)


def bomb() -> bytes:
    """A PNG header that claims 100,000 × 100,000 pixels."""
    body = b"IHDR" + struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))
    idat = b"IDAT" + zlib.compress(b"\0" * 100)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk
        + struct.pack(">I", len(idat) - 4)
        + idat
        + struct.pack(">I", zlib.crc32(idat))
    )


def saved(tmp_path: Path, suffix: str, pixels: np.ndarray) -> bytes:
    file = tmp_path / f"whole.{suffix}"
    Image.fromarray(pixels).save(file)
    return file.read_bytes()


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif", "bmp", "webp"])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.8])
@pytest.mark.parametrize("large", [False, True])
def test_a_truncated_file_is_one_sentence(
    tmp_path: Path, suffix: str, share: float, large: bool, request: pytest.FixtureRequest
) -> None:
    if large:
        request.getfixturevalue("low_limit")
    noise = np.random.default_rng(0).integers(0, 256, (64, 90, 3), dtype=np.uint8)
    whole = saved(tmp_path, suffix, noise)
    file = tmp_path / f"cut.{suffix}"
    file.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(ImageError) as caught:
        open_image(file)
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"hello, this is no image at all", "not an image"),
        (b"GIF89a" + bytes(100), "JPEG, PNG, TIFF, BMP or WebP"),
        (b"\xff\xd8\xff\xe0" + bytes(100), "damaged"),
        (b"\x89PNG\r\n\x1a\n", "damaged"),
        (b"II*\0" + bytes(50), "damaged"),
        (bomb(), "100,000 × 100,000"),
    ],
)
def test_bad_content_is_named_in_one_sentence(tmp_path: Path, content: bytes, said: str) -> None:
    file = tmp_path / "bad.jpg"
    file.write_bytes(content)
    with pytest.raises(ImageError, match=said) as caught:
        open_image(file)
    assert str(file) in str(caught.value)


def test_a_missing_file_a_folder_and_a_speck_are_refused(tmp_path: Path) -> None:
    Image.new("RGB", (1, 1)).save(tmp_path / "speck.png")
    for name, said in (("gone.png", "no such file"), (".", "folder"), ("speck.png", "1 × 1")):
        with pytest.raises(ImageError, match=said):
            open_image(tmp_path / name)


def test_room_that_another_image_takes_first_is_a_sentence_and_no_crash(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(*_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(ImageError, match="temporary space"):
        Spool(64, 64)
