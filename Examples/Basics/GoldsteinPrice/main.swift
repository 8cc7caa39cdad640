// The gradient of a function that nobody wants to differentiate by hand.
//
// Goldstein and Price's test function for optimizers: two polynomials of degree four, multiplied. `backward()` walks from the result
// to the leaves x and y and leaves dz/dx and dz/dy in their `grad`. Everything here is a whole number, so the result is exact.

import Apus

func goldsteinPrice(_ x: Tensor, _ y: Tensor) -> Tensor {
  let a = x + y + 1
  let b = 19 - 14 * x + 3 * x.square() - 14 * y + 6 * x * y + 3 * y.square()
  let c = 2 * x - 3 * y
  let d = 18 - 32 * x + 12 * x.square() + 48 * y - 36 * x * y + 27 * y.square()
  return (1 + a.square() * b) * (30 + c.square() * d)
}

let x = Tensor(1.0, dtype: .float64, requiresGrad: true)
let y = Tensor(1.0, dtype: .float64, requiresGrad: true)
let z = goldsteinPrice(x, y)
z.backward()
print("z = \(z.item())")
print("dz/dx = \(x.grad!.item())")
print("dz/dy = \(y.grad!.item())")

// The same at the function's smallest value, 3 at (0, −1): the ground is level there.
let lowest = [0.0, -1.0].map { Tensor($0, dtype: .float64, requiresGrad: true) }
let smallest = goldsteinPrice(lowest[0], lowest[1])
let slopes = grad(of: smallest, withRespectTo: lowest)
print("smallest: \(smallest.item()), gradient (\(slopes[0].item()), \(slopes[1].item()))")

// Prints:
// z = 1876.0
// dz/dx = -5376.0
// dz/dy = 8064.0
// smallest: 3.0, gradient (0.0, 0.0)
