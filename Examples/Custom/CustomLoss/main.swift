// A loss of your own is a function: the log-cosh loss, for data with outliers.
//
// ln cosh(e) is e²/2 for a small error e and |e| − ln 2 for a large one: smooth like the squared error, and no single point can pull with more
// than its hand. The line below is fitted to 50 points of which five are wrong by 20.

import Apus

/// The mean of ln cosh(x − target).
///
/// ln cosh e = |e| + ln(1 + e^(−2|e|)) − ln 2: the exponent is never positive, so nothing overflows.
func logCoshLoss(_ x: Tensor, _ target: Tensor) -> Tensor {
  let error = (x - target).abs()
  return (error + (-2 * error).exp().log1p() - 0.6931471805599453).mean()
}

let points = Tensor.linspace(-2, 2, 9, dtype: .float64)
try gradientCheck([points], order: 2) { logCoshLoss($0[0], Tensor.full([9], 0.3, dtype: .float64)) }
print("its gradient, and the gradient of that, agree with differences")
print("an error of 1000 costs \(logCoshLoss(Tensor([1000.0]), Tensor([0.0])).item())")

let x = Tensor.linspace(0, 1, 50).reshape(50, 1)
let isWrong = (Tensor.arange(0, 50) .< 5).reshape(50, 1)
let y = 1 + 3 * x + 0.1 * Tensor.randn([50, 1], generator: Generator(seed: 1)) + 20 * isWrong.to(.float32)

/// The slope of the line that has the smallest loss.
func slope(_ loss: (Tensor, Tensor) -> Tensor) -> Float {
  let line = Linear(1, 1, generator: Generator(seed: 1))
  let optimizer = Adam(line.parameters(), lr: 0.05)
  for _ in 0..<2000 {
    optimizer.zeroGrad()
    loss(line(x), y).backward()
    optimizer.step()
  }
  return line.weight.item(as: Float.self)
}
print("slope with squared errors: \(slope { mseLoss($0, $1) })")
print("slope with log-cosh:       \(slope(logCoshLoss)); without the outliers it would be 3")

// Prints:
// its gradient, and the gradient of that, agree with differences
// an error of 1000 costs 999.3068237304688
// slope with squared errors: -7.5734115
// slope with log-cosh:       2.1634047; without the outliers it would be 3
