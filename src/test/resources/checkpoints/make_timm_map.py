"""Makes timm-vit-map: a small SigLIP tower of timm's with random weights, and its outputs.

    python3 make_timm_map.py OUTPUT

Needs torch 2.13, timm 1.0.29 and safetensors.
"""
import sys
import timm, torch
from safetensors.torch import save_file
from timm.models._hub import save_for_hf

torch.manual_seed(64)
arguments = dict(img_size=32, patch_size=8, embed_dim=32, depth=2, num_heads=4, num_classes=7)
model = timm.create_model("vit_base_patch16_siglip_224", pretrained=False, **arguments).eval()
with torch.no_grad():
    for name, parameter in model.named_parameters():
        if parameter.ndim >= 2:
            parameter.copy_(torch.randn_like(parameter) / parameter[0].numel() ** 0.5)
        else:
            parameter.copy_((1 if name.endswith("weight") else 0) + 0.2 * torch.randn_like(parameter))
    expected = {"pixel_values": torch.randn(2, 3, 32, 32)}
    for i, block in enumerate(model.blocks):
        block.register_forward_hook(lambda _, __, out, i=i: expected.update({f"layer_{i}_out": out.clone()}))
    expected["logits"] = model(expected["pixel_values"])
    expected["forward_features"] = model.forward_features(expected["pixel_values"])
    expected["pooler_output"] = model.forward_head(expected["forward_features"], pre_logits=True)
model.pretrained_cfg = dict(model.pretrained_cfg, input_size=(3, 32, 32), num_classes=7)
save_for_hf(model, sys.argv[1], model_args=arguments, safe_serialization=True)
save_file({name: tensor.contiguous() for name, tensor in expected.items()}, sys.argv[1] + "/expected.safetensors")
