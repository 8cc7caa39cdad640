"""Checks that TensorBoard's own reader finds in the event files of `apus train --tensorboard` what the run's other logs say.

    python Tests/Interop/check_tensorboard.py .build/release/apus

Needs tensorboard. Scalars against metrics.jsonl, histograms, pictures, texts, the graph; a run that was resumed shows each step once.
Prints one line; ends with code 1 at the first difference.
"""

import glob
import json
import os
import struct
import subprocess
import sys
import tempfile

import tensorboard
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

APUS = os.path.abspath(sys.argv[1])
SIZES = {"scalars": 0, "histograms": 0, "images": 0, "tensors": 0, "compressedHistograms": 0}


def train(*words):
    run = subprocess.run([APUS, "train", "digits", "--limit", "500", "--tensorboard", "-q", *words], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


def events():
    accumulator = EventAccumulator("runs/digits/events", size_guidance=SIZES)
    accumulator.Reload()
    return accumulator


def single(x):
    """x as float32, which is what an event can hold."""
    return struct.unpack("f", struct.pack("f", x))[0]


def check_scalars(found, epochs):
    rows = [json.loads(line) for line in open("runs/digits/metrics.jsonl")]
    assert len(rows) == 2 * epochs
    count = 0
    for split in ("train", "test"):
        for name in ("loss", "accuracy"):
            expected = [single(row[name]) for row in rows if row["split"] == split]
            points = found.Scalars(f"{name}/{split}")
            assert [point.value for point in points] == expected, f"{name}/{split}: {points}"
            assert [point.step for point in points] == [4 * (i + 1) for i in range(epochs)], f"{name}/{split}: {points}"
            count += len(points)
    rates = found.Scalars("batch/learning_rate")
    assert rates[0].value == single(1e-3) and rates[-1].step == 4 * epochs
    return count


def main(folder):
    os.chdir(folder)
    train("--epochs", "2")
    found = events()
    assert found.file_version == 2.0
    count = check_scalars(found, 2)

    histogram = found.Histograms("parameters/0.weight")[-1].histogram_value
    assert histogram.num == sum(histogram.bucket) == 784 * 128, histogram
    assert list(histogram.bucket_limit) == sorted(histogram.bucket_limit) and histogram.bucket_limit[-1] == histogram.max
    assert {tag.split("/")[1] for tag in found.Tags()["histograms"]} == {"0.weight", "0.bias", "2.weight", "2.bias"}

    image = found.Images("test/Confusion matrix")[-1]
    assert image.encoded_image_string[:4] == b"\x89PNG"
    assert struct.unpack(">II", image.encoded_image_string[16:24]) == (image.width, image.height)

    text = found.Tensors("config")[0].tensor_proto.string_val[0].decode()
    assert json.loads(text.strip("`\n"))["epochs"] == 2

    nodes = {node.name: node for node in found.Graph().node}
    assert {"input", "reshape", "0/Linear", "1/ReLU", "2/Linear", "output"} == set(nodes), nodes
    assert list(nodes["2/Linear"].input) == ["1/ReLU"] and nodes["0/Linear"].op == "Linear"
    shape = nodes["0/Linear"].attr["_output_shapes"].list.shape[0]
    assert [size.size for size in shape.dim] == [2, 128]

    # As after a kill in the second epoch: it is made again, and what was logged of it before isn't shown.
    newest = sorted(glob.glob("runs/digits/checkpoints/step-*"))[-1]
    os.remove(newest)
    train("--resume", "--epochs", "3")
    assert len(glob.glob("runs/digits/events/events.out.tfevents.*")) == 2
    count += check_scalars(events(), 3)

    # A record that was cut short is left out; those before it are read.
    first = sorted(glob.glob("runs/digits/events/*"))[0]
    os.truncate(first, os.path.getsize(first) - 3)
    events()

    # A new run takes the place of the old one.
    train("--epochs", "1")
    count += check_scalars(events(), 1)
    return count


with tempfile.TemporaryDirectory() as folder:
    count = main(folder)
print(f"tensorboard {tensorboard.__version__}: {count} scalars, histograms, pictures, texts and graphs agree")
