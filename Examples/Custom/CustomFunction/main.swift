// An op of your own, with a gradient of your own, and the proof that it is right.
//
// `softplus(x) = ln(1 + eˣ)` overflows where eˣ does, and so does the derivative that follows from that formula. The function below
// computes it without overflow and states its derivative: the sigmoid. (Apus has it as `x.softplus()`.) `gradientCheck` compares the
// rule with central differences, first and second order.

import Apus

struct Softplus: DifferentiableFunction {
  /// max(x, 0) + ln(1 + e^−|x|): the exponent is never positive.
  func forward(_ x: [Tensor]) -> Tensor { x[0].relu() + (-x[0].abs()).exp().log1p() }

  /// Written with tensor ops, so it can be differentiated again.
  var rule: Rule { .fromInputs { dy, x in [dy * x[0].sigmoid()] } }
}

let softplus = Softplus()
let x = Tensor([-1.0, 0, 1, 100], requiresGrad: true)
let y = softplus(x)
y.sum().backward()
print("value:    \(y.detach())")
print("gradient: \(x.grad!)")

let naive = Tensor([100.0], requiresGrad: true)
(1 + naive.exp()).log().sum().backward()
print("the formula itself has a gradient at 100: \(naive.grad!.isFinite().item(as: Bool.self))")

let points = Tensor.linspace(-3, 3, 13, dtype: .float64).reshape(1, 13)
try gradientCheck([points], order: 2) { softplus($0[0]) }
print("first and second derivatives agree with central differences")

// What a wrong rule would say:
struct WrongSoftplus: DifferentiableFunction {
  func forward(_ x: [Tensor]) -> Tensor { Softplus().forward(x) }
  var rule: Rule { .fromInputs { dy, x in [dy * x[0].tanh()] } }
}
do {
  try gradientCheck([Tensor([0.0], dtype: .float64)]) { WrongSoftplus()($0[0]) }
} catch let mismatch as GradientMismatch {
  print("a wrong rule is found out: \(mismatch.analytic) instead of \(mismatch.numeric)")
}

// Prints:
// value:    tensor([  0.3133,   0.6931,   1.3133, 100.0000])
// gradient: tensor([0.2689, 0.5000, 0.7311, 1.0000])
// the formula itself has a gradient at 100: false
// first and second derivatives agree with central differences
// a wrong rule is found out: 0.0 instead of 0.5000000000143778
