"""NumPy, the buffer protocol and DLPack: shared memory both ways, read-only or copied on write."""

import array
import gc

import pytest

import apus

np = pytest.importorskip("numpy")
try:
    import torch
except ImportError:
    torch = None

DTYPES = ["float32", "float64", "float16", "int64", "int32", "int16", "int8", "uint8", "bool"]


@pytest.mark.parametrize("name", DTYPES)
def test_round_trip(name):
    a = np.arange(6).reshape(2, 3).astype(name)
    x = apus.from_numpy(a)
    assert x.dtype.name == name and x.numpy().dtype == a.dtype
    assert np.array_equal(x.numpy(), a) and np.array_equal(np.asarray(x), a)
    assert x.data_ptr() == a.ctypes.data


def test_a_view_is_read_only_and_keeps_its_numbers():
    x = apus.ones(3)
    a = x.numpy()
    assert np.asarray(x).__array_interface__["data"][0] == x.data_ptr()
    with pytest.raises(ValueError):
        a[0] = 5
    x += 1
    x[0] = 9
    assert a.tolist() == [1, 1, 1] and x.tolist() == [9, 2, 2]


def test_the_tensor_never_writes_to_a_borrowed_array():
    a = np.zeros(3, dtype=np.float32)
    x = apus.from_numpy(a)
    a[0] = 4
    assert x.tolist() == [4, 0, 0]
    x += 1
    assert a.tolist() == [4, 0, 0] and x.tolist() == [5, 1, 1]


def test_what_was_computed_from_a_borrowed_array_stays():
    a = np.ones(100_000, dtype=np.float32)
    y = apus.from_numpy(a) * 2
    a[:] = 7
    assert y.sum().item() == 200_000


def test_layouts():
    a = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    for view in (a.T, a[:, ::2], a[::-1], a[..., 1], a[:0], a[None]):
        assert np.array_equal(apus.from_numpy(view).numpy(), view)
        assert np.array_equal(apus.tensor(view).numpy(), view)
    assert np.array_equal(np.asarray(apus.arange(6).view(2, 3).t()), np.arange(6).reshape(2, 3).T)
    read_only = np.arange(3)
    read_only.flags.writeable = False
    assert apus.from_numpy(read_only).tolist() == [0, 1, 2]


def test_the_array_outlives_the_tensor_and_the_other_way_round():
    x = apus.from_numpy(np.full(1000, 3.0))
    gc.collect()
    assert x.sum().item() == 3000
    a = apus.full((1000,), 2.0).numpy()
    gc.collect()
    assert a.sum() == 2000


def test_what_cannot_be_lent():
    x = apus.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match="detach"):
        x.numpy()
    with pytest.raises(RuntimeError):
        np.asarray(x)
    with pytest.raises((BufferError, TypeError)):
        memoryview(x)
    with pytest.raises(TypeError):
        apus.ones(2, dtype=apus.bfloat16).numpy()
    assert x.numpy(force=True).tolist() == [1, 1]
    for bad in (np.array([1j]), np.array(["a"]), np.array([object()]), np.zeros(2, np.uint16), np.zeros(2, ">f4")):
        with pytest.raises(TypeError):
            apus.from_numpy(bad)
    with pytest.raises(TypeError):
        apus.from_numpy([1, 2])


def test_array_protocol():
    x = apus.tensor([1.5, 2.5])
    assert x.__array__().dtype == np.float32 and x.__array__(np.float64).dtype == np.float64
    copy = np.array(x)
    copy[0] = 9
    assert x.tolist() == [1.5, 2.5]
    assert np.array(x, dtype=np.int64).tolist() == [1, 2]
    with pytest.raises(ValueError):
        x.__array__(np.float64, copy=False)


def test_arithmetic_with_arrays():
    x, a = apus.ones(3), np.arange(3, dtype=np.float32)
    for result in (x + a, a + x, x * a + 1, x - np.float32(1), np.float64(2) * x):
        assert isinstance(result, apus.Tensor)
    assert (a - x).tolist() == [-1, 0, 1]
    assert np.sin(x).dtype == np.float32


def test_other_buffers():
    assert apus.tensor(array.array("f", [1, 2])).tolist() == [1, 2]
    assert apus.as_tensor(memoryview(b"ab")).tolist() == [97, 98]
    assert bytes(memoryview(apus.tensor([1, 2], dtype=apus.uint8))) == b"\x01\x02"
    assert apus.frombuffer(b"\x01\x00\x02\x00", dtype=apus.int16).tolist() == [1, 2]


def test_dlpack_with_numpy():
    x = apus.arange(6).view(2, 3)
    a = np.from_dlpack(x)
    assert a.ctypes.data == x.data_ptr() and not a.flags.writeable and a.tolist() == x.tolist()
    b = np.arange(4.0)
    y = apus.from_dlpack(b)
    b[0] = 9
    assert y.tolist() == [9, 1, 2, 3] and y.data_ptr() == b.ctypes.data
    assert np.array_equal(np.from_dlpack(x.t()), x.t().numpy())


@pytest.mark.skipif(torch is None, reason="PyTorch is not installed")
@pytest.mark.filterwarnings("ignore")
def test_dlpack_with_pytorch():
    x = apus.arange(6, dtype=apus.float32).view(2, 3)
    t = torch.from_dlpack(x)
    assert t.data_ptr() == x.data_ptr() and t.tolist() == x.tolist()
    s = torch.ones(3)
    y = apus.from_dlpack(s)
    s[0] = 5
    assert y.tolist() == [5, 1, 1] and y.data_ptr() == s.data_ptr()
    y += 1
    assert s.tolist() == [5, 1, 1]
    assert apus.from_dlpack(torch.ones(2, dtype=torch.bfloat16)).dtype is apus.bfloat16
    assert apus.from_dlpack(torch.arange(6).view(2, 3).t()).tolist() == [[0, 3], [1, 4], [2, 5]]


def test_dlpack_capsules_are_used_once():
    x = apus.ones(2)
    capsule = x.__dlpack__()
    assert apus.from_dlpack(capsule).tolist() == [1, 1]
    with pytest.raises(BufferError):
        apus.from_dlpack(capsule)
    x.__dlpack__(max_version=(1, 0))  # never used: freed with the capsule
    assert x.__dlpack_device__() == (1, 0)
    with pytest.raises(BufferError):
        x.__dlpack__(dl_device=(2, 0))
    with pytest.raises(BufferError):
        apus.ones(2, requires_grad=True).__dlpack__()


def _resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096


def test_exchange_leaks_nothing():
    pytest.importorskip("resource")
    a, x = np.zeros(1000, dtype=np.float32), apus.zeros(1000)

    def rounds(count):
        for _ in range(count):
            apus.from_numpy(a)
            x.numpy()
            apus.from_dlpack(a)
            np.from_dlpack(x)
            apus.from_dlpack(x)

    rounds(2000)
    try:
        before = _resident()
    except OSError:
        pytest.skip("there is no /proc")
    rounds(20_000)
    assert _resident() - before < 4_000_000
