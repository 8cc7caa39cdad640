import ApusCore
import ApusData
import ApusFormats
import Foundation

/// An event file that TensorBoard shows: `tensorboard --logdir runs`, one folder below it for each run.
///
/// ```swift
/// let board = try TensorBoardLog("runs/mnist/events")
/// board.scalar("loss/train", 0.25, step: 100)
/// board.histogram("layer1.weight", w, step: 100)
/// board.image("samples", pictureGrid(samples), step: 100)
/// ```
///
/// Written without TensorFlow or a Protocol Buffers library. Events are on the disk's side of the system call when a method returns;
/// where the disk is full they are kept and tried again, as in `MetricsLog`.
public final class TensorBoardLog {
  private let file: EventFile
  private let clock: () -> Double

  /// Starts a file in `folder`, which is made where it is missing.
  ///
  /// - Parameters:
  ///   - folder: of the run; TensorBoard shows the folder's name.
  ///   - resumingAt: the step at which a run goes on that has written to the same folder before: what it wrote from there on is
  ///     not shown any more.
  ///   - clock: seconds since 1970, for tests.
  ///   - onFailure: called once, when an event cannot be written.
  /// - Throws: `FileError` where there can be no such file.
  public init(
    _ folder: String, resumingAt: Int? = nil, clock: (() -> Double)? = nil, onFailure: @escaping (FileError) -> Void = { _ in }
  ) throws(FileError) {
    self.clock = clock ?? { Date().timeIntervalSince1970 }
    try RunFolder(folder).create()
    file = try EventFile(in: folder, at: self.clock(), onFailure: onFailure)
    if let resumingAt {
      // SessionLog with the status START.
      file.append(time: self.clock(), step: resumingAt) { $0.message(EventFile.Field.session) { $0.integer(1, 1) } }
    }
  }

  // MARK: What is shown

  /// One point of a curve.
  ///
  /// - Parameters:
  ///   - tag: the curve's name; those with the same word before a slash stand together.
  ///   - value: rounded to float32, as the format has it.
  ///   - step: where on the horizontal axis.
  public func scalar(_ tag: String, _ value: Double, step: Int) {
    summary(tag, step) { $0.float(ValueField.scalar, Float(value)) }
  }

  /// How the elements of a tensor are spread.
  public func histogram(_ tag: String, _ tensor: Tensor, step: Int) { histogram(tag, Histogram(of: tensor), step: step) }

  /// How the elements of a tensor are spread.
  public func histogram(_ tag: String, _ histogram: Histogram, step: Int) {
    summary(tag, step) { value in
      value.message(ValueField.histogram) { message in
        message.double(1, histogram.min)
        message.double(2, histogram.max)
        message.double(3, Double(histogram.count))
        message.double(4, histogram.sum)
        message.double(5, histogram.sumOfSquares)
        message.doubles(6, Array(histogram.edges.dropFirst()))
        message.doubles(7, histogram.counts.map(Double.init))
      }
    }
  }

  /// A picture, in the file as PNG.
  ///
  /// - Parameter picture: uint8 `[C, H, W]` or `[H, W]`, C of 1...4; or floating-point with values of 0...1.
  /// - Throws: `DataError` where it is too large for PNG.
  public func image(_ tag: String, _ picture: Tensor, step: Int) throws(DataError) {
    let png = try PNG.encode(picture)
    // The shape was a mistake; it has been reported.
    guard !png.isEmpty else { return }
    let (rank, channels) = (picture.rank, picture.rank == 2 ? 1 : picture.shape[0])
    image(tag, png: png, width: picture.shape[rank - 1], height: picture.shape[rank - 2], channels: channels, step: step)
  }

  func image(_ tag: String, png: [UInt8], width: Int, height: Int, channels: Int, step: Int) {
    summary(tag, step) { value in
      value.message(ValueField.image) { message in
        message.integer(1, height)
        message.integer(2, width)
        message.integer(3, channels)
        message.bytes(4, png)
      }
    }
  }

  /// Text, which TensorBoard shows as Markdown.
  public func text(_ tag: String, _ text: String, step: Int) {
    summary(tag, step) { value in
      value.message(ValueField.metadata) { $0.message(1) { $0.string(1, "text") } }
      value.message(ValueField.tensor) { tensor in
        tensor.integer(1, 7)  // DT_STRING
        tensor.message(2) { $0.message(2) { $0.integer(1, 1) } }
        tensor.string(8, text)
      }
    }
  }

  // MARK: How it is written

  /// Of the message `Summary.Value`.
  private enum ValueField {
    static let tag = 1
    static let scalar = 2
    static let image = 4
    static let histogram = 5
    static let tensor = 8
    static let metadata = 9
  }

  private func summary(_ tag: String, _ step: Int, _ build: (inout ProtobufMessage) -> Void) {
    file.append(time: clock(), step: step) { event in
      event.message(EventFile.Field.summary) { summary in
        summary.message(1) { value in
          value.string(ValueField.tag, tag)
          build(&value)
        }
      }
    }
  }

  /// Adds an event that holds a `GraphDef`.
  func graph(_ build: (inout ProtobufMessage) -> Void) {
    file.append(time: clock(), step: 0) { $0.message(EventFile.Field.graph, build) }
  }
}
