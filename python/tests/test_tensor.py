"""Tensors: making, printing, converting, changing."""

import copy
import gc
import pickle
import weakref

import pytest

import apus


def test_making_tensors():
    assert apus.tensor([[1, 2], [3, 4]]).tolist() == [[1, 2], [3, 4]]
    assert apus.tensor([1.0]).dtype is apus.float32
    assert apus.tensor([1]).dtype is apus.int64
    assert apus.tensor([True]).dtype is apus.bool
    assert apus.tensor(3.5).shape == ()
    assert apus.tensor([]).shape == (0,)
    assert apus.tensor([[], []]).shape == (2, 0)
    assert apus.tensor([1, 2.5], dtype=apus.float64).dtype is apus.float64
    assert apus.tensor(range(3)).tolist() == [0, 1, 2]


@pytest.mark.parametrize("data", [[[1], [1, 2]], [[1, 2], 3], ["a"], "abc", None, object(), {1: 2}, [None], 1j, 2**80])
def test_what_is_no_tensor(data):
    with pytest.raises((TypeError, ValueError, OverflowError)):
        apus.tensor(data)


def test_sizes_by_position_or_as_a_sequence():
    assert apus.zeros(2, 3).shape == apus.zeros((2, 3)).shape == apus.zeros([2, 3]).shape == apus.zeros(size=(2, 3)).shape == (2, 3)
    assert apus.zeros(()).shape == ()
    x = apus.arange(6)
    assert x.view(2, 3).shape == x.view((2, 3)).shape == x.reshape(2, -1).shape == (2, 3)
    assert x.view(2, 3).permute(1, 0).shape == x.view(2, 3).permute((1, 0)).shape == (3, 2)


def test_printing():
    assert repr(apus.tensor([1.0, 2.5])) == "tensor([1.0000, 2.5000])"
    assert repr(apus.tensor([True, False])) == "tensor([ True, False])"
    assert repr(apus.tensor(3)) == "tensor(3)"
    assert repr(apus.tensor([1.0], dtype=apus.float64)) == "tensor([1.], dtype=apus.float64)"
    assert repr(apus.tensor([1.0], requires_grad=True)) == "tensor([1.], requires_grad=True)"
    assert repr(apus.zeros(0, 3)) == "tensor([], size=(0, 3))"
    assert "..." in repr(apus.zeros(2000))


def test_in_place_forms_change_the_object():
    x = apus.ones(3)
    y = x
    x += 1
    x.mul_(2)
    x[0] = 0
    assert y is x and x.tolist() == [0, 4, 4]
    assert x.zero_().tolist() == [0, 0, 0] and x.fill_(7).tolist() == [7, 7, 7]


def test_a_view_does_not_write_through():
    x = apus.zeros(2, 2)
    x[0].add_(1)
    assert x.sum().item() == 0
    x[0] += 1
    assert x.tolist() == [[1, 1], [0, 0]]


def test_in_place_keeps_shape_and_kind():
    with pytest.raises(apus.ShapeError):
        apus.ones(2).add_(apus.ones(3, 2))
    with pytest.raises(TypeError):
        apus.ones(2, dtype=apus.int64).add_(0.5)
    with pytest.raises(RuntimeError):
        apus.ones(2, requires_grad=True).add_(1)


def test_data_and_grad_reach_their_owner():
    x = apus.ones(2, requires_grad=True)
    x.data.add_(1)
    x.data -= 3
    assert x.tolist() == [-1, -1] and x.is_leaf and x.requires_grad
    (x * 2).sum().backward()
    assert x.grad is x.grad
    x.grad.zero_()
    assert x.grad.tolist() == [0, 0]
    x.grad = None
    assert x.grad is None


def test_copies_and_pickles():
    for x in (apus.arange(6).view(2, 3), apus.ones(2, dtype=apus.bfloat16), apus.tensor(True), apus.ones(2, requires_grad=True)):
        for made in (pickle.loads(pickle.dumps(x)), copy.deepcopy(x), copy.copy(x)):
            assert made is not x and made.dtype is x.dtype and made.requires_grad == x.requires_grad
            assert apus.equal(made, x)
    assert pickle.loads(pickle.dumps(apus.float16)) is apus.float16


