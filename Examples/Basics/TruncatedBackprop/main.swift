// Truncated back-propagation: learning from a sequence without end.
//
// A hidden teacher smooths a noisy signal u with the recurrence h ← a h + (1 − a) u. The student runs the same recurrence with its own a
// and learns it from the stream. The graph behind h would reach back to the first step, and grow for ever: `unchain()` cuts it
// every 20 steps and keeps the value of h, so a gradient looks at most 20 steps back and memory stays as it is.

import Apus

let generator = Generator(seed: 1)
let teacher = 0.9
var a = Tensor(0.5, requiresGrad: true)
var (target, state) = (Tensor(0.0), Tensor(0.0))
var loss = Tensor(0.0)
var memoryAfterCut: [Int] = []

for step in 1...4000 {
  let signal = Tensor.randn([], generator: generator)
  target = teacher * target + (1 - teacher) * signal
  state = a * state + (1 - a) * signal
  loss += (state - target).square()
  if step % 20 == 0 {
    loss.backward()
    noGrad { a -= 0.02 * a.grad! }
    a.grad = nil
    state.unchain()
    loss = Tensor(0.0)
    memoryAfterCut.append(Memory.inUse)
  }
  if step % 1000 == 0 { print("step \(step): a = \(a.item(as: Float.self))") }
}
print("memory has grown since step 40: \(memoryAfterCut.last! > memoryAfterCut[1])")

// Prints:
// step 1000: a = 0.9011034
// step 2000: a = 0.9
// step 3000: a = 0.9
// step 4000: a = 0.9
// memory has grown since step 40: false
