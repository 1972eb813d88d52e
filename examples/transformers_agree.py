#!/usr/bin/env python3
"""Compares a checkpoint of `tessera train` in transformers and in Tessera: the same random pixels, the logits of both.

    python examples/transformers_agree.py RUN/best [MORE...]

Needs torch, transformers and safetensors, and ./tessera in the folder above this one.
"""

import pathlib
import subprocess
import sys
import tempfile

import torch
import transformers
from safetensors.torch import load_file, save_file

TOLERANCE = 1e-4


def main(directory: str) -> int:
    config = transformers.AutoConfig.from_pretrained(directory)
    architecture = getattr(transformers, config.architectures[0])
    model, report = architecture.from_pretrained(directory, output_loading_info=True)
    wrong = {kind: keys for kind, keys in report.items() if keys}
    model.eval()
    torch.manual_seed(0)
    pixels = torch.randn(4, config.num_channels, config.image_size, config.image_size)
    with torch.no_grad():
        expected = model(pixel_values=pixels).logits
    launcher = pathlib.Path(__file__).resolve().parent.parent / "tessera"
    with tempfile.TemporaryDirectory() as folder:
        given, found = f"{folder}/in.safetensors", f"{folder}/out.safetensors"
        save_file({"pixel_values": pixels}, given)
        subprocess.run([launcher, "models", "run", directory, "-i", given, "-o", found], check=True)
        actual = load_file(found)["logits"]
    difference = (actual - expected).abs().max().item()
    same = torch.equal(actual.argmax(1), expected.argmax(1))
    print(f"{architecture.__name__}: {sum(p.numel() for p in model.parameters())} parameters, labels {list(config.id2label.values())[:3]}...")
    print(f"parameters that do not fit: {wrong or 'none'}")
    print(f"largest difference of logits: {difference:.2e} (they go up to {expected.abs().max().item():.2f}), same labels: {same}")
    return 0 if difference <= TOLERANCE and same and not wrong else 1


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(max([main(directory) for directory in sys.argv[1:]]))
