import ApusCore
import ApusData
import ApusOptim

/// Shows a bar while a pass runs and leaves one line per epoch.
///
/// ```
/// epoch 1/5  loss 0.3412  accuracy 90.12 %  test loss 0.1823  test accuracy 94.71 %  1.32 s
/// ```
public final class ProgressReport: TrainingCallback {
  private let terminal: Terminal
  private let clock: (() -> Double)?
  private var bar: ProgressBar?
  private var trained: PassResult?

  /// - Parameter clock: for tests; see `ProgressBar`.
  public init(on terminal: Terminal = .standardError, clock: (() -> Double)? = nil) {
    self.terminal = terminal
    self.clock = clock
  }

  public func passBegan(_ pass: Pass) {
    let name = pass.split == .train ? "" : " test"
    bar = ProgressBar("epoch \(pass.epoch)/\(pass.epochCount)\(name)", total: pass.batchCount, on: terminal, clock: clock)
  }

  public func batchEnded(_ result: BatchResult) {
    bar?.update(result.batch, note: "loss=\(short(result.meanLoss))")
  }

  public func passEnded(_ result: PassResult) {
    if result.pass.split == .train, result.isComplete {
      bar?.clear()
      trained = result
      return
    }
    let parts = [trained, result].compactMap(\.self).map(Self.text)
    let time = duration((trained?.seconds ?? 0) + result.seconds)
    let rest = result.isComplete ? "" : "  (stopped after batch \(result.batchCount) of \(result.pass.batchCount))"
    bar?.finish("epoch \(result.pass.epoch)/\(result.pass.epochCount)  \(parts.joined(separator: "  "))  \(time)\(rest)")
    (bar, trained) = (nil, nil)
  }

  /// Takes the bar away, where the run ended in the middle of a pass.
  public func clear() {
    bar?.clear()
    // An evaluation that was stopped leaves the line of the training before it.
    if let trained {
      let epoch = "epoch \(trained.pass.epoch)/\(trained.pass.epochCount)"
      terminal.line("\(epoch)  \(Self.text(trained))  \(duration(trained.seconds))")
    }
    (bar, trained) = (nil, nil)
  }

  private static func text(_ result: PassResult) -> String {
    let name = result.pass.split == .train ? "" : "test "
    let accuracy = result.accuracy.map { "  \(name)accuracy \(percent($0))" } ?? ""
    return "\(name)loss \(short(result.loss))\(accuracy)"
  }
}

/// Writes one line of `metrics.jsonl` per pass:
///
/// ```
/// {"epoch": 1, "split": "train", "loss": 0.3412, "accuracy": 0.9012, "samples": 60000, "seconds": 1.21, "waited": 0.01}
/// ```
///
/// A training pass that was stopped has `"complete": false` besides.
public final class MetricsWriter: TrainingCallback {
  private let log: MetricsLog

  public init(_ log: MetricsLog) { self.log = log }

  /// Writes what a run that is resumed has done before.
  public func replay(_ history: [PassResult]) { for result in history { passEnded(result) } }

  public func passEnded(_ result: PassResult) {
    var pairs: [(key: String, value: JSON)] = [
      ("epoch", .integer(result.pass.epoch)), ("split", .string(result.pass.split.rawValue)), ("loss", .number(result.loss)),
    ]
    pairs += result.metrics.map { (key: $0.name, value: .number($0.value)) }
    pairs.append(("samples", .integer(result.sampleCount)))
    if !result.isComplete { pairs.append(("complete", false)) }
    for (name, seconds) in [("seconds", result.seconds), ("waited", result.secondsWaited)] {
      pairs.append((name, .number((seconds * 1e4).rounded() / 1e4)))
    }
    log.append(.object(pairs))
  }
}

/// Remembers the losses: of every training batch, and of every test. Where there are several objectives, those of each.
public final class LossRecorder: ResumableCallback {
  private var train = (epochs: [Double](), losses: [Double]())
  private var test = (epochs: [Double](), losses: [Double]())
  /// Of each of several objectives, as many as there are training batches.
  private var parts: [(name: String, losses: [Double])] = []
  public let checkpointKey = "losses"

  public init() {}

  public func batchEnded(_ result: BatchResult) {
    guard result.pass.split == .train else { return }
    if train.losses.isEmpty { parts = result.losses.map { ($0.name, []) } }
    train.epochs.append(result.position)
    train.losses.append(result.loss)
    for (i, loss) in result.losses.enumerated() where i < parts.count { parts[i].losses.append(loss.value) }
  }

  public func passEnded(_ result: PassResult) {
    guard result.pass.split == .test else { return }
    test.epochs.append(Double(result.pass.epoch))
    test.losses.append(result.loss)
  }

  /// The losses of the training batches, in order.
  public var trainLosses: [Double] { train.losses }

  public func curve(title: String) -> LineChart {
    if !parts.isEmpty {
      return LineChart(
        title: title,
        series: parts.map { .init(name: $0.name.replacing("_loss", with: ""), x: train.epochs, y: $0.losses) })
    }
    return LineChart(
      title: title,
      series: [
        .init(name: "train", x: train.epochs, y: train.losses), .init(name: "test", x: test.epochs, y: test.losses),
      ])
  }
}

extension LossRecorder {
  public func stateDict() -> OptimizerState {
    func table(_ line: (epochs: [Double], losses: [Double])) -> Tensor {
      Tensor(scalars: line.epochs + line.losses, shape: [2, line.epochs.count], dtype: .float64)
    }
    var state = OptimizerState(tensors: ["train": table(train), "test": table(test)])
    for part in parts {
      state.tensors["objectives." + part.name] = Tensor(scalars: part.losses, shape: [part.losses.count], dtype: .float64)
    }
    return state
  }

  public func loadStateDict(_ state: OptimizerState) throws {
    func line(_ name: String) throws -> (epochs: [Double], losses: [Double]) {
      guard let table = state.tensors[name], table.rank == 2, table.shape[0] == 2 else {
        throw TrainingError.otherRun("the losses of its '\(name)' passes are missing")
      }
      let numbers = table.scalars(as: Double.self)
      return (Array(numbers.prefix(table.shape[1])), Array(numbers.dropFirst(table.shape[1])))
    }
    let saved = state.tensors.filter { $0.name.hasPrefix("objectives.") }
    (train, test) = (try line("train"), try line("test"))
    parts = saved.map { (String($0.name.dropFirst("objectives.".count)), $0.tensor.scalars(as: Double.self)) }
  }
}
