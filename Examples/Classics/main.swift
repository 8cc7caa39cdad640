// The numbers that teaching frameworks publish, run again: a table, what they say beside what comes out here.
//
//     swift run -c release Classics            # with real MNIST: minutes
//     swift run -c release Classics --quick    # a small part of each, with digits that Apus draws: seconds, and smaller claims
//
// The perceptrons learn from 50,000 digits for five epochs: SGD with a step of 0.01, batches of 100. Nothing but the training loop is timed.

import Apus
import Foundation

let isQuick = CommandLine.arguments.contains("--quick")
manualSeed(0)

struct Digits: Sendable {
  let train: TensorDataset
  let test: TensorDataset

  init(isQuick: Bool) throws {
    func tensors(_ data: ImageDataset, _ count: Int) -> TensorDataset {
      let all = data.batch(at: Array(0..<count))
      return TensorDataset(input: all.input.flatten(startDim: 1), target: all.target)
    }
    train = tensors(
      isQuick ? SyntheticDigits.load(.train, count: 5_000) : try MNIST.load(.train), isQuick ? 5_000 : 50_000)
    test = tensors(isQuick ? SyntheticDigits.load(.test, count: 1_000) : try MNIST.load(.test), isQuick ? 1_000 : 10_000)
  }
}

/// Seconds for five epochs, and percent of the test digits right after them.
func perceptron(_ digits: Digits, hidden: [Int], _ activation: () -> any Layer) -> (seconds: Double, accuracy: Double) {
  let sizes = [784] + hidden
  // The published programs start from a normal distribution with deviation 1/√inputs, and no biases.
  func linear(_ inputs: Int, _ outputs: Int) -> Linear {
    let layer = Linear(inputs, outputs)
    layer.weight = Init.normal([outputs, inputs], std: 1 / Double(inputs).squareRoot())
    layer.bias = Tensor.zeros([outputs])
    return layer
  }
  let model = Sequential(
    zip(sizes, hidden).flatMap { [linear($0, $1), activation()] as [any Layer] } + [linear(hidden[hidden.count - 1], 10)])
  let optimizer = SGD(model.parameters(), lr: 0.01)
  let loader = DataLoader(digits.train, batchSize: 100, shuffle: true, seed: 1)
  let start = ContinuousClock.now
  for _ in 1...5 {
    for batch in loader {
      optimizer.zeroGrad()
      crossEntropy(model(batch.input), batch.target).backward()
      optimizer.step()
    }
  }
  let seconds = (ContinuousClock.now - start) / .seconds(1)
  let right = noGrad { correctClasses(model(digits.test.input), digits.test.target) }
  return (seconds, 100 * Double(right) / Double(digits.test.count))
}

/// The share of unseen points of three spirals that 2-10-3 gets right after 300 epochs.
func spiral(epochs: Int) -> Double {
  let (train, test) = (ToySets.spiral(300, noise: 0.2, seed: 1), ToySets.spiral(300, noise: 0.2, seed: 2))
  let model = Sequential([Linear(2, 10), Sigmoid(), Linear(10, 3)])
  let optimizer = SGD(model.parameters(), lr: 1)
  let loader = DataLoader(train, batchSize: 30, shuffle: true, seed: 1)
  for _ in 0..<epochs {
    for batch in loader {
      optimizer.zeroGrad()
      crossEntropy(model(batch.input), batch.target).backward()
      optimizer.step()
    }
  }
  return Double(noGrad { correctClasses(model(test.input), test.target) }) / 300
}

/// A recurrent layer and a linear one, in one shape for both kinds: the states come in and go out as an array.
final class Recurrent: Module {
  let rnn: RNN?
  let lstm: LSTM?
  let head = Linear(100, 1)

  init(isLSTM: Bool) {
    rnn = isLSTM ? nil : RNN(1, 100)
    lstm = isLSTM ? LSTM(1, 100) : nil
  }

  func callAsFunction(_ x: Tensor, _ states: [Tensor]) -> (y: Tensor, states: [Tensor]) {
    if let lstm {
      let (y, state) = lstm(x, states.isEmpty ? nil : (states[0], states[1]))
      return (head(y), [state.h, state.c])
    }
    let (y, h) = rnn!(x, states.first)
    return (head(y), [h])
  }
}

/// The mean squared error of the next value of a noisy sine, in the last of `epochs`; the gradient goes back 30 steps.
///
/// - Parameter streams: parts of the curve that are gone through side by side.
func sine(isLSTM: Bool, streams: Int, epochs: Int) -> Double {
  let noise = 0.1 * Tensor.rand([1000]) - 0.05
  let curve = Tensor.linspace(0, 2 * Double.pi, 1000).sin() + noise
  let starts = Tensor.arange(0, streams) * (999 / streams)
  let model = Recurrent(isLSTM: isLSTM)
  let optimizer = Adam(model.parameters(), lr: 1e-3)
  var mean = 0.0
  for _ in 0..<epochs {
    var (states, total) = ([] as [Tensor], 0.0)
    for step in stride(from: 0, to: 990, by: 30) {
      let places = (Tensor.arange(step, step + 30).unsqueeze(dim: 1) + starts).remainder(999)  // [30, streams]
      let (x, target) = (curve[places].unsqueeze(dim: 2), curve[places + 1].unsqueeze(dim: 2))
      let (y, next) = model(x, states)
      states = next.map { $0.detach() }
      let loss = mseLoss(y, target)
      optimizer.zeroGrad()
      (30 * loss).backward()  // the published programs add up the steps
      optimizer.step()
      total += loss.item()
    }
    mean = total / 33
  }
  return mean
}

func row(_ what: String, _ published: String, _ ours: String) { print("| \(what) | \(published) | \(ours) |") }
func rounded(_ x: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", x) }

print("| what | published | here |\n| --- | --- | --- |")
let digits = try Digits(isQuick: isQuick)
let small = perceptron(digits, hidden: isQuick ? [100] : [1000], ReLU.init)
row("784-1000-10, ReLU", "21.3 s Rust, 35.7 s NumPy, 17.6 s TensorFlow", "\(rounded(small.seconds, 1)) s")
row("the same: test digits right", "91 – 92 %", "\(rounded(small.accuracy, 1)) %")
let large = perceptron(digits, hidden: isQuick ? [100, 100] : [1000, 1000], ReLU.init)
row("784-1000-1000-10, ReLU", "49.2 s Rust, 76.7 s NumPy, 35.4 s TensorFlow", "\(rounded(large.seconds, 1)) s")
let sigmoid = perceptron(digits, hidden: isQuick ? [100] : [1000], Sigmoid.init)
row("784-1000-10, sigmoid: test digits right", "86 – 88 %", "\(rounded(sigmoid.accuracy, 1)) %")
row("spiral, 2-10-3: share of points right", "0.96", rounded(spiral(epochs: isQuick ? 100 : 300), 2))
row(
  "sine, RNN of 100 units: loss after 100 epochs", "about 0.004",
  rounded(sine(isLSTM: false, streams: 1, epochs: isQuick ? 20 : 100), 4))
row(
  "sine, LSTM of 100 units, 30 streams: loss after 100 epochs", "about 0.009",
  rounded(sine(isLSTM: true, streams: 30, epochs: isQuick ? 20 : 100), 4))
