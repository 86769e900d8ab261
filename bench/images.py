"""How long imlp takes to read a folder of pictures, decoded and from its cache.

    cargo build --release
    python3 bench/images.py              # 60 000 PNGs of 32×32 in colour, about a minute

Needs no package: the PNGs are written here, with one of the five filters per row.
"""

import argparse
import os
import random
import struct
import subprocess
import tempfile
import time
import zlib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def png(side, rng):
    """A PNG in colour, noise over a gradient, so that it packs as a photograph does."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b""
    for y in range(side):
        noise = rng.getrandbits(8 * 3 * side).to_bytes(3 * side, "little")
        row = bytes((4 * y + x + (n & 31)) & 255 for x, n in enumerate(noise))
        left = bytes(3) + row[:-3]
        rows += b"\x01" + bytes((a - b) & 255 for a, b in zip(row, left))
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=60_000)
    parser.add_argument("--side", type=int, default=32)
    parser.add_argument("--classes", type=int, default=10)
    parser.add_argument("--imlp", default=str(ROOT / "target/release/imlp"))
    options = parser.parse_args()
    rng = random.Random(0)
    # A thousand pictures, each made different by its last bytes: writing is not what is timed.
    pictures = [png(options.side, rng) for _ in range(1000)]
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        for i in range(options.images):
            path = folder / "photos" / f"c{i % options.classes:03}" / f"{i:06}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            # A decoder ignores what follows the end; the content is another all the same.
            path.write_bytes(pictures[i % 1000] + struct.pack(">I", i))
        environment = os.environ | {"IMLP_DATA_DIR": str(folder / "data")}
        command = [options.imlp, "data", "inspect", str(folder / "photos")]
        for what in ["decoded", "from the cache"]:
            started = time.perf_counter()
            subprocess.run(command, env=environment, capture_output=True, check=True)
            seconds = time.perf_counter() - started
            rate = options.images / seconds
            print(f"{what:<15} {seconds:6.2f} s, {rate:8.0f} images/s")


if __name__ == "__main__":
    main()
