// A layer of your own: a residual perceptron with a learned gate.
//
// y = x + g · tanh(W x + b), where the gate g starts at 0: a new layer changes nothing until it has learned to (as in ReZero; Bachlechner et al.
// 2020), so many of them can be stacked.

import Apus

final class GatedResidual: Module, Layer {
  @Parameter var gate: Tensor  // []
  let linear: Linear

  init(_ features: Int) {
    gate = Tensor(0.0)
    linear = Linear(features, features)
  }

  /// `[…, features]` to the same.
  func forward(_ x: Tensor) -> Tensor { x + gate * linear(x).tanh() }

  override var arguments: String { "\(linear.inFeatures)" }
}

manualSeed(1)
let layer = GatedResidual(2)
print(layer)
for (name, cell) in layer.namedParameters() { print(name, cell.shape) }

let x = Tensor([[1.0, 2], [3, 4]])
print("at first the layer changes nothing: \((layer(x) .== x).all().item(as: Bool.self))")

// Eight of them, in a network that learns a spiral.
let model = Sequential {
  Linear(2, 16)
  for _ in 0..<8 { GatedResidual(16) }
  Linear(16, 3)
}
let (train, test) = (ToySets.spiral(600, noise: 0.1, seed: 1), ToySets.spiral(300, noise: 0.1, seed: 2))
let optimizer = Adam(model.parameters(), lr: 1e-2)
let loader = DataLoader(train, batchSize: 50, shuffle: true, seed: 1)
for _ in 0..<40 {
  for batch in loader {
    optimizer.zeroGrad()
    crossEntropy(model(batch.input), batch.target).backward()
    optimizer.step()
  }
}
let right = noGrad { correctClasses(model(test.input), test.target) }
print("after training, \(right) of 300 points are right")

// The parameters have names, so the network can be saved and loaded.
print("keys of one layer: \(model.stateDict().names.filter { $0.hasPrefix("1.") }.joined(separator: ", "))")

// Prints:
// GatedResidual(
//   2
//   (linear): Linear(in: 2, out: 2, bias: true)
// )
// gate []
// linear.weight [2, 2]
// linear.bias [2]
// at first the layer changes nothing: true
// after training, 297 of 300 points are right
// keys of one layer: 1.gate, 1.linear.weight, 1.linear.bias
