"""How fast the shipped counter is beside what one would pick instead, in one run on one machine.

    uv run --all-extras python benchmarks/speed.py [--rounds 30] [--out benchmarks/results]

Every contender goes from the bytes of one 640 × 480 JPEG to its answer, warm, on the same number of
threads. Rounds are interleaved, so that a busy machine slows all alike; the figures are medians
with the quartiles, and ratios within the run. The contenders' weights are random: they serve for
latency, not for accuracy. Whole-process time and peak memory are taken in a process of their own.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import numpy as np
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from PIL import Image

THREADS = 2
SIDE_640 = 640

Call = Callable[[], object]


def photograph(folder: Path) -> Path:
    """Write the drawn smear that everybody counts, as a JPEG of 640 × 480 pixels."""
    from smearcount.synthetic.smears import demo_smears

    smear = next(s for s in demo_smears() if s.pixels.shape[:2] == (480, 640))
    path = folder / "smear.jpg"
    Image.fromarray(smear.pixels).save(path, quality=90)
    return path


def decoding(path: Path) -> Call:
    """JPEG decoding alone: the floor."""
    payload = path.read_bytes()
    return lambda: np.asarray(Image.open(io.BytesIO(payload)).convert("RGB"))


def half_decoding(path: Path) -> Call:
    """JPEG decoding at half scale."""
    payload = path.read_bytes()

    def call() -> object:
        image = Image.open(io.BytesIO(payload))
        image.draft("RGB", (image.width // 2, image.height // 2))
        return np.asarray(image)

    return call


def ours(path: Path) -> Call:
    """Smearcount, from the file to counts, magnification found from the picture."""
    import smearcount

    return lambda: smearcount.count(path).counts


def ours_told(path: Path) -> Call:
    """Smearcount, told the pixel size."""
    import smearcount

    return lambda: smearcount.count(path, pixel_size_um=0.075).counts


def _torchvision(name: str, path: Path) -> Call:
    import torch
    from torchvision.transforms.v2 import functional

    from smearcount.training.architectures import build

    torch.set_num_threads(THREADS)
    network = build(name, 3).eval()

    def call() -> object:
        image = functional.pil_to_tensor(Image.open(path).convert("RGB"))
        return network.predict(image[None])

    return call


def ssd300_torch(path: Path) -> Call:
    """The exercise's SSD300 in PyTorch."""
    return _torchvision("ssd300_vgg16", path)


def faster_rcnn_torch(path: Path) -> Call:
    """Faster R-CNN with ResNet-50 in PyTorch."""
    return _torchvision("fasterrcnn_resnet50_fpn_v2", path)


def _session(payload: str) -> object:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(payload, options, providers=["CPUExecutionProvider"])


def ssd300_onnx(path: Path) -> Call:
    """The exercise's SSD300 as ONNX on onnxruntime."""
    from smearcount.training.architectures import build
    from smearcount.training.export_torchvision import export_torchvision

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "ssd.onnx"
        export_torchvision(build("ssd300_vgg16", 3).eval(), file)
        session = _session(str(file))

    def call() -> object:
        pixels = np.asarray(Image.open(path).convert("RGB"))[None]
        return session.run(None, {"image": pixels})  # type: ignore[attr-defined]

    return call


def yolo_nano_onnx(path: Path) -> Call:
    """A YOLO nano (YOLOX-nano of libreyolo) at 640 px on onnxruntime, before suppression."""
    import torch
    from libreyolo.models.yolox.nn import LibreYOLOXModel

    model = LibreYOLOXModel("n", nb_classes=3).eval()
    model.head.export = True
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "yolo.onnx"
        example = torch.zeros(1, 3, SIDE_640, SIDE_640)
        torch.onnx.export(model, (example,), str(file), dynamo=True, verbose=False)
        session = _session(str(file))
    name = session.get_inputs()[0].name  # type: ignore[attr-defined]

    def call() -> object:
        image = Image.open(path).convert("RGB").resize((SIDE_640, SIDE_640))
        planes = np.asarray(image, np.float32).transpose(2, 0, 1)[None]
        return session.run(None, {name: np.ascontiguousarray(planes)})  # type: ignore[attr-defined]

    return call


CONTENDERS: dict[str, Callable[[Path], Call]] = {
    "smearcount": ours,
    "smearcount, pixel size given": ours_told,
    "JPEG decoding alone": decoding,
    "JPEG decoding at half scale": half_decoding,
    "SSD300, PyTorch": ssd300_torch,
    "SSD300, onnxruntime": ssd300_onnx,
    "YOLO nano at 640 px, onnxruntime": yolo_nano_onnx,
    "Faster R-CNN, PyTorch": faster_rcnn_torch,
}


def quartiles(seconds: list[float]) -> dict[str, float]:
    """Return median and quartiles in milliseconds."""
    low, middle, high = (1000 * float(np.percentile(seconds, q)) for q in (25, 50, 75))
    return {"median_ms": middle, "q1_ms": low, "q3_ms": high, "n": len(seconds)}