def test_python_protocols():
    x = apus.tensor([[1, 2], [3, 4]])
    assert len(x) == 2 and [row.tolist() for row in x] == [[1, 2], [3, 4]]
    assert 3 in x and 5 not in x
    assert hash(x) == hash(x) and len({x, x.clone()}) == 2
    assert bool(apus.tensor(1)) and not apus.tensor([0.0])
    assert int(apus.tensor(3.7)) == 3 and float(apus.tensor(2)) == 2.0 and [10, 20][apus.tensor(1)] == 20
    assert f"{apus.tensor(3.14159):.2f}" == "3.14"
    with pytest.raises(RuntimeError):
        bool(x)
    with pytest.raises(TypeError):
        len(apus.tensor(1))
    with pytest.raises(TypeError):
        iter(apus.tensor(1))
    reference = weakref.ref(x)
    del x
    gc.collect()
    assert reference() is None


def test_errors_are_exceptions_with_the_librarys_text():
    with pytest.raises(apus.ShapeError, match="inner sizes 3 and 4 differ"):
        apus.ones(2, 3) @ apus.ones(4, 5)
    with pytest.raises(IndexError):
        apus.ones(2)[5]
    with pytest.raises(MemoryError):
        apus.zeros(2**39, 2**20)
    with pytest.raises(ValueError):
        apus.zeros(2**62)
    with pytest.raises(TypeError, match="unexpected keyword"):
        apus.ones(2).sum(dims=1)
    with pytest.raises(TypeError, match="missing"):
        apus.cat()


def test_limits_of_dtypes():
    for dtype in (apus.float32, apus.float64, apus.float16, apus.bfloat16):
        limits = apus.finfo(dtype)
        one, most = apus.ones(1, dtype=dtype), apus.tensor([limits.max], dtype=dtype)
        assert one + limits.eps > 1 and one + limits.eps / 4 == 1 and most.isfinite() and (most * 2).isinf() and limits.min == -limits.max
        assert most.item() == limits.max and limits.bits == 8 * dtype.itemsize and 0 < limits.tiny < limits.eps
    assert apus.finfo().dtype == "float32" and repr(apus.finfo(apus.float16)) == (
        "finfo(resolution=0.001, min=-65504, max=65504, eps=0.000976562, smallest_normal=6.10352e-05, tiny=6.10352e-05, dtype=float16)")
    assert (apus.iinfo(apus.int8).min, apus.iinfo(apus.int8).max, apus.iinfo(apus.uint8).max) == (-128, 127, 255)
    assert apus.iinfo(apus.int64).max == 2**63 - 1 and apus.iinfo(apus.int32).bits == 32
    for wrong in (lambda: apus.finfo(apus.int8), lambda: apus.iinfo(apus.float32), lambda: apus.iinfo(apus.bool)):
        with pytest.raises(TypeError):
            wrong()


def test_the_constructors_of_old():
    assert apus.Tensor(2, 3).shape == (2, 3) and apus.Tensor(4).shape == (4,) and apus.Tensor([2, 3]).tolist() == [2, 3]
    assert apus.Tensor().shape == (0,) and apus.Tensor(2, requires_grad=True).requires_grad
    assert apus.LongTensor([1, 2]).dtype is apus.int64 and apus.FloatTensor(2, 3).shape == (2, 3) and apus.BoolTensor([1, 0]).tolist() == [True, False]
    for wrong in (lambda: apus.Tensor(-1), lambda: apus.Tensor("a"), lambda: apus.Tensor(2, device="cuda")):
        with pytest.raises((ValueError, TypeError, RuntimeError)):
            wrong()


def test_named_results_print_and_pickle():
    top = apus.tensor([1.0, 3.0, 2.0]).topk(2)
    assert repr(top) == "apus.return_types.topk(\nvalues=tensor([3., 2.]),\nindices=tensor([1, 2]))"
    assert pickle.loads(pickle.dumps(top)).indices.tolist() == [1, 2]


def test_devices_that_programs_ask_for():
    device = apus.device("cuda" if apus.cuda.is_available() else "mps" if apus.backends.mps.is_available() else "cpu")
    assert apus.ones(2, device=device).to(device).device == device and apus.cuda.device_count() == 0
    for call in (apus.ones(2).cuda, apus.nn.Linear(1, 1).cuda):
        with pytest.raises(RuntimeError, match="not available"):
            call()


def test_integers_have_no_negative_powers():
    x = apus.tensor([1, 2])

    def change():
        y = apus.tensor([1, 2])
        y **= -1

    for wrong in (lambda: x**-1, lambda: apus.pow(x, -1), lambda: x.pow_(-2), change):
        with pytest.raises(ValueError, match="negative"):
            wrong()
    assert (x**-1.0).tolist() == [1, 0.5] and (x**apus.tensor(-1)).tolist() == [1, 0] and x.tolist() == [1, 2]
