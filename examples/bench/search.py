#!/usr/bin/env python3
"""Nearest vectors: Tessera's exact scan and its HNSW graph beside FAISS, same vectors, same threads, in turns.

    python3 examples/bench/search.py [--counts 10000,100000] [--dimensions 128] [--threads 2]
    python3 examples/bench/search.py --counts 1000000           # builds two graphs over a million vectors: half an hour

Needs faiss-cpu and numpy, a JDK 25 (JAVA_HOME or java on the PATH) and Maven. The vectors are made here: directions around
centres with a tail of dimensions that matter less and less, as embeddings have it; queries are made the same way. Each round
asks both sides the same; the first seconds, in which the JIT compiles, are not counted. Exact: one query at a time, and many
in one call. HNSW: the beam (efSearch) of each side is the smallest measured with a recall@10 of at least 0.95.
"""
import argparse, os, pathlib, shutil, statistics, subprocess, tempfile, time
import faiss
import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
K = 10


def vectors(rng, count, dimensions, centres, scale):
    out = np.empty((count, dimensions), np.float32)
    for start in range(0, count, 100_000):
        n = min(100_000, count - start)
        part = centres[rng.integers(0, len(centres), n)] + rng.standard_normal((n, dimensions), np.float32) * scale
        out[start:start + n] = part / np.linalg.norm(part, axis=1, keepdims=True)
    return out


class Tessera:
    def __init__(self, classpath, folder, dimensions, threads):
        java = str(pathlib.Path(os.environ["JAVA_HOME"], "bin/java")) if "JAVA_HOME" in os.environ else shutil.which("java")
        self.folder = folder
        self.process = subprocess.Popen(
            [java, "--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED", f"-XX:ActiveProcessorCount={threads}",
             "-Xmx6g", "-cp", classpath, "dev.tessera.search.SearchBench", folder, str(dimensions), str(threads)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, *words):
        self.process.stdin.write(" ".join(map(str, words)) + "\n"); self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise SystemExit("the JVM has ended")
        return float(answer), np.fromfile(pathlib.Path(self.folder, "found.i32"), np.int32).reshape(-1, K)


def recall(found, truth):
    return sum(len(set(a) & set(b)) for a, b in zip(found.tolist(), truth.tolist())) / truth.size


def timed(work):
    start = time.perf_counter(); result = work(); return time.perf_counter() - start, result


def alternate(rounds, warmup, ours, theirs):
    a, b = [], []
    start = time.perf_counter()
    while time.perf_counter() - start < warmup:
        ours(); theirs()
    for _ in range(rounds):
        a.append(ours()); b.append(theirs())
    return statistics.median(a), statistics.median(b), statistics.median(y / x for x, y in zip(a, b))


def measure(o, count, classpath):
    rng = np.random.default_rng(count)
    scale = (np.arange(1, o.dimensions + 1, dtype=np.float32) ** -0.4) * 1.2
    centres = rng.standard_normal((1000, o.dimensions), np.float32) * (np.arange(1, o.dimensions + 1, dtype=np.float32) ** -0.4)
    rows, queries = vectors(rng, count, o.dimensions, centres, scale), vectors(rng, o.queries, o.dimensions, centres, scale)
    with tempfile.TemporaryDirectory() as folder:
        rows.tofile(pathlib.Path(folder, "rows.f32")); queries.tofile(pathlib.Path(folder, "queries.f32"))
        tessera = Tessera(classpath, folder, o.dimensions, o.threads)
        flat = faiss.IndexFlatIP(o.dimensions); flat.add(rows)
        _, truth = flat.search(queries, K)
        few = max(5, min(200, 20_000_000 // count))
        _, found = tessera.ask("together", K, o.queries)
        print(f"{count:,} vectors of {o.dimensions}; exact scan finds what FAISS flat finds: {recall(found, truth):.4f}")
        alone = lambda: [flat.search(queries[i:i + 1], K) for i in range(few)]
        for name, ours, theirs, number in (
            ("exact, one query at a time", lambda: tessera.ask("alone", K, few)[0], lambda: timed(alone)[0], few),
            (f"exact, {o.queries} queries a call", lambda: tessera.ask("together", K, o.queries)[0], lambda: timed(lambda: flat.search(queries, K))[0], o.queries),
        ):
            a, b, ratio = alternate(o.rounds, o.warmup, ours, theirs)
            print(f"  {name:28} tessera {number / a:10,.0f}/s   FAISS flat {number / b:10,.0f}/s   ratio {ratio:.2f}", flush=True)
        if o.graphs:
            hnsw = faiss.IndexHNSWFlat(o.dimensions, 16, faiss.METRIC_INNER_PRODUCT)
            hnsw.hnsw.efConstruction = 128
            theirs, _ = timed(lambda: hnsw.add(rows))
            ours, _ = tessera.ask("build", K, 0)
            print(f"  building HNSW (M 16, beam 128)  tessera {ours:.1f} s   FAISS {theirs:.1f} s", flush=True)
            beams = (10, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512)
            our_beam = next((b for b in beams if recall(tessera.ask("graph", K, o.queries, b)[1], truth) >= 0.95), beams[-1])
            for their_beam in beams:
                hnsw.hnsw.efSearch = their_beam
                if recall(hnsw.search(queries, K)[1], truth) >= 0.95:
                    break
            our_recall = recall(tessera.ask("graph", K, o.queries, our_beam)[1], truth)
            their_recall = recall(hnsw.search(queries, K)[1], truth)
            a, b, ratio = alternate(o.rounds, o.warmup, lambda: tessera.ask("graph", K, o.queries, our_beam)[0], lambda: timed(lambda: hnsw.search(queries, K))[0])
            print(f"  HNSW  tessera beam {our_beam}: recall@10 {our_recall:.3f}, {o.queries / a:,.0f}/s"
                  f"   FAISS efSearch {their_beam}: recall@10 {their_recall:.3f}, {o.queries / b:,.0f}/s   ratio {ratio:.2f}", flush=True)
        tessera.process.stdin.close(); tessera.process.wait()


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--counts", default="10000,100000")
    p.add_argument("--dimensions", type=int, default=128, help="a multiple of 16")
    p.add_argument("--queries", type=int, default=1000)
    p.add_argument("--rounds", type=int, default=9)
    p.add_argument("--warmup", type=float, default=3, help="seconds before each comparison (default 3)")
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--no-graphs", dest="graphs", action="store_false", help="only the exact scan")
    p.add_argument("--classpath", help="skip Maven and use this class path")
    o = p.parse_args()
    faiss.omp_set_num_threads(o.threads)
    cp = o.classpath
    if not cp:
        out = pathlib.Path(tempfile.gettempdir(), f"tessera-{os.getpid()}.cp")
        subprocess.run(["mvn", "-q", "-B", "-pl", "src", "-am", "test-compile", "dependency:build-classpath", f"-Dmdep.outputFile={out}"], cwd=ROOT, check=True)
        cp = os.pathsep.join([str(ROOT / "src/target/test-classes"), str(ROOT / "src/target/classes"), out.read_text()])
        out.unlink()
    print(f"FAISS {faiss.__version__}, {o.threads} threads each, k {K}")
    for count in map(int, o.counts.split(",")):
        measure(o, count, cp)


if __name__ == "__main__":
    main()
