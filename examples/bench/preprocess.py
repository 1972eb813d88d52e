#!/usr/bin/env python3
"""JPEG 500x375 to a normalised 3x224x224 float tensor: Tessera beside Pillow, one core each, alternating.

    python3 examples/bench/preprocess.py [--images 40] [--rounds 15]

Needs Pillow and numpy, a JDK 25 (JAVA_HOME or java on the PATH) and Maven. Makes the pictures itself. Rounds alternate, so
that both sides see the same machine, and processor time is counted (of all threads), so that a busy machine matters less; the
first rounds, in which the JIT compiles, are shown and not counted.
"""
import argparse, io, os, pathlib, shutil, statistics, subprocess, tempfile, time
import numpy as np
from PIL import Image, ImageFilter, __version__ as pillow_version, features

ROOT = pathlib.Path(__file__).resolve().parents[2]


def picture(seed, w=500, h=375):
    """Something like a photo: smooth areas, edges, texture and sensor noise."""
    r = np.random.default_rng(seed)
    a = np.zeros((h, w, 3))
    for size, weight in ((4, 70), (12, 40), (50, 22), (160, 10)):
        noise = r.normal(0, weight, (max(2, h * size // 500), size, 3))
        noise = noise - noise.min()
        layer = Image.fromarray((noise / noise.max() * 255).astype(np.uint8)).resize((w, h), Image.BICUBIC)
        a += (np.asarray(layer, float) - 128) * weight / 64
    y, x = np.mgrid[0:h, 0:w]
    for _ in range(7):
        inside = ((x - r.integers(0, w)) / r.integers(20, 120)) ** 2 + ((y - r.integers(0, h)) / r.integers(20, 90)) ** 2 < 1
        a[inside] += r.normal(0, 60, 3)
    a = (a + 128 + r.normal(0, 3, a.shape)).clip(0, 255).astype(np.uint8)
    return Image.fromarray(a).filter(ImageFilter.GaussianBlur(0.6))


def pillow_round(files):
    """The steps of transformers' ViTImageProcessorPil, without its overhead."""
    start = time.process_time()
    images = [Image.open(io.BytesIO(data)).convert("RGB") for data in files]
    decode = time.process_time() - start
    for image in images:
        image = np.asarray(image.resize((224, 224), Image.BILINEAR))
        tensor = (image.astype(np.float32) * np.float32(1 / 255) - np.float32(0.5)) / np.float32(0.5)
        np.ascontiguousarray(tensor.transpose(2, 0, 1))
    return time.process_time() - start, decode


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--images", type=int, default=40)
    p.add_argument("--rounds", type=int, default=15)
    p.add_argument("--warmup", type=int, default=8)
    p.add_argument("--classpath", help="skip Maven and use this class path")
    o = p.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for i in range(o.images):
            path = pathlib.Path(folder, f"{i:03}.jpg")
            picture(i).save(path, quality=90)
            files.append(path.read_bytes())
        cp = o.classpath
        if not cp:
            out = pathlib.Path(folder).with_suffix(".cp")
            subprocess.run(["mvn", "-q", "-B", "-pl", "src", "-am", "test-compile", "dependency:build-classpath", f"-Dmdep.outputFile={out}"], cwd=ROOT, check=True)
            cp = os.pathsep.join([str(ROOT / "src/target/test-classes"), str(ROOT / "src/target/classes"), out.read_text()])
            out.unlink()
        java = str(pathlib.Path(os.environ["JAVA_HOME"], "bin/java")) if "JAVA_HOME" in os.environ else shutil.which("java")
        command = [java, "-XX:ActiveProcessorCount=1", "-Djava.awt.headless=true", "-cp", cp, "dev.tessera.image.PreprocessBench", folder]
        java = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        ours, theirs = [], []
        kib = sum(map(len, files)) / len(files) / 1024
        print(f"{o.images} JPEG files 500x375, {kib:.0f} KiB each; Pillow {pillow_version}, libjpeg-turbo {features.version('libjpeg_turbo')}")
        print("round   tessera ms (decode)   pillow ms (decode)")
        for i in range(o.warmup + o.rounds):
            java.stdin.write("x"); java.stdin.flush()
            t = [float(v) / o.images * 1e3 for v in java.stdout.readline().split()[:2]]
            b = [v / o.images * 1e3 for v in pillow_round(files)]
            if i >= o.warmup:
                ours.append(t); theirs.append(b)
            print(f"{i:5}   {t[0]:10.3f} ({t[1]:.3f})   {b[0]:10.3f} ({b[1]:.3f})" + ("   warm-up" if i < o.warmup else ""))
        java.stdin.close(); java.wait()
        med = lambda rows, k: statistics.median(r[k] for r in rows)
        print(f"median: tessera {1e3 / med(ours, 0):.0f} images/s (decode {med(ours, 1):.2f} ms), pillow {1e3 / med(theirs, 0):.0f} images/s (decode {med(theirs, 1):.2f} ms)")
        print(f"ratio tessera / pillow: {med(theirs, 0) / med(ours, 0):.2f} (decode {med(theirs, 1) / med(ours, 1):.2f})")


if __name__ == "__main__":
    main()
