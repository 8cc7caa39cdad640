// A line through noisy points, by gradient descent: the smallest program that learns.
//
// 100 points y = 5 + 2x + noise. The mean squared error is a bowl over the two parameters; walking downhill along the negative gradient
// ends at its bottom, which for this model can also be computed directly (least squares): the two must agree.

import Apus

let generator = Generator(seed: 0)
let x = Tensor.rand([100, 1], generator: generator)
let y = 5 + 2 * x + 0.1 * Tensor.randn([100, 1], generator: generator)

var slope = Tensor.zeros([1, 1], requiresGrad: true)
var intercept = Tensor.zeros([1], requiresGrad: true)

for step in 0...2000 {
  let loss = mseLoss(x.matmul(slope) + intercept, y)
  if step % 500 == 0 { print("step \(step): loss \(loss.item(as: Float.self))") }
  loss.backward()
  noGrad {
    slope -= 0.1 * slope.grad!
    intercept -= 0.1 * intercept.grad!
  }
  (slope.grad, intercept.grad) = (nil, nil)
}
print("y = \(intercept.item(as: Float.self)) + \(slope.item(as: Float.self)) x")

// Least squares: the slope is the covariance of x and y over the variance of x.
let (dx, dy) = (x - x.mean(), y - y.mean())
let bestSlope = (dx * dy).sum() / dx.square().sum()
let bestIntercept = y.mean() - bestSlope * x.mean()
print("least squares: y = \(bestIntercept.item(as: Float.self)) + \(bestSlope.item(as: Float.self)) x")

// Prints:
// step 0: loss 37.05641
// step 500: loss 0.009632676
// step 1000: loss 0.009632636
// step 1500: loss 0.009632636
// step 2000: loss 0.009632636
// y = 4.9777174 + 2.0308728 x
// least squares: y = 4.977726 + 2.0308602 x
