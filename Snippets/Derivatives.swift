// Derivatives of derivatives.

import Apus

let x = Tensor(2.0, requiresGrad: true)
let y = x.pow(3)
let first = grad(of: y, withRespectTo: [x], createGraph: true)[0]
let second = grad(of: first, withRespectTo: [x], createGraph: true)[0]
print(first.item(), second.item())  // 3x² = 12 and 6x = 12

(first * second).backward()  // 18x³, whose derivative is 54x² = 216
print(x.grad!.item())

// Prints:
// 12.0 12.0
// 216.0
