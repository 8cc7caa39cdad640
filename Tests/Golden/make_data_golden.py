"""Expected values from PyTorch and Pillow for the data target's pictures.

Run by hand, with torch 2.13.0, numpy and pillow:  python3 Tests/Golden/make_data_golden.py
Writes Tests/ApusDataTests/Golden/resize.json (bilinear resizing with and without antialias) and png.json (files as Pillow writes them, in
base64, with their pixels).
"""

import base64
import colorsys
import io
import json
import pathlib

import numpy
import torch
import torch.nn.functional as F
from PIL import Image

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "ApusDataTests" / "Golden"


def encoded(t):
    values = [float(str(numpy.float32(x))) for x in t.flatten().tolist()]
    return {"dtype": str(t.dtype).removeprefix("torch."), "shape": list(t.shape), "values": values}


def write(name, cases):
    text = json.dumps({"torch": torch.__version__, "cases": list(cases)}, separators=(",", ":"))
    (FOLDER / name).write_text(text + "\n")


def resizing():
    x = torch.rand((1, 2, 7, 5), generator=torch.Generator().manual_seed(1))
    for height, width in [(3, 2), (14, 10), (7, 5), (4, 9), (1, 1), (20, 3)]:
        for antialias in [True, False]:
            y = F.interpolate(x, (height, width), mode="bilinear", antialias=antialias)
            yield {"antialias": antialias, "input": encoded(x), "output": encoded(y)}


def pictures():
    random = numpy.random.default_rng(2)
    y, x = numpy.mgrid[0:13, 0:17]
    for mode, channels in [("L", 1), ("LA", 2), ("RGB", 3), ("RGBA", 4), ("P", 3)]:
        planes = [(x * (3 + c) + y * (7 - c) * (c + 1) + random.integers(0, 9, x.shape)) % 256 for c in range(channels)]
        pixels = numpy.stack(planes, -1).astype(numpy.uint8)
        if mode == "P":
            # More than 16 colours: fewer would be written with fewer bits.
            image = Image.fromarray(pixels, "RGB").convert("P", palette=Image.Palette.ADAPTIVE, colors=200)
            pixels = numpy.asarray(image.convert("RGB"))
        else:
            image = Image.fromarray(pixels[..., 0] if channels == 1 else pixels, mode)
        file = io.BytesIO()
        image.save(file, "PNG")
        yield {
            "mode": mode,
            "file": base64.b64encode(file.getvalue()).decode(),
            "shape": [channels, 13, 17],
            "pixels": base64.b64encode(pixels.reshape(13, 17, channels).transpose(2, 0, 1).tobytes()).decode(),
        }


def hues():
    for rgb in [(0.2, 0.7, 0.4), (0.9, 0.1, 0.1), (0.3, 0.3, 0.3), (0.1, 0.2, 0.8), (1.0, 1.0, 0.0)]:
        for turn in [0.1, -0.35, 0.5]:
            h, s, v = colorsys.rgb_to_hsv(*rgb)
            yield {"input": rgb, "turn": turn, "output": colorsys.hsv_to_rgb((h + turn) % 1, s, v)}


FOLDER.mkdir(exist_ok=True)
write("resize.json", resizing())
write("png.json", pictures())
write("hue.json", hues())
