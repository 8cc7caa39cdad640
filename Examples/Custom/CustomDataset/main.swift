// A data set of your own: a count and a sample for each index. The loader does the rest.
//
// Here the samples are made when they are asked for: sums such as "12+7", as tokens, with the result as the target. Sample i depends on i alone, so
// it does not matter which thread makes it, and when.

import Apus

struct Sums: Dataset {
  let count: Int
  let seed: UInt64

  subscript(index: Int) -> Example {
    let random = Generator(seed: seed, stream: UInt64(index) + 1)
    let (a, b) = (Int(random.uniform() * 100), Int(random.uniform() * 100))
    return Example(input: Tensor([Float(a), Float(b)]) / 100, target: Tensor([Float(a + b)]) / 100)
  }
}

let sums = Sums(count: 1000, seed: 1)
let first = sums[0]
print("sample 0: \(first.input) with target \(first.target)")

// Shuffled batches, made by two threads ahead of time; in the same order whatever happens.
let loader = DataLoader(sums, batchSize: 64, shuffle: true, seed: 1, workers: 2)
var shapes: [Shape] = []
for batch in loader { shapes.append(batch.input.shape) }
print("\(shapes.count) batches, the first of \(shapes[0]), the last of \(shapes[shapes.count - 1])")

// Parts of it are data sets as well.
let parts = sums.randomSplit(fractions: [0.8, 0.2], seed: 1)
print("split: \(parts[0].count) and \(parts[1].count)")

let model = Linear(2, 1, generator: Generator(seed: 1))
let optimizer = Adam(model.parameters(), lr: 0.02)
let trainLoader = DataLoader(parts[0], batchSize: 40, shuffle: true, seed: 1)
for _ in 0..<10 {
  for batch in trainLoader {
    optimizer.zeroGrad()
    mseLoss(model(batch.input), batch.target).backward()
    optimizer.step()
  }
}
let test = try parts[1].batch(at: Array(0..<parts[1].count))
let worst = noGrad { (model(test.input) - test.target).abs().amax() }
print("every sum is right to within a half: \(100 * worst.item() < 0.5)")

// Prints:
// sample 0: tensor([0.9000, 0.9800]) with target tensor([1.8800])
// 16 batches, the first of [64, 2], the last of [40, 2]
// split: 800 and 200
// every sum is right to within a half: true
