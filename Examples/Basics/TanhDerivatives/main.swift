// Derivatives of any order: tanh and its first eight derivatives at 1.
//
// A rule is written with tensor ops, so the backward pass is a computation like any other: recorded with `createGraph: true`, its
// result has a graph of its own and can be differentiated again. The graph grows with every order (`DrawGraph` shows how), and so do
// the numbers.

import Apus

let x = Tensor(1.0, dtype: .float64, requiresGrad: true)
var y = x.tanh()
print("tanh(1) = \(y.item())")
for order in 1...8 {
  y = grad(of: y, withRespectTo: [x], createGraph: true)[0]
  print("order \(order): \(y.item())")
}

// Prints:
// tanh(1) = 0.7615941559557649
// order 1: 0.41997434161402614
// order 2: -0.6397000084492246
// order 3: 0.6216266807712961
// order 4: 0.6650910447505025
// order 5: -5.556893558473722
// order 6: 13.624075441312101
// order 7: 12.28836789432041
// order 8: -277.062135603031
