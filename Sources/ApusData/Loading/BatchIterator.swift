import ApusCore
import Synchronization

/// The batches of one epoch, from a loader.
///
/// Dropping it before its end stops the threads that work ahead and waits for them.
public final class BatchIterator<Element: Sendable>: Sequence, IteratorProtocol {
  /// Nil where the batches are made ahead of time.
  private let source: (any BatchSource<Element>)?
  private let queue: OrderedQueue<Result<Element, any Error>>?
  private let progress: LoaderProgress
  private let number: Int
  private let epoch: Int
  private var nextNumber: Int
  private var isAtEnd = false

  /// - Parameter start: the batch to begin with.
  /// - Parameter prefetch: how many batches wait at most; 0 makes each on the thread that asks for it.
  init(
    _ source: some BatchSource<Element>, epoch: Int, from start: Int, prefetch: Int, workers: Int, progress: LoaderProgress
  ) {
    self.progress = progress
    self.epoch = epoch
    nextNumber = start
    number = progress.begin(epoch: epoch, batch: start)
    guard prefetch > 0 else {
      self.source = source
      queue = nil
      return
    }
    self.source = nil
    let queue = OrderedQueue<Result<Element, any Error>>(capacity: prefetch + workers, workers: workers)
    self.queue = queue
    for _ in 0..<workers { Self.startWorker(source, from: start, queue) }
  }

  /// The thread knows the queue, not the iterator: so the iterator can be dropped while the thread works.
  private static func startWorker(
    _ source: some BatchSource<Element>, from start: Int, _ queue: OrderedQueue<Result<Element, any Error>>
  ) {
    // What makes the batches is handed over, to be gone when the thread says that it has finished; a captured constant would live
    // until the thread does.
    let handover = Mutex<(any BatchSource<Element>)?>(source)
    let isStarted = startThread {
      if let source = handover.withLock({ $0.take() }) {
        while let ticket = queue.ticket() { queue.put(source.result(start + ticket), number: ticket) }
      }
      queue.finish()
    }
    if !isStarted {
      fail(TensorError(.outOfMemory, "DataLoader", "the system starts no further thread"))
      queue.finish()
    }
  }

  deinit { queue?.cancel() }

  /// The next batch, or nil at the end of the epoch.
  ///
  /// - Throws: what the data set threw, or the mistake (`TensorError`) that happened while the batch was made. The epoch is over then.
  public func nextBatch() throws -> Element? {
    if isAtEnd { return nil }
    switch queue.map({ $0.pop() }) ?? source?.result(nextNumber) {
    case .success(let batch):
      nextNumber += 1
      progress.advance(number, epoch: epoch, batch: nextNumber)
      return batch
    case .failure(let error):
      isAtEnd = true
      queue?.cancel()
      throw error
    case nil:
      isAtEnd = true
      progress.advance(number, epoch: epoch + 1, batch: 0)
      return nil
    }
  }

  /// The next batch, or nil at the end of the epoch. An error is treated as a mistake: see `DataLoader`.
  public func next() -> Element? {
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

/// Makes the batches of an epoch, by number, on any thread.
protocol BatchSource<Element>: Sendable {
  associatedtype Element: Sendable

  /// Batch `number`, or nil after the last.
  func batch(_ number: Int) throws -> Element?
}

extension BatchSource {
  /// Batch `number` or the error it made; nil after the last.
  func result(_ number: Int) -> Result<Element, any Error>? {
    do {
      return try catching { try noGrad { try batch(number) } }.map { .success($0) }
    } catch {
      return .failure(error)
    }
  }
}
