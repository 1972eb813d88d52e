#!/bin/sh
# Retrieval by example with any model over any labelled folder: precision@5, precision@10 and mAP, each image the query once.
#
#   examples/bench/retrieval.sh MODEL DIR          # DIR/<label>/*.jpg
#   examples/bench/retrieval.sh MODEL FOLDER idx   # FOLDER/t10k-images-idx3-ubyte.gz and -labels-, as Fashion-MNIST comes
#
# Needs what ./tessera needs, and for idx files python3 with numpy and Pillow, which unpacks them into PNGs (PYTHON names another).
set -eu
[ $# -ge 2 ] || { sed -n '2,7s/^# \{0,1\}//p' "$0"; exit 2; }
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
images=$2
if [ "${3:-}" = idx ]; then
  images=$work/images
  "${PYTHON:-python3}" - "$2" "$images" <<'PYTHON'
import gzip, pathlib, sys
import numpy as np
from PIL import Image
source, target = map(pathlib.Path, sys.argv[1:])
labels = np.frombuffer(gzip.open(source / "t10k-labels-idx1-ubyte.gz").read(), np.uint8, offset=8)
pixels = np.frombuffer(gzip.open(source / "t10k-images-idx3-ubyte.gz").read(), np.uint8, offset=16).reshape(len(labels), 28, 28)
for i, (label, image) in enumerate(zip(labels, pixels)):
    folder = target / str(label)
    folder.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(folder / f"{i:05}.png")
PYTHON
fi
"$root/tessera" index build "$images" --model "$1" -o "$work/images.index"
"$root/tessera" index eval "$work/images.index"
