"""Attention of the small checkpoints by transformers and timm, and its rollout: expected.safetensors.

    python make.py        # in this folder; torch, transformers, timm, safetensors, numpy
"""

import json
from pathlib import Path

import numpy as np
import timm
import torch
import transformers
from safetensors.torch import load_file, save_file

CHECKPOINTS = Path(__file__).resolve().parent.parent / "checkpoints"
CASES = {
    "vit-tiny": "ViTForImageClassification",
    "deit-distilled": "DeiTForImageClassificationWithTeacher",
    "dinov2-cls": "Dinov2ForImageClassification",
    "dinov2-reg": "Dinov2WithRegistersModel",
    "timm-vit-reg4-nocls": None,
}


def of_transformers(name, architecture, pixels):
    model = getattr(transformers, architecture).from_pretrained(
        CHECKPOINTS / name, attn_implementation="eager"
    )
    return model.eval()(pixel_values=pixels, output_attentions=True).attentions


def of_timm(name, pixels):
    config = json.loads((CHECKPOINTS / name / "config.json").read_text())
    model = timm.create_model(
        config["architecture"], **config["model_args"]
    )
    model.load_state_dict(load_file(CHECKPOINTS / name / "model.safetensors"))
    attentions = []
    for block in model.eval().blocks:
        block.attn.fused_attn = False
        block.attn.attn_drop.register_forward_hook(lambda _, inputs, __: attentions.append(inputs[0]))
    model(pixels)
    return attentions


def rollout(attentions):
    """Abnar and Zuidema, arXiv:2005.00928: [batch, tokens, tokens], the first layer on the right."""
    result = None
    for attention in attentions:
        mean = attention.double().numpy().mean(axis=1)
        mixed = mean + np.eye(mean.shape[-1])
        mixed /= mixed.sum(axis=-1, keepdims=True)
        result = mixed if result is None else mixed @ result
    return result


tensors = {}
with torch.no_grad():
    for name, architecture in CASES.items():
        pixels = load_file(CHECKPOINTS / name / "expected.safetensors")["pixel_values"]
        attentions = of_transformers(name, architecture, pixels) if architecture else of_timm(name, pixels)
        tensors[name + "/rollout"] = torch.from_numpy(rollout(attentions)).float()
        tensors[name + "/last_attention"] = attentions[-1].clone().contiguous()
        print(name, len(attentions), tuple(attentions[-1].shape))
save_file(tensors, "expected.safetensors")
