"""Logs that TensorBoard shows, written without its libraries.

An event file is a sequence of records: length, check sum of the length, data, check sum of the data. The data is a protocol buffer, of which a
few fields are enough.
"""

import os
import socket
import struct
import time
import zlib

_CASTAGNOLI = 0x82F63B78


def _crc_table():
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (_CASTAGNOLI if byte & 1 else 0)
        table.append(byte)
    return table


_TABLE = _crc_table()


def _masked_crc(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ _TABLE[(crc ^ byte) & 0xFF]
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


# Protocol buffers: a field is its number and kind, then its content


def _varint(n):
    n &= 2**64 - 1
    content = bytearray()
    while n > 0x7F:
        content.append(n & 0x7F | 0x80)
        n >>= 7
    content.append(n)
    return bytes(content)


def _integer(field, value):
    return _varint(field << 3) + _varint(value)


def _double(field, value):
    return _varint(field << 3 | 1) + struct.pack("<d", value)


def _float(field, value):
    return _varint(field << 3 | 5) + struct.pack("<f", value)


def _message(field, content):
    content = content.encode() if isinstance(content, str) else content
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _doubles(field, values):
    return _message(field, struct.pack(f"<{len(values)}d", *values))


class SummaryWriter:
    """Writes what a run has to show to a folder that `tensorboard --logdir` is given.

    Args:
        log_dir: the folder; `runs/` with the time and the machine's name by default.
        comment: what that name ends with.
        flush_secs: the longest time in which what was written may not be in the file yet.
        filename_suffix: what the file's name ends with.
    """

    def __init__(self, log_dir=None, comment="", purge_step=None, max_queue=10, flush_secs=120, filename_suffix=""):
        host = socket.gethostname()
        self.log_dir = os.fspath(log_dir) if log_dir else os.path.join("runs", time.strftime("%b%d_%H-%M-%S_") + host + comment)
        os.makedirs(self.log_dir, exist_ok=True)
        self._max_queue, self._flush_secs = max_queue, flush_secs
        name = f"events.out.tfevents.{int(time.time()):010}.{host}.{os.getpid()}.{id(self) % 1000000}{filename_suffix}"
        self._file = open(os.path.join(self.log_dir, name), "ab")
        self._pending, self._flushed = 0, time.monotonic()
        self._event(_message(3, "brain.Event:2"))
        if purge_step is not None:
            # SessionLog with status START: events of an earlier run from this step on are not shown.
            self._event(_message(7, _integer(1, 1)), purge_step)
        self.flush()

    def add_scalar(self, tag, scalar_value, global_step=None, walltime=None, **options):
        """A number at a step."""
        self._summary(_message(1, tag) + _float(2, float(scalar_value)), global_step, walltime)

    def add_scalars(self, main_tag, tag_scalar_dict, global_step=None, walltime=None):
        """Several numbers under `main_tag/name`."""
        for name, value in tag_scalar_dict.items():
            self.add_scalar(f"{main_tag}/{name}", value, global_step, walltime)

    def add_histogram(self, tag, values, global_step=None, bins=64, walltime=None, max_bins=None):
        """How values are distributed.

        Args:
            values: a tensor, an array or a list of finite numbers.
            bins: how many intervals of equal width.
        """
        numbers = _flat(values)
        if not numbers or any(x != x or x in (float("inf"), float("-inf")) for x in numbers):
            raise ValueError("add_histogram: values are finite, and there is at least one")
        low, high = min(numbers), max(numbers)
        count = int(bins) if not isinstance(bins, str) else 64
        width = (high - low) / count if high > low else 1.0
        buckets = [0.0] * count
        for x in numbers:
            buckets[min(int((x - low) / width), count - 1)] += 1
        limits = [low + width * (i + 1) for i in range(count)]
        histogram = (
            _double(1, low) + _double(2, high) + _double(3, len(numbers)) + _double(4, sum(numbers)) + _double(5, sum(x * x for x in numbers))
            + _doubles(6, limits) + _doubles(7, buckets))
        self._summary(_message(1, tag) + _message(5, histogram), global_step, walltime)

    def add_text(self, tag, text_string, global_step=None, walltime=None):
        """A text; TensorBoard reads it as Markdown."""
        metadata = _message(9, _message(1, _message(1, "text")))
        # A tensor of dtype string (7) with one element.
        tensor = _integer(1, 7) + _message(2, _message(2, _integer(1, 1))) + _message(8, text_string)
        self._summary(_message(1, f"{tag}/text_summary") + metadata + _message(8, tensor), global_step, walltime)

    def add_image(self, tag, img_tensor, global_step=None, walltime=None, dataformats="CHW"):
        """A picture: uint8 from 0 to 255, or floating point from 0 to 1.

        Args:
            img_tensor: a tensor or an array of one, three or four channels.
            dataformats: the order of its axes: `CHW`, `HWC` or `HW`.
        """
        height, width, channels, pixels = _pixels(img_tensor, dataformats)
        image = _integer(1, height) + _integer(2, width) + _integer(3, channels) + _message(4, _png(height, width, channels, pixels))
        self._summary(_message(1, tag) + _message(4, image), global_step, walltime)

    def add_images(self, tag, img_tensor, global_step=None, walltime=None, dataformats="NCHW"):
        """Several pictures beside each other."""
        from .. import _api
        from .._creation import as_tensor

        images = as_tensor(img_tensor)
        if dataformats not in ("NCHW", "NHWC"):
            raise ValueError(f"add_images: dataformats is 'NCHW' or 'NHWC', not {dataformats!r}")
        row = _api.functions["cat"](list(images.unbind(0)), dim=2 if dataformats == "NCHW" else 1)
        self.add_image(tag, row, global_step, walltime, dataformats[1:])

    def flush(self):
        """Hands everything over to the system."""
        self._file.flush()
        self._pending, self._flushed = 0, time.monotonic()

    def close(self):
        """Ends the log."""
        if not self._file.closed:
            self.flush()
            self._file.close()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    def _summary(self, value, step, walltime):
        self._event(_message(5, _message(1, value)), step, walltime)

    def _event(self, content, step=None, walltime=None):
        if self._file.closed:
            raise ValueError("SummaryWriter: the log is closed")
        data = _double(1, time.time() if walltime is None else walltime) + _integer(2, int(step or 0)) + content
        length = struct.pack("<Q", len(data))
        self._file.write(length + struct.pack("<I", _masked_crc(length)) + data + struct.pack("<I", _masked_crc(data)))
        self._pending += 1
        if self._pending > self._max_queue or time.monotonic() - self._flushed > self._flush_secs:
            self.flush()


def _flat(values):
    if hasattr(values, "detach"):
        return values.detach().double().flatten().tolist()
    if hasattr(values, "ravel"):
        return [float(x) for x in values.ravel()]
    return [float(x) for x in values]


def _pixels(image, dataformats):
    """Height, width, channels and the bytes row by row, of a picture in any of the orders."""
    from .._creation import as_tensor
    from .. import _C

    image = as_tensor(image).detach()
    if dataformats not in ("CHW", "HWC", "HW"):
        raise ValueError(f"add_image: dataformats is 'CHW', 'HWC' or 'HW', not {dataformats!r}")
    if image.dim() != len(dataformats):
        raise ValueError(f"add_image: a picture of shape {list(image.shape)} is not {dataformats}")
    if dataformats == "HW":
        image = image.unsqueeze(2)
    elif dataformats == "CHW":
        image = image.permute(1, 2, 0)
    height, width, channels = image.shape
    if channels not in (1, 3, 4) or height == 0 or width == 0:
        raise ValueError(f"add_image: a picture has 1, 3 or 4 channels and at least one pixel; this one is {list(image.shape)}")
    if image.is_floating_point():
        image = (image.float().clamp(0, 1) * 255 + 0.5).to(_C.uint8)
    elif image.dtype is not _C.uint8:
        raise TypeError(f"add_image: pixels are uint8 or floating point, not {image.dtype}")
    return height, width, channels, _C.bytes_of(image.contiguous())


def _png(height, width, channels, pixels):
    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    color = {1: 0, 3: 2, 4: 6}[channels]
    row = width * channels
    lines = b"".join(b"\0" + pixels[i * row : (i + 1) * row] for i in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, color, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")
