// Automatic differentiation in forty lines: numbers instead of tensors, the same idea.
//
// A number remembers which numbers it was computed from and the derivative of that one step by each of them. Walking back from the
// result, every number hands its own derivative on, times the derivative of the step: the chain rule. The order matters: a number may
// hand on only when everything that used it has handed back. Here, as in Apus, that is decreasing order of age.

import Apus

final class Number {
  let value: Double
  /// What this was computed from, and d(this)/d(that).
  let steps: [(from: Number, derivative: Double)]
  let age: Int
  /// d(result)/d(this), after `backward`.
  var gradient = 0.0

  init(_ value: Double, _ steps: [(from: Number, derivative: Double)] = []) {
    self.value = value
    self.steps = steps
    age = (steps.map(\.from.age).max() ?? 0) + 1
  }

  static func + (a: Number, b: Number) -> Number { Number(a.value + b.value, [(a, 1), (b, 1)]) }
  static func * (a: Number, b: Number) -> Number { Number(a.value * b.value, [(a, b.value), (b, a.value)]) }
  func squared() -> Number { self * self }

  func backward() {
    gradient = 1
    var waiting = [self]
    while let next = waiting.indices.max(by: { waiting[$0].age < waiting[$1].age }) {
      let number = waiting.remove(at: next)
      for (from, derivative) in number.steps {
        from.gradient += number.gradient * derivative
        if !waiting.contains(where: { $0 === from }) { waiting.append(from) }
      }
    }
  }
}

// f(x, y) = (x y + x)² + y, at (2, 3): df/dx = 2 (x y + x)(y + 1) = 64, df/dy = 2 (x y + x) x + 1 = 33.
let (x, y) = (Number(2), Number(3))
let result = (x * y + x).squared() + y
result.backward()
print("by hand: \(result.value), gradient (\(x.gradient), \(y.gradient))")

let (u, v) = (Tensor(2.0, requiresGrad: true), Tensor(3.0, requiresGrad: true))
let same = (u * v + u).square() + v
same.backward()
print("by Apus: \(same.item()), gradient (\(u.grad!.item()), \(v.grad!.item()))")

// Prints:
// by hand: 67.0, gradient (64.0, 33.0)
// by Apus: 67.0, gradient (64.0, 33.0)
