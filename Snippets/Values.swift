// Tensors are values.

import Apus

var a = Tensor([[1.0, 2, 3], [4, 5, 6]])
let b = a  // free: the two share memory until one of them is written to
a[0, 1...] = 0  // changes a and nothing else
print(a)
print(b[0])
print(b[.all, 1].sum(), b.mean(dim: 0), b.shape, b.dtype)

// Prints:
// tensor([[1., 0., 0.],
//         [4., 5., 6.]])
// tensor([1., 2., 3.])
// tensor(7.) tensor([2.5000, 3.5000, 4.5000]) [2, 3] float32
