import ApusCore
import Foundation
import Synchronization

/// The batches of one epoch, from a `DataLoader`.
///
/// Dropping it before its end stops the thread that works ahead and waits for it.
public final class BatchIterator<Data: Dataset>: Sequence, IteratorProtocol {
  public typealias Element = Data.Batched

  private var maker: BatchMaker<Data>
  /// Nil where nothing is made ahead of time.
  private let queue: BoundedQueue<Result<Data.Batched, any Error>>?
  private var isAtEnd = false

  init(_ dataset: Data, order: ArraySlice<Int>, batchSize: Int, prefetch: Int) {
    maker = BatchMaker(dataset: dataset, rest: order, batchSize: batchSize)
    guard prefetch > 0, !order.isEmpty else {
      queue = nil
      return
    }
    let queue = BoundedQueue<Result<Data.Batched, any Error>>(capacity: prefetch)
    self.queue = queue
    // The thread knows the queue, not this iterator: so the iterator can be dropped while the thread works. What makes the batches
    // is handed over, to be gone when the thread says that it has finished; a captured constant would live until the thread does.
    let handover = Mutex<BatchMaker<Data>?>(maker)
    let thread = Thread {
      if var maker = handover.withLock({ $0.take() }) {
        while let result = maker.next() {
          if !queue.push(result) { break }
          if case .failure = result { break }
        }
      }
      queue.finish()
    }
    thread.name = "apus data loader"
    thread.stackSize = 8 << 20
    thread.start()
  }

  deinit { queue?.cancel() }

  /// The next batch, or nil at the end of the epoch.
  ///
  /// - Throws: what the data set threw, or the mistake (`TensorError`) that happened while the batch was made. The epoch is over then.
  public func nextBatch() throws -> Data.Batched? {
    if isAtEnd { return nil }
    let result = queue.map { $0.pop() } ?? maker.next()
    switch result {
    case .success(let batch): return batch
    case .failure(let error):
      isAtEnd = true
      throw error
    case nil:
      isAtEnd = true
      return nil
    }
  }

  /// The next batch, or nil at the end of the epoch. An error is treated as a mistake: see `DataLoader`.
  public func next() -> Data.Batched? {
    do {
      return try nextBatch()
    } catch let error as TensorError {
      fail(error)
    } catch {
      fail(TensorError(.value, "DataLoader", "\(error)"))
    }
    return nil
  }
}

/// Makes one batch after the other.
private struct BatchMaker<Data: Dataset>: Sendable {
  let dataset: Data
  var rest: ArraySlice<Int>
  let batchSize: Int

  mutating func next() -> Result<Data.Batched, any Error>? {
    if rest.isEmpty { return nil }
    let indices = Array(rest.prefix(batchSize))
    rest = rest.dropFirst(batchSize)
    return Result { try catching { try noGrad { try dataset.batch(at: indices) } } }
  }
}
