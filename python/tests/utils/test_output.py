"""What is shown: progress bars and TensorBoard's files."""

import io

import pytest

import apus
from apus.utils import progress
from apus.utils.tensorboard import SummaryWriter


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_pipe_gets_one_plain_line():
    file = io.StringIO()
    bar = progress(range(5), "epoch 1", file=file)
    for i in bar:
        bar.set_postfix(loss=0.5)
    assert "\r" not in file.getvalue() and file.getvalue().startswith("epoch 1: 5/5 in ") and file.getvalue().endswith("loss=0.5\n")


def test_a_terminal_gets_a_bar(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "60")
    file = Terminal()
    bar = progress(range(3), "x", file=file)
    bar.interval = 0
    assert list(bar) == [0, 1, 2]
    lines = file.getvalue().split("\r")
    assert lines[1].startswith("x:  33%|") and lines[-1].startswith("x: 100%|") and lines[-1].endswith("\n")
    assert all(len(line.rstrip()) < 60 for line in lines)


def test_an_event_file_is_what_tensorboard_reads(tmp_path):
    loading = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    with SummaryWriter(tmp_path) as writer:
        for step in range(20):
            writer.add_scalar("loss/train", 1 / (step + 1), step)
        writer.add_histogram("weights", apus.arange(10).float(), 3)
        writer.add_image("picture", apus.rand(3, 4, 5), 1)
        writer.add_images("pictures", apus.rand(2, 1, 4, 5), 1)
        writer.add_text("note", "a **text**", 2)
        writer.add_scalars("both", {"a": 1.0, "b": 2.0}, 0)
    events = loading.EventAccumulator(str(tmp_path), size_guidance={"histograms": 0, "images": 0, "tensors": 0})
    events.Reload()
    scalars = events.Scalars("loss/train")
    assert [event.step for event in scalars] == list(range(20)) and abs(scalars[4].value - 0.2) < 1e-6
    histogram = events.Histograms("weights")[0].histogram_value
    assert histogram.num == 10 and histogram.sum == 45 and sum(histogram.bucket) == 10
    image = events.Images("picture")[0]
    assert (image.height, image.width) == (4, 5) and image.encoded_image_string.startswith(b"\x89PNG")
    assert events.Images("pictures")[0].width == 10
    assert events.Tensors("note/text_summary")[0].tensor_proto.string_val[0] == b"a **text**"
    assert events.Scalars("both/b")[0].value == 2.0


def test_what_is_no_picture(tmp_path):
    with SummaryWriter(tmp_path) as writer:
        with pytest.raises(ValueError):
            writer.add_image("x", apus.rand(2, 4, 5))
        with pytest.raises(ValueError):
            writer.add_image("x", apus.rand(4, 5))
        with pytest.raises(ValueError):
            writer.add_histogram("x", [])
    with pytest.raises(ValueError, match="closed"):
        writer.add_scalar("x", 1)