def latencies(path: Path, rounds: int) -> dict[str, dict[str, float]]:
    """Time every contender once per round, in turn; slow ones in every fifth round only."""
    calls, taken = {}, {}
    for name, prepare in CONTENDERS.items():
        try:
            calls[name] = prepare(path)
            for _ in range(3):
                calls[name]()
        except Exception as error:
            print(f"{name}: left out ({type(error).__name__}: {error})", file=sys.stderr)
            calls.pop(name, None)
            continue
        started = time.perf_counter()
        calls[name]()
        taken[name] = [time.perf_counter() - started]
    slow = {name for name in calls if taken[name][0] > 0.2}
    taken = {name: [] for name in calls}
    for turn in range(rounds):
        for name, call in calls.items():
            if name in slow and turn % 5:
                continue
            started = time.perf_counter()
            call()
            taken[name].append(time.perf_counter() - started)
    return {name: quartiles(seconds) for name, seconds in taken.items()}


def peak_mb() -> float:
    """Return this process's own peak memory; ``ru_maxrss`` would hold its parent's too."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM"))
    return float(line.split()[1]) / 1024


def alone(name: str, path: Path) -> dict[str, float]:
    """Run a contender once in a process of its own: start to answer, and peak memory."""
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, __file__, "--alone", name, "--photograph", str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.perf_counter() - started
    if done.returncode:
        return {}
    return {"process_s": seconds, "peak_mb": float(done.stdout.split()[-1])}


def throughput(path: Path, images: int = 400) -> dict[str, float]:
    """Count a folder through the command on one core and on two; images per second."""
    figures = {}
    with tempfile.TemporaryDirectory() as folder:
        for index in range(images):
            (Path(folder) / f"{index:04}.jpg").write_bytes(path.read_bytes())
        for cores in (1, 2, 1, 2):
            command = [sys.executable, "-m", "smearcount", "count", folder, "--json"]
            allowed = set(sorted(os.sched_getaffinity(0))[:cores])
            started = time.perf_counter()
            subprocess.run(
                command,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                check=True,
                preexec_fn=lambda cores=allowed: os.sched_setaffinity(0, cores),  # type: ignore[misc]
            )
            speed = images / (time.perf_counter() - started)
            key = f"images_per_s_{cores}_core"
            figures[key] = max(figures.get(key, 0.0), speed)
    figures["ratio_2_to_1"] = figures["images_per_s_2_core"] / figures["images_per_s_1_core"]
    return figures


def installed_mb(name: str) -> float:
    """Return the size on disk of a package and of all that it cannot do without, in megabytes."""
    waiting, sizes = [name], {}
    while waiting:
        package = canonicalize_name(waiting.pop())
        if package in sizes:
            continue
        try:
            files = metadata.files(package) or []
            needed = metadata.requires(package) or []
        except metadata.PackageNotFoundError:
            continue
        paths = [Path(str(file.locate())) for file in files]
        sizes[package] = sum(path.stat().st_size for path in paths if path.exists())
        requirements = [Requirement(line) for line in needed]
        waiting += [
            r.name for r in requirements if not r.marker or r.marker.evaluate({"extra": ""})
        ]
    return sum(sizes.values()) / 1e6


def table(results: dict[str, dict[str, float]]) -> str:
    """Return the figures as a Markdown table."""
    base = results["smearcount"]["median_ms"]
    lines = [
        "| from JPEG to answer | median ms (quartiles) | times ours | whole process s | peak MB |",
        "|---|---|---|---|---|",
    ]
    for name, row in results.items():
        spread = f"{row['median_ms']:.1f} ({row['q1_ms']:.1f}-{row['q3_ms']:.1f})"
        process = f"{row['process_s']:.2f}" if "process_s" in row else ""
        peak = f"{row['peak_mb']:.0f}" if "peak_mb" in row else ""
        lines.append(f"| {name} | {spread} | {row['median_ms'] / base:.2f} | {process} | {peak} |")
    return "\n".join(lines)


def main() -> None:
    """Measure and print; write the figures beside."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results"))
    parser.add_argument("--photograph", type=Path, help="a JPEG to count instead of a drawn smear")
    parser.add_argument("--alone", choices=list(CONTENDERS), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.alone:
        CONTENDERS[asked.alone](asked.photograph)()
        print(peak_mb())
        return
    with tempfile.TemporaryDirectory() as folder:
        path = asked.photograph or photograph(Path(folder))
        results = latencies(path, asked.rounds)
        for name in results:
            runs = [run for run in (alone(name, path) for _ in range(3)) if run]
            if runs:
                results[name]["process_s"] = statistics.median(run["process_s"] for run in runs)
                results[name]["peak_mb"] = statistics.median(run["peak_mb"] for run in runs)
        folder_speed = throughput(path)
    sizes = {name: installed_mb(name) for name in ("smearcount", "torchvision", "libreyolo")}
    print(table(results))
    print(json.dumps({"installed_mb": sizes}, indent=2))
    print(json.dumps(folder_speed, indent=2))
    asked.out.mkdir(parents=True, exist_ok=True)
    record = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python "
        f"{platform.python_version()}",
        "threads": THREADS,
        "latency": results,
        "folder": folder_speed,
        "installed_mb": sizes,
    }
    (asked.out / "speed.json").write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    (asked.out / "speed.md").write_text(table(results) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
