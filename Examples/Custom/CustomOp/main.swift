// An op of your own is a function over tensors. Its gradient comes by itself, of any order.
//
// This one is attention's softmax with a sink (the denominator has a 1 more, so that attending to nothing is possible). It is stable, it takes any
// axis, and it was not necessary to say how to differentiate it. Only where the gradient of the formula is bad (`CustomFunction`), or a
// benchmark asks for a kernel (CONTRIBUTING.md), there is more to write.

import Apus

/// exp(x) / (1 + Σ exp(x)) along `dim`; stable, since the largest exponent is 0.
func softmaxWithSink(_ x: Tensor, dim: Int = -1) -> Tensor {
  let shift = x.detach().amax(dims: [dim], keepDim: true).relu()  // max(x, 0): the sink counts as one more element, 0
  let e = (x - shift).exp()
  return e / ((-shift).exp() + e.sum(dim: dim, keepDim: true))
}

print(softmaxWithSink(Tensor([1.0, 2, 3])))
print("nothing to attend to: \(softmaxWithSink(Tensor([-50.0, -60, -70])).sum().item() < 1e-20)")
print("no overflow: \(softmaxWithSink(Tensor([1000.0, 1001, 1002])))")

// The same as an ordinary softmax with a 0 in front, without that element.
let x = Tensor.randn([4, 5], generator: Generator(seed: 1))
let twin = cat([Tensor.zeros([4, 1]), x], dim: 1).softmax(dim: 1).narrow(dim: 1, start: 1, count: 5)
print("its readable twin agrees: \((softmaxWithSink(x) - twin).abs().amax().item() < 1e-6)")

let points = Tensor.randn([2, 3], dtype: .float64, generator: Generator(seed: 2))
try gradientCheck([points], order: 2) { softmaxWithSink($0[0]) }
print("first and second derivatives agree with central differences")

// Prints:
// tensor([0.0871, 0.2369, 0.6439])
// nothing to attend to: true
// no overflow: tensor([0.0900, 0.2447, 0.6652])
// its readable twin agrees: true
// first and second derivatives agree with central differences
