// Double back-propagation: a loss that contains a gradient.
//
// With y = x², let z = (dy/dx)³ + y, as losses do that punish steep slopes (the gradient penalty of WGAN-GP is one). By hand:
// dy/dx = 2x, so z = 8x³ + x² and dz/dx = 24x² + 2x, which is 100 at x = 2.

import Apus

let x = Tensor(2.0, dtype: .float64, requiresGrad: true)
let y = x.square()

// The gradient itself is recorded, so z depends on x through y and through dy/dx.
let slope = grad(of: y, withRespectTo: [x], createGraph: true)[0]
let z = slope.pow(3) + y
z.backward()

print("dy/dx = \(slope.item())")
print("z = \(z.item())")
print("dz/dx = \(x.grad!.item())")

// Prints:
// dy/dx = 4.0
// z = 68.0
// dz/dx = 100.0
