"""Makes the variants of formats that Pillow does not write or read, and what they show.

    python3 make_rare.py PHOTO OUTPUT

PHOTO is any photo (files/jpeg_641x427.jpg); OUTPUT gets each file with FILE.npy.gz beside it. What they show is Pillow's reading, but for WBMP
and Radiance, which Pillow does not know, and the old icon, whose two colours it passes over: there it is what was written. Needs Pillow 12.3
and numpy.
"""
import gzip, io, os, struct, sys
import numpy as np
from PIL import Image

PHOTO, OUT = sys.argv[1:]
picture = Image.open(PHOTO).convert("RGB").resize((37, 23), 3)
square = picture.resize((48, 48), 3)


def save(name, data, shown=None):
    with open(os.path.join(OUT, name), "wb") as file:
        file.write(data)
    if shown is None:
        shown = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    array = io.BytesIO()
    np.save(array, np.ascontiguousarray(shown))
    with open(os.path.join(OUT, name + ".npy.gz"), "wb") as file:
        file.write(gzip.compress(array.getvalue(), mtime=0))


def written(image, format, **options):
    data = io.BytesIO()
    image.save(data, format, **options)
    return data.getvalue()


def xpm(image, colors, characters):
    indexed = image.quantize(colors)
    palette = indexed.getpalette()
    names = [f"{i:0{characters}x}" for i in range(colors)]
    rows = [f"{image.width} {image.height} {colors} {characters}"]
    rows += [f"{name} c #{bytes(palette[3 * i : 3 * i + 3]).hex()}" for i, name in enumerate(names)]
    pixels = np.asarray(indexed)
    rows += ["".join(names[i] for i in row) for row in pixels]
    return ("/* XPM */\nstatic char *photo[] = {\n" + ",\n".join(f'"{row}"' for row in rows) + "\n};\n").encode()


def runs(plane):
    """As Apple has it: 128 to 255 repeat the next byte 3 to 130 times, 0 to 127 announce 1 to 128 bytes."""
    data, at = bytearray(), 0
    while at < len(plane):
        same = 1
        while at + same < len(plane) and same < 130 and plane[at + same] == plane[at]:
            same += 1
        if same >= 3:
            data += bytes([same + 125, plane[at]])
            at += same
        else:
            literal = plane[at : at + 2]
            data += bytes([len(literal) - 1]) + literal
            at += len(literal)
    return bytes(data)


def icns(*entries):
    body = b"".join(kind + struct.pack(">I", 8 + len(data)) + data for kind, data in entries)
    return b"icns" + struct.pack(">I", 8 + len(body)) + body


def planes(image):
    flat = (np.asarray(image) // 64 * 64).astype(np.uint8)
    return b"".join(runs(np.ascontiguousarray(flat[..., channel]).tobytes()) for channel in range(3))


save("xbm.xbm", written(picture.convert("1"), "XBM"))
save("xpm_1.xpm", xpm(picture, 16, 1))
save("xpm_2.xpm", xpm(picture, 200, 2))
first, second = (written(image, "PCX") for image in (picture, square))
save("dcx.dcx", struct.pack("<IIII", 0x3ADE68B1, 16, 16 + len(first), 0) + first + second)
mask = (b"l8mk", bytes(32 * 32))
small = (b"il32", planes(picture.resize((32, 32))))
save("icns_png.icns", icns(small, mask, (b"ic07", written(picture.resize((128, 128)), "PNG"))))
save("icns_runs.icns", icns(small, mask))
save("icns_it32.icns", icns(small, mask, (b"it32", bytes(4) + planes(picture.resize((128, 128)))), (b"t8mk", bytes(128 * 128))))
bits = np.asarray(picture.resize((32, 32)).convert("1"))
save("icns_old.icns", icns((b"ICN#", np.packbits(~bits, axis=1).tobytes() + b"\xff" * 128)), np.repeat(bits[..., None] * np.uint8(255), 3, 2))

bits = np.asarray(picture.resize((131, 23)).convert("1"))
save("wbmp.wbmp", b"\0\0\x81\x03\x17" + np.packbits(bits, axis=1).tobytes(), np.repeat(bits[..., None] * np.uint8(255), 3, 2))

# Radiance: a mantissa m of a channel and the pixel's exponent e are (m + 0.5) 2^(e - 136) of light; 0 is dark.
mantissas = np.asarray(picture)
exponents = 126 + np.arange(23)[:, None] // 6 + np.zeros((1, 37), int)
exponents[3, 5] = 0
light = np.where(exponents[..., None] > 0, (mantissas + 0.5) * 2.0 ** (exponents[..., None] - 136), 0).clip(0, 1)
srgb = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def scanline(row, exponent):
    line = b"\2\2" + struct.pack(">H", len(exponent))
    for channel in [row[:, 0], row[:, 1], row[:, 2], exponent]:
        line += bytes([len(channel)]) + channel.astype(np.uint8).tobytes() if len(set(channel)) > 1 else bytes([128 + len(channel), channel[0]])
    return line


header = b"#?RADIANCE\n# made by hand\nFORMAT=32-bit_rle_rgbe\n\n-Y 23 +X 37\n"
save("rgbe.hdr", header + b"".join(map(scanline, mantissas, exponents)), np.floor(255 * srgb + 0.5).astype(np.uint8))
