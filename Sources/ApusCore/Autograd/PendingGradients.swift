/// The gradients of nodes that a pass has not come to yet, by the nodes' ids.
///
/// A table with open addressing instead of a dictionary, whose hashes guard against keys that somebody chose to collide: ids are a counter, and
/// the hashes were a visible part of a step with small tensors.
struct PendingGradients {
  private var ids = [UInt64](repeating: 0, count: 32)  // 0: free
  private var gradients = [Tensor?](repeating: nil, count: 32)
  /// Slots with an id; the gradient may have been taken.
  private var used = 0

  /// Takes a node's gradient out.
  mutating func take(_ id: UInt64) -> Tensor? {
    let slot = slot(of: id)
    defer { gradients[slot] = nil }
    return gradients[slot]
  }

  mutating func put(_ gradient: Tensor, _ id: UInt64) {
    var slot = slot(of: id)
    if ids[slot] == 0 {
      if 2 * used >= ids.count {
        rebuild()
        slot = self.slot(of: id)
      }
      ids[slot] = id
      used += 1
    }
    gradients[slot] = gradient
  }

  /// Where an id is, or would be: neighbouring ids are far apart, by Fibonacci hashing.
  private func slot(of id: UInt64) -> Int {
    let mask = ids.count - 1
    var slot = Int(truncatingIfNeeded: (id &* 0x9E37_79B9_7F4A_7C15) >> 32) & mask
    while ids[slot] != id && ids[slot] != 0 { slot = (slot + 1) & mask }
    return slot
  }

  /// Forgets the ids whose gradients were taken, in a table at most a quarter full.
  private mutating func rebuild() {
    let kept = zip(ids, gradients).filter { $0.1 != nil }
    var size = 32
    while size < 4 * kept.count { size *= 2 }
    ids = [UInt64](repeating: 0, count: size)
    gradients = [Tensor?](repeating: nil, count: size)
    used = kept.count
    for (id, gradient) in kept {
      let slot = slot(of: id)
      (ids[slot], gradients[slot]) = (id, gradient)
    }
  }
}
