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
