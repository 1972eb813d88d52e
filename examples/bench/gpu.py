#!/usr/bin/env python3
"""A Vision Transformer on a device: images/s of Tessera beside PyTorch on the same card, and each kernel beside what it could take at best.

    export TORNADOVM_HOME=...                                   # docs/tornadovm.md
    python3 examples/bench/gpu.py --device cuda:0               # ViT-B/16 at 224 px, batch 1, 32 and 256
    python3 examples/bench/gpu.py --device cuda:0 --model small --batch 64 --output table.md
    python3 examples/bench/gpu.py --device opencl:0 --model nano --batch 1,3 --tflops 0.1 --bandwidth 20

Needs a JDK 25, Maven, and TornadoVM's SDK. PyTorch (eager and compiled; fp32, TF32, fp16 and bf16) takes part where this Python has torch
and transformers; without CUDA it runs on the CPU, and the table says so. Both sides have the same weights and images, and take turns.
Prints tables; with --output they are written as Markdown, too. What does not fit into memory is a row that says so.
"""
import argparse, os, pathlib, re, shlex, shutil, statistics, subprocess, sys, tempfile, time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PRECISIONS = {"fp32": "fp32", "tf32": "TF32", "fp16": "fp16", "bf16": "bf16"}
GOAL = 0.8
# Peak TFLOP/s in fp32, in TF32 and in fp16 or bf16 with fp32 sums, both without sparsity, and GB/s, of NVIDIA's data sheets (RTX 4090: its
# Ada whitepaper), for names that have all of these words.
CARDS = {
    "H100 SXM": ("H100 80GB HBM3", 67, 495, 989, 3350),
    "H100 PCIe": ("H100 PCIE", 51, 378, 756, 2000),
    "H200 SXM": ("H200", 67, 495, 989, 4800),
    "A100 SXM 80 GB": ("A100 SXM4 80GB", 19.5, 156, 312, 2039),
    "A100 SXM 40 GB": ("A100 SXM4 40GB", 19.5, 156, 312, 1555),
    "A100 PCIe 80 GB": ("A100 PCIE 80GB", 19.5, 156, 312, 1935),
    "A100 PCIe 40 GB": ("A100 PCIE 40GB", 19.5, 156, 312, 1555),
    "RTX 4090": ("RTX 4090", 82.6, 82.6, 165.2, 1008),
    "L4": ("L4", 30.3, 60, 121, 300),
}


class Failure(Exception):
    """What one side could not do: it lacked memory, or something else, in a sentence."""

    def __init__(self, kind, sentence):
        super().__init__(sentence)
        self.cell = "out of memory" if kind == "memory" else "failed"


