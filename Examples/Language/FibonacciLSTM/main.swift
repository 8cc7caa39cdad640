// An LSTM learns a rule from examples: each digit is the last digit of the sum of the two before it.
//
// 2 5 7 2 9 1 0 1 1 2 …: it sees sequences of twelve digits and learns to say what comes next. For that it has to carry the previous digit in
// its state and to know its tables by heart. Then it gets two digits and goes on by itself for a hundred, reading what it wrote:
// one mistake, and all that follows is wrong.

import Apus

manualSeed(1)

/// A sequence by the rule.
func fibonacci(_ a: Int, _ b: Int, count: Int) -> [Int] {
  var digits = [a, b]
  while digits.count < count { digits.append((digits[digits.count - 2] + digits[digits.count - 1]) % 10) }
  return digits
}

final class DigitModel: Module {
  let embedding = Embedding(10, 16)
  let lstm = LSTM(16, 64, batchFirst: true)
  let head = Linear(64, 10)

  func callAsFunction(_ ids: Tensor, _ state: (h: Tensor, c: Tensor)? = nil) -> (
    logits: Tensor, state: (h: Tensor, c: Tensor)
  ) {
    let (y, state) = lstm(embedding(ids), state)
    return (head(y), state)
  }
}

let model = DigitModel()
let optimizer = Adam(model.parameters(), lr: 1e-2)
let schedule = CosineAnnealingLR(optimizer, tMax: 400)
let sequences = Tensor((0..<100).map { fibonacci($0 / 10, $0 % 10, count: 13) })  // [100, 13]: all that begin differently
for step in 1...400 {
  let (logits, _) = model(sequences[0..<100, 0..<12])
  // The second digit follows from nothing; it is not asked for.
  let loss = crossEntropy(logits[0..<100, 1..<12].flatten(startDim: 0, endDim: 1), sequences[0..<100, 2..<13].flatten())
  optimizer.zeroGrad()
  loss.backward()
  optimizer.step()
  schedule.step()
  if step % 100 == 0 { print("step \(step): loss \(loss.item(as: Float.self))") }
}

/// Two digits, and what the model makes of them.
func continued(_ model: DigitModel, _ a: Int, _ b: Int, count: Int) -> [Int] {
  var (digits, input, state) = ([a, b], [a, b], nil as (h: Tensor, c: Tensor)?)
  while digits.count < count {
    let (logits, next) = noGrad { model(Tensor([input]), state) }
    state = next
    input = [logits[0, -1].argmax().item(as: Int.self)]
    digits += input
  }
  return digits
}

print("1 1 goes on: \(continued(model, 1, 1, count: 16).map(String.init).joined(separator: " "))")
let right = (0..<100).count { continued(model, $0 / 10, $0 % 10, count: 100) == fibonacci($0 / 10, $0 % 10, count: 100) }
print("\(right) of 100 sequences are right for 100 digits")

// Prints:
// step 100: loss 0.008242182
// step 200: loss 0.002929819
// step 300: loss 0.002108859
// step 400: loss 0.0020003947
// 1 1 goes on: 1 1 2 3 5 8 3 1 4 5 9 4 3 7 0 7
// 100 of 100 sequences are right for 100 digits
