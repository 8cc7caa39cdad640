import ApusCore

/// Hands items from one thread to another, a few at a time: who is too fast waits.
///
/// The writer calls `push` until it is refused, then `finish`, once, as its last act. The reader calls `pop` until nil, or `cancel`.
final class BoundedQueue<Item: Sendable>: @unchecked Sendable {
  private let condition = Condition()
  private let capacity: Int
  private var items: [Item] = []
  private var isFinished = false
  private var isCancelled = false

  init(capacity: Int) { self.capacity = max(capacity, 1) }

  /// Appends `item`; waits while the queue is full.
  ///
  /// - Returns: false where the reader has lost interest.
  func push(_ item: Item) -> Bool {
    condition.lock()
    defer { condition.unlock() }
    while items.count >= capacity && !isCancelled { condition.wait() }
    if isCancelled { return false }
    items.append(item)
    condition.broadcast()
    return true
  }

  /// Says that no more items come.
  func finish() {
    condition.lock()
    isFinished = true
    condition.broadcast()
    condition.unlock()
  }

  /// Takes the first item; waits while there is none. Nil after the last.
  func pop() -> Item? {
    condition.lock()
    defer { condition.unlock() }
    while items.isEmpty && !isFinished && !isCancelled { condition.wait() }
    if items.isEmpty { return nil }
    let item = items.removeFirst()
    condition.broadcast()
    return item
  }

  /// Drops what is there, refuses what comes, and returns when the writer has finished.
  func cancel() {
    condition.lock()
    isCancelled = true
    let dropped = items
    items = []
    condition.broadcast()
    while !isFinished { condition.wait() }
    condition.unlock()
    // What the items own is released here, outside the lock.
    withExtendedLifetime(dropped) {}
  }
}