class Side:
    """A process that answers lines with lines of fields."""

    def __init__(self, name, command):
        self.name, self.errors = name, tempfile.TemporaryFile()
        self.process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, encoding="utf-8")

    def read(self, *kinds):
        for line in self.process.stdout:
            fields = line.rstrip("\n").split("\t")
            if fields[0] == "failed":
                raise Failure(fields[1], fields[2])
            if fields[0] in kinds:
                return fields
        code = self.process.wait()
        self.errors.seek(0)
        said = [line for line in self.errors.read().decode(errors="replace").splitlines() if line.strip() and not line.startswith("\tat ")]
        last = said[-1].strip() if said else "it said nothing"
        raise Failure("memory" if code == -9 or "out of memory" in last.lower() else "other", f"{self.name} ended with {code}: {last}")

    def ask(self, question, *kinds):
        try:
            self.process.stdin.write(question + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # reading says why
        return self.read(*kinds)

    def time(self, prefix, runs):
        return float(self.ask(f"{prefix} {runs}", "time")[1])

    def close(self):
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        self.process.stdout.read()
        self.process.wait()


# --- PyTorch's side, as a process of its own -----------------------------------------------------------------------------------------


def peer(folder, kind, batch, device):
    import torch, transformers
    device = torch.device(device if torch.cuda.is_available() else "cpu")
    cuda = device.type == "cuda"
    where = torch.cuda.get_device_name(device) if cuda else f"the CPU, {torch.get_num_threads()} threads"
    print("torch", torch.__version__, transformers.__version__, torch.version.cuda if cuda else "", where, sep="\t", flush=True)
    model = transformers.ViTForImageClassification.from_pretrained(folder).to(device).train(kind == "training")
    config = model.config
    shape = batch, config.num_channels, config.image_size, config.image_size
    numbers = torch.arange(torch.Size(shape).numel()) * 2654435761 & 0xFFFFFFFF
    images = (numbers.double() / 2**31 - 1).float().view(shape)
    targets = (torch.arange(batch) % config.num_labels).to(device)
    halves = {"bf16": torch.bfloat16, "fp16": torch.float16}
    models = {}

    def of(precision):  # for inference in half precision the weights are halves, too
        if kind == "training" or precision not in halves:
            return model
        if precision not in models:
            models[precision] = transformers.ViTForImageClassification.from_pretrained(folder, dtype=halves[precision]).to(device).eval()
        return models[precision]

    if cuda:
        images = images.pin_memory()
    if kind == "training":
        decayed, rest = [p for p in model.parameters() if p.ndim > 1], [p for p in model.parameters() if p.ndim <= 1]
        optimizer = torch.optim.AdamW([dict(params=decayed, weight_decay=0.05), dict(params=rest, weight_decay=0.0)], lr=1e-4)

    def infer(network, precision):
        with torch.inference_mode():
            x = images.to(device, non_blocking=True)
            return network(x.to(halves.get(precision, x.dtype))).logits.float().cpu()[0, 0].item()

    def train(network, precision):
        optimizer.zero_grad()
        with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16"):
            loss = torch.nn.functional.cross_entropy(network(images.to(device, non_blocking=True)).logits.float(), targets)
        loss.backward()
        optimizer.step()
        return loss.item()

    networks = {}
    for line in sys.stdin:
        mode, precision, runs = line.split()
        torch.set_float32_matmul_precision("high" if precision == "tf32" else "highest")
        torch.backends.cudnn.allow_tf32 = precision == "tf32"
        try:
            if (mode, precision) not in networks:
                network = of(precision)
                networks[mode, precision] = torch.compile(network) if mode == "compiled" else network
            run = lambda: (train if kind == "training" else infer)(networks[mode, precision], precision)
            value = run()
            start = time.perf_counter()
            for _ in range(int(runs)):
                run()
            print("time", (time.perf_counter() - start) * 1e3 / max(1, int(runs)), value, sep="\t", flush=True)
        except Exception as e:  # of PyTorch, its compiler or the driver: the others go on
            lines = [line for line in str(e).splitlines() if line.strip()] or [""]
            print("failed", "memory" if "out of memory" in str(e).lower() else "other", f"{type(e).__name__}: {lines[0]}", sep="\t", flush=True)
        if kind == "training":
            optimizer.zero_grad()
        if cuda:
            torch.cuda.empty_cache()  # so that the others have room


# --- Tables --------------------------------------------------------------------------------------------------------------------------


def number(value):
    digits = 0 if value >= 100 else 1 if value >= 10 else 2 if value >= 1 else 3
    return f"{value:,.{digits}f}" if value >= 0.001 or value == 0 else "<0.001"


class Report:
    """Prints, and keeps the same as Markdown."""

    def __init__(self, path):
        self.path, self.lines = path, []

    def heading(self, text):
        self.add(f"\n{text}\n", f"\n### {text}\n")

    def text(self, text):
        self.add(text, text + "\n")

    def item(self, text):
        self.add("  " + text, "- " + text)

    def table(self, alignment, headers, rows):
        widths = [max(len(str(row[i])) for row in [headers, *rows]) for i in range(len(headers))]
        line = lambda row: "  ".join(f"{cell:{'>' if a == 'r' else '<'}{w}}" for cell, a, w in zip(row, alignment, widths)).rstrip()
        self.add("\n".join("  " + line(row) for row in [headers, *rows]),
                 "\n".join(["", *("| " + " | ".join(row) + " |" for row in [headers, ["-:" if a == "r" else "-" for a in alignment], *rows]), ""]))

    def add(self, printed, written):
        print(printed, flush=True)
        self.lines.append(written)
        if self.path:
            beside = self.path.with_name(self.path.name + ".part")
            beside.write_text("\n".join(self.lines).strip() + "\n", encoding="utf-8")
            beside.replace(self.path)


def progress(text):
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


# --- Measuring -----------------------------------------------------------------------------------------------------------------------


class Bench:
    def __init__(self, options, java, model):
        self.o, self.java, self.model = options, java, model
        self.device = self.peer = None
        self.notes = []

    def jvm(self, kind, batch, precision, *more):
        return Side("the JVM", [*self.java, self.o.device, kind, self.o.model, str(self.o.image_size), str(batch), precision, self.model, *more])

    def look(self, precision):
        """What the device is, and whether it can be used; writes the model that both sides read."""
        side = self.jvm("inference", 1, precision)
        try:
            self.device = side.read("device")[1:]
        finally:
            side.process.kill()
            side.close()

    def ours(self, kind, batch, precision, *more):
        side = self.jvm(kind, batch, precision, *more)
        try:
            return side, float(side.read("ready")[1])
        except Failure:
            side.close()
            raise

    def theirs(self, kind, batch):
        if self.o.no_torch:
            return None
        side = Side("PyTorch", [sys.executable, __file__, "--peer", self.model, kind, str(batch), self.o.torch_device])
        try:
            self.peer = side.read("torch")[1:]
            return side
        except Failure as e:
            self.note("does not take part", e)
            self.o.no_torch = True
            side.close()

    def note(self, what, failure):
        sentence = f"{what}: {failure}"
        if sentence not in self.notes:
            self.notes.append(sentence)

    def runs(self, milliseconds):
        return max(1, min(1000, round(self.o.seconds * 1e3 / milliseconds)))

    def measure(self, kind, batch):
        """Milliseconds of every round, or a Failure, by (who, precision)."""
        times = {}
        for precision in PRECISIONS:
            ours = precision in self.o.precision and (kind, precision) != ("training", "fp16")
            theirs = not self.o.no_torch and (ours or precision == "bf16" or precision == "tf32" and bool(self.peer[2]))
            if ours or theirs:
                times |= self.together(kind, batch, precision, ours, theirs)
        return times

    def together(self, kind, batch, precision, ours, theirs):
        """The same of one precision, for those that take turns."""
        times, sides, first = {}, {}, {}
        if ours:
            progress(f"{kind}, batch {batch}: Tessera {precision}")
            try:
                side, first[precision] = self.ours(kind, batch, precision)
                sides["Tessera", precision] = side, "run"
            except Failure as e:
                self.fail(kind, batch, ("Tessera", precision), e, times)
        torch = self.theirs(kind, batch) if theirs else None
        variants = {(mode, precision): (torch, f"{mode} {precision}") for mode in ("eager", "compiled")} if torch else {}
        counts = {}
        crowded = self.start(kind, batch, {**sides, **variants}, counts, times, first)
        for i in range(self.o.rounds):
            progress(f"{kind}, batch {batch}: round {i + 1} of {self.o.rounds}")
            self.turn(kind, batch, {**sides, **variants}, counts, times)
        for side, _ in sides.values():
            side.close()
        # What lacked memory beside the other side gets the whole card, without turns.
        alone = [key for key in crowded if sides and key in variants]
        if alone:
            if torch.process.poll() is not None:
                torch = self.theirs(kind, batch)
            again = {key: (torch, variants[key][1]) for key in alone}
            still = self.start(kind, batch, again, counts, times, first)
            for _ in range(self.o.rounds):
                self.turn(kind, batch, again, counts, times)
            for key in alone:
                if key not in still:
                    self.notes.remove(self.about(kind, batch, key) + f": {crowded[key]}")
                    self.notes.append(self.about(kind, batch, key) + ": measured after Tessera, because both together did not fit; the ratio is not of turns")
        if torch:
            torch.close()
        progress("")
        return times

    def start(self, kind, batch, sides, counts, times, first):
        """Compiles, compares the first results, and finds out how many runs are a turn; gives the failures of those that lacked memory."""
        crowded = {}
        for key, (side, words) in sides.items():
            progress(f"{kind}, batch {batch}: {' '.join(key)} starts")
            try:
                answer = side.ask(f"{words} 1", "time")
                counts[key] = self.runs(float(answer[1]))
                times[key] = []
                if key == ("eager", "fp32") and "fp32" in first:
                    difference = abs(float(answer[2]) - first["fp32"])
                    if not difference <= 1e-3 * (1 + abs(first["fp32"])):
                        self.notes.append(f"{kind}, batch {batch}: Tessera's first {'loss' if kind == 'training' else 'logit'} is {first['fp32']:.6f}, "
                                          f"PyTorch's is {float(answer[2]):.6f}: THEY COMPUTE DIFFERENT THINGS")
            except Failure as e:
                self.fail(kind, batch, key, e, times)
                if e.cell == "out of memory":
                    crowded[key] = e
        return crowded

    def turn(self, kind, batch, sides, counts, times):
        for key, (side, words) in sides.items():
            if isinstance(times[key], list):
                try:
                    times[key].append(side.time(words, counts[key]))
                except Failure as e:
                    self.fail(kind, batch, key, e, times)

    def fail(self, kind, batch, key, failure, times):
        times[key] = failure
        self.note(self.about(kind, batch, key), failure)

    def about(self, kind, batch, key):
        who = key[0] if key[0] == "Tessera" else "PyTorch " + key[0]
        return f"{who} {PRECISIONS[key[1]]}, {kind}, batch {batch}"

    def profile(self, kind, batch, precision, whole, floors):
        """Rows of a run's kernels, the last for all of them, and what to do next."""
        progress(f"{kind}, batch {batch}: kernels")
        side, _ = self.ours(kind, batch, precision, "profile")
        try:
            fields = side.ask(f"profile {self.o.rounds} {whole} {floors[0]} {floors[1]}", "row", "next")
            rows = []
            while fields[0] == "row":
                rows.append([fields[1], fields[2], int(fields[3]), *map(float, fields[4:])])
                fields = side.read("row", "next")
            return rows, fields[1]
        finally:
            side.close()
            progress("")


def speeds(report, bench, kind, measured):
    """Images a second, a row for each batch and precision."""
    headers = ["batch", "precision", "Tessera", "PyTorch eager", "PyTorch compiled", "Tessera / eager", "Tessera / compiled"]
    rows, verdicts = [], []
    for batch, times in measured.items():
        def cell(who, precision):
            found = times.get((who, precision), "–")
            return found if isinstance(found, str) else found.cell if isinstance(found, Failure) else number(batch * 1e3 / statistics.median(found))

        def ratio(who, precision):
            ours, theirs = times.get(("Tessera", precision)), times.get((who, precision))
            if not isinstance(ours, list) or not isinstance(theirs, list):
                return None
            return sorted(b / a for a, b in zip(ours, theirs))

        for precision, name in PRECISIONS.items():
            ratios = [ratio(who, precision) for who in ("eager", "compiled")]
            shown = [f"{statistics.median(r):.3f} [{r[0]:.3f}–{r[-1]:.3f}]" if r else "–" for r in ratios]
            cells = [cell(who, precision) for who in ("Tessera", "eager", "compiled")]
            if set(cells) != {"–"}:
                rows.append([str(batch), name, *cells, *shown])
            if ratios[0]:
                reached = statistics.median(ratios[0])
                verdicts.append(f"batch {batch}, {name}: {reached:.3f}, {'reached' if reached >= GOAL else 'not reached'}")
            elif ("Tessera", precision) in times:
                verdicts.append(f"batch {batch}, {name}: not measured")
    report.heading(f"{kind.capitalize()}, images/s")
    report.table("rlrrrrr", headers, rows)
    if verdicts and bench.peer and bench.peer[2]:
        report.text(f"Goal, {GOAL} of PyTorch eager at equal precision: {'; '.join(verdicts)}.")
    elif verdicts and bench.peer:
        report.text("PyTorch ran on the CPU here: its columns are not those of the device.")


def kernels(report, title, rows, sentence, floors, most=15):
    """Where a run's time goes."""
    *rows, whole = rows
    if len(rows) > most + 1:
        rest = rows[most:]
        rows = rows[:most] + [[f"{len(rest)} others", "", *(sum(row[i] for row in rest) for i in range(2, 8))]]
    table = []
    for name, what, calls, spent, flops, moved, floor, lost in [*rows, whole]:
        ms = lambda value: number(value) if value else "–"
        row = [f"{name} {what}".strip(), str(calls) if calls else "–", number(spent), f"{100 * spent / whole[3]:.1f} %"]
        table.append([*row, ms(flops), ms(moved), f"{100 * floor / spent:.0f} %" if floor and spent else "–", number(lost)] if all(floors) else row)
    report.heading(title)
    headers = ["kernel", "calls", "ms", "of a run", "FLOP floor, ms", "byte floor, ms", "floor / time", "lost, ms"]
    report.table("lrrrrrrr"[:len(table[0])], headers[:len(table[0])], table)
    report.text(sentence)


def card(name):
    """The published figures of a card by its name: label, TFLOP/s by precision, GB/s; None for others and for parts of cards."""
    words = set(re.findall(r"[A-Z0-9]+", name.upper()))
    for label, (needed, fp32, tf32, bf16, bandwidth) in CARDS.items():
        if set(needed.split()) <= words and not words & {"MIG", "NVL", "LAPTOP"}:
            return label, dict(fp32=fp32, tf32=tf32, fp16=bf16, bf16=bf16), bandwidth


def driver():
    """Name and driver of each card, as nvidia-smi says."""
    if not shutil.which("nvidia-smi"):
        return []
    asked = subprocess.run(["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"], capture_output=True, text=True)
    return [line.split(", ") for line in asked.stdout.splitlines() if ", " in line]


def command(options):
    """The JVM as the launcher starts it for TornadoVM, with the test classes on its class path, and the JDK's version."""
    launcher = ["sh", str(ROOT / "tessera")]
    home = subprocess.run([*launcher, "--java-home"], capture_output=True, text=True)
    shown = subprocess.run([*launcher, "--show-command", "devices"], capture_output=True, text=True)
    if home.returncode or shown.returncode:
        sys.exit((home.stderr or shown.stderr).strip() or "the launcher does not say how it starts")
    words = shlex.split(shown.stdout)
    flags = [word for word in words[:words.index("-jar")] if not word.startswith("-Dtessera.")]
    path = options.classpath
    if not path:
        with tempfile.NamedTemporaryFile(suffix=".cp") as out:
            maven = ["mvn", "-q", "-B", *shlex.split(os.environ.get("BENCH_MAVEN", "")), "-Dquick", "-pl", "src", "-am", "test-compile",
                     "dependency:build-classpath", f"-Dmdep.outputFile={out.name}"]
            if subprocess.run(maven, cwd=ROOT).returncode:
                sys.exit("the build failed, see above")
            path = os.pathsep.join([str(ROOT / "src/target/test-classes"), str(ROOT / "src/target/classes"), pathlib.Path(out.name).read_text()])
    release = pathlib.Path(home.stdout.strip(), "release").read_text()
    version = re.search(r'^(?:IMPLEMENTOR_VERSION|JAVA_VERSION)="?([^"\n]+)', release, re.M)
    return [*flags, "-cp", path, "dev.tessera.engine.tornado.DeviceBench"], version[1] if version else "JDK"


def numbers(text):
    return [int(word) for word in text.split(",")]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--device", default="tornado", help="cuda:0, opencl:0, or tornado for the best (default)")
    p.add_argument("--model", default="base", help="base, small, tiny: 224 px in patches of 16; micro, nano: 32 px in patches of 4")
    p.add_argument("--image-size", type=int, default=0, help="pixels of a side, a multiple of the patch (default: the model's)")
    p.add_argument("--batch", type=numbers, default=[1, 32, 256], help="default: 1,32,256")
    p.add_argument("--kind", default="inference,training", help="one of both, or both (default)")
    p.add_argument("--precision", default="", help="of Tessera: fp32, tf32, fp16 (default: all that the device has; fp16 is for inference only)")
    p.add_argument("--rounds", type=int, default=5, help="turns of each, and profiled runs (default: 5)")
    p.add_argument("--seconds", type=float, default=1, help="about so long is a turn (default: 1)")
    p.add_argument("--tflops", type=float, default=0, help="10^12 operations a second of the device at best, for cards that are not known")
    p.add_argument("--bandwidth", type=float, default=0, help="10^9 bytes a second of its memory")
    p.add_argument("--no-torch", action="store_true", help="without PyTorch")
    p.add_argument("--torch-device", help="default: cuda with the number of --device")
    p.add_argument("--output", type=pathlib.Path, help="a file for the tables as Markdown")
    p.add_argument("--classpath", help="skip Maven and use this class path")
    p.add_argument("--peer", nargs=4, help=argparse.SUPPRESS)
    o = p.parse_args()
    if o.peer:
        folder, kind, batch, device = o.peer
        return peer(folder, kind, int(batch), device)
    if not os.environ.get("TORNADOVM_HOME"):
        print("gpu.py: needs TornadoVM; set TORNADOVM_HOME to the folder of its SDK (docs/tornadovm.md).", file=sys.stderr)
        return 2
    o.precision = o.precision.split(",") if o.precision else []
    if unknown := set(o.precision) - {"fp32", "tf32", "fp16"} or set(o.kind.split(",")) - {"inference", "training"}:
        p.error(f"unknown: {', '.join(unknown)}")
    index = o.device.rpartition(":")[2]
    o.torch_device = o.torch_device or f"cuda:{index if o.device.startswith('cuda:') else 0}"
    java, jdk = command(o)
    with tempfile.TemporaryDirectory() as folder:
        return measure(o, java, jdk, os.path.join(folder, "model"))


def measure(o, java, jdk, folder):
    bench = Bench(o, java, folder)
    try:
        bench.look(o.precision[0] if o.precision else "fp32")
    except Failure as e:
        print(f"gpu.py: {e}", file=sys.stderr)
        return 1
    o.precision = o.precision or (["fp32", "tf32", "fp16"] if "cuBLAS" in bench.device[1] else ["fp32"])
    platform, description, details = bench.device
    details = details.partition(" CL_DEVICE_TYPE")[0].strip()
    smi = driver()
    cuda = o.device.startswith("cuda:") or "NVIDIA" in (platform + details).upper() or "CUDA" in platform.upper()
    number_of = int(description.split(":")[1]) if description.startswith("cuda:") else 0
    name, version = smi[number_of] if cuda and number_of < len(smi) else (details, "")
    known = card(name) if cuda else None
    floors = {p: (o.tflops or (known[1][p] if known else 0), o.bandwidth or (known[2] if known else 0)) for p in o.precision}

    report = Report(o.output)
    size = f" at {o.image_size} px" if o.image_size else ""
    report.heading(f"ViT-{o.model.capitalize()}{size} on {name}")
    report.item(f"Device: {description}; {platform}" + (f", driver {version}" if version else ""))
    sdk = next(pathlib.Path(os.environ["TORNADOVM_HOME"]).glob("share/java/tornado/tornado-api-*.jar"), pathlib.Path("tornado-api-unknown"))
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True).stdout.strip()
    report.item(f"Tessera: {f'commit {commit}, ' if commit else ''}TornadoVM {sdk.stem.removeprefix('tornado-api-')}, {jdk}")
    torch = bench.theirs("inference", 1)
    if torch:
        torch.close()
        versions = f"PyTorch {bench.peer[0]}, transformers {bench.peer[1]}"
        report.item(f"{versions}, CUDA {bench.peer[2]}, on {bench.peer[3]}" if bench.peer[2] else
                    f"{versions}: without CUDA, so on {bench.peer[3]}, NOT on the device; no TF32 there")
    else:
        report.item(f"PyTorch: {bench.notes.pop() if bench.notes else 'left out'}")
    report.item("Method: each run goes from images in the host's memory to logits there, or to the loss of a whole training step (forward, backward, "
                "AdamW); one batch at a time. "
                f"{o.rounds} rounds in which all of a precision have turns of about {o.seconds:g} s after a run that is not measured; medians, ratios of the same "
                "round with the least and the greatest. PyTorch: scaled_dot_product_attention, images in pinned memory; fp16 and bf16 are such weights for "
                "inference, bf16 is autocast for training; compiled is torch.compile's default. Tessera's last block computes the class token only; nothing else "
                "is read of it.")
    if any(all(f) for f in floors.values()):
        source = "as given" if o.tflops and o.bandwidth else f"published for {known[0] if known else name}" + (" and as given" if o.tflops or o.bandwidth else "")
        report.item("Floors: " + "; ".join(f"{PRECISIONS[p]} {f[0]:g} TFLOP/s, {f[1]:g} GB/s" for p, f in floors.items()) + f", {source}. Lost is the time over "
                    "the larger floor. Profiled runs are other runs than those above, and slower; times of kernels are those of the device's own clock.")
    else:
        report.item("Floors: not known for this device; give --tflops and --bandwidth.")

    for kind in o.kind.split(","):
        measured = {batch: bench.measure(kind, batch) for batch in o.batch}
        speeds(report, bench, kind, measured)
        for batch, times in measured.items():
            for precision in o.precision:
                found = times.get(("Tessera", precision))
                if isinstance(found, list):
                    title = f"{kind.capitalize()}, batch {batch}, {PRECISIONS[precision]}: the kernels of a run"
                    try:
                        rows, sentence = bench.profile(kind, batch, precision, statistics.median(found), floors[precision])
                        kernels(report, title, rows, sentence, floors[precision])
                    except Failure as e:
                        bench.note(title, e)
    if bench.notes:
        report.heading("Notes")
        for note in bench.notes:
            report.item(note + ("" if note.endswith(".") else "."))
    return 0


if __name__ == "__main__":
    sys.exit(main())
