import ApusCore

/// Hands numbered items from several threads to one, in the order of their numbers: who is too fast waits.
///
/// A worker asks for a `ticket`, makes the item of that number and `put`s it, until there is no ticket; then it calls `finish`, once, as
/// its last act. The reader calls `pop` until nil, or `cancel`.
final class OrderedQueue<Item: Sendable>: @unchecked Sendable {
  private let condition = Condition()
  private let capacity: Int
  private var items: [Int: Item] = [:]
  private var nextTicket = 0
  private var nextOut = 0
  /// The first number that there is no item for, once a worker has found out.
  private var end = Int.max
  private var workers: Int
  private var isCancelled = false

  /// - Parameter capacity: how many items may be there or being made.
  init(capacity: Int, workers: Int) {
    self.capacity = max(capacity, 1)
    self.workers = workers
  }

  /// The number of the item to make next; waits while enough are made. Nil where nobody wants more.
  func ticket() -> Int? {
    condition.lock()
    defer { condition.unlock() }
    while nextTicket - nextOut >= capacity && nextTicket < end && !isCancelled { condition.wait() }
    if isCancelled || nextTicket >= end { return nil }
    defer { nextTicket += 1 }
    return nextTicket
  }

  /// Delivers item `number`; nil says that the items end before it.
  func put(_ item: Item?, number: Int) {
    condition.lock()
    if let item { if !isCancelled { items[number] = item } } else { end = min(end, number) }
    condition.broadcast()
    condition.unlock()
  }

  /// Says that a worker has gone.
  func finish() {
    condition.lock()
    workers -= 1
    condition.broadcast()
    condition.unlock()
  }

  /// Takes the next item; waits for it. Nil after the last.
  func pop() -> Item? {
    condition.lock()
    defer { condition.unlock() }
    while items[nextOut] == nil && nextOut < end && workers > 0 && !isCancelled { condition.wait() }
    guard let item = items.removeValue(forKey: nextOut) else { return nil }
    nextOut += 1
    condition.broadcast()
    return item
  }

  /// Drops what is there, refuses what comes, and returns when all workers have gone.
  func cancel() {
    condition.lock()
    isCancelled = true
    let dropped = items
    items = [:]
    condition.broadcast()
    while workers > 0 { condition.wait() }
    condition.unlock()
    // What the items own is released here, outside the lock.
    withExtendedLifetime(dropped) {}
  }
}
