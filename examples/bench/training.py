#!/usr/bin/env python3
"""One training step (forward, backward, AdamW), fp32: Tessera beside PyTorch eager, same model, same batch, alternating.

    python3 examples/bench/training.py [--case tiny,fashion,micro] [--rounds 15] [--threads 2]

Cases: tiny = ViT-Ti/16 at 224 px, batch 16; fashion = the model in pretrained/ (28x28 in patches of 7, 128 features, 6 layers), batch 128;
micro = 28x28 in patches of 4, 96 features, 6 layers, batch 128. Needs torch, transformers and safetensors, a JDK 25 and Maven. Tessera has the JVM's flags of its launcher. Steps alternate, so that both sides see the same machine; the
losses of both sides are compared as they go. Peak memory is that of each side's whole process.
"""
import argparse, os, pathlib, shlex, statistics, subprocess, sys, tempfile, time

ROOT = pathlib.Path(__file__).resolve().parents[2]
CASES = {
    "tiny": (dict(hidden_size=192, num_hidden_layers=12, num_attention_heads=3, intermediate_size=768, image_size=224, patch_size=16,
                  num_channels=3, num_labels=1000), 16),
    "fashion": (dict(hidden_size=128, num_hidden_layers=6, num_attention_heads=2, intermediate_size=256, image_size=28, patch_size=7,
                     num_channels=1, num_labels=10), 128),
    "micro": (dict(hidden_size=96, num_hidden_layers=6, num_attention_heads=4, intermediate_size=384, image_size=28, patch_size=4,
                   num_channels=1, num_labels=10), 128),
}


def torch_side(folder, threads):
    """PyTorch's side, as a process of its own: a step for every byte on standard input."""
    import resource, torch
    from safetensors.torch import load_file
    from transformers import ViTForImageClassification
    torch.set_num_threads(threads)
    model = ViTForImageClassification.from_pretrained(folder, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0).train()
    decay = [p for p in model.parameters() if p.ndim > 1]
    rest = [p for p in model.parameters() if p.ndim <= 1]
    optimizer = torch.optim.AdamW([dict(params=decay, weight_decay=0.05), dict(params=rest, weight_decay=0.0)], lr=1e-4)
    batch = load_file(os.path.join(folder, "batch.safetensors"))
    while sys.stdin.buffer.read(1):
        start = time.perf_counter()
        optimizer.zero_grad()
        logits = model(batch["pixel_values"]).logits
        loss = torch.nn.functional.cross_entropy(logits, batch["targets"])
        loss.backward()
        optimizer.step()
        value = loss.item()
        print(f"{(time.perf_counter() - start) * 1e3:.3f} {value:.6f} {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f}", flush=True)


def prepare(folder, case):
    import torch
    from safetensors.torch import save_file
    from transformers import ViTConfig, ViTForImageClassification
    settings, batch = CASES[case]
    torch.manual_seed(3)
    ViTForImageClassification(ViTConfig(**settings)).save_pretrained(folder)
    size = settings["image_size"]
    save_file({"pixel_values": torch.randn(batch, settings["num_channels"], size, size),
               "targets": torch.randint(0, settings["num_labels"], (batch,))}, os.path.join(folder, "batch.safetensors"))


def launcher():
    """The JVM and its flags as `./tessera train` has them."""
    line = subprocess.run([ROOT / "tessera", "--show-command"], check=True, capture_output=True, text=True).stdout
    words = shlex.split(line)
    application = next(i for i, word in enumerate(words) if word.startswith("-Dtessera."))
    return [word for word in words[:application] if not word.startswith("-XX:SharedArchiveFile")]


def ask(process):
    process.stdin.write(b"x"); process.stdin.flush()
    return [float(v) for v in process.stdout.readline().split()]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--case", default="tiny,fashion,micro")
    p.add_argument("--rounds", type=int, default=15)
    p.add_argument("--warmup", type=int, default=20)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--classpath", help="skip Maven and use this class path")
    p.add_argument("--torch-side", help=argparse.SUPPRESS)
    o = p.parse_args()
    if o.torch_side:
        return torch_side(o.torch_side, o.threads)
    cp = o.classpath
    if not cp:
        with tempfile.NamedTemporaryFile() as out:
            subprocess.run(["mvn", "-q", "-B", "-pl", "src", "-am", "test-compile", "dependency:build-classpath", f"-Dmdep.outputFile={out.name}"], cwd=ROOT, check=True)
            cp = os.pathsep.join([str(ROOT / "src/target/test-classes"), str(ROOT / "src/target/classes"), open(out.name).read()])
    java = launcher()
    for case in o.case.split(","):
        with tempfile.TemporaryDirectory() as folder:
            prepare(folder, case)
            ours = subprocess.Popen([*java, "-cp", cp, "dev.tessera.train.TrainingStepBench", folder, folder + "/batch.safetensors", str(o.threads)],
                                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            theirs = subprocess.Popen([sys.executable, __file__, "--torch-side", folder, "--threads", str(o.threads)],
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            pairs, drift = [], 0.0
            for i in range(o.warmup + o.rounds):
                a, b = ask(ours), ask(theirs)
                drift = max(drift, abs(a[1] - b[1]))
                if i >= o.warmup:
                    pairs.append((a[0], b[0]))
            memory = a[2], b[2]
            for process in (ours, theirs):
                process.stdin.close(); process.wait()
        ratios = sorted(t / m for m, t in pairs)
        print(f"{case}: Tessera {statistics.median(m for m, _ in pairs):.1f} ms, {memory[0]:.0f} MB; PyTorch {statistics.median(t for _, t in pairs):.1f} ms, "
              f"{memory[1]:.0f} MB; paired ratio {statistics.median(ratios):.3f} [{ratios[len(ratios) // 4]:.3f}-{ratios[3 * len(ratios) // 4]:.3f}], "
              f"losses differ by at most {drift:.1e}", flush=True)


if __name__ == "__main__":
    main()
