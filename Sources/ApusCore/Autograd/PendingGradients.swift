/// The gradients of nodes that a pass has not come to yet, by the nodes' ids.
///
/// A table with open addressing instead of a dictionary, whose hashes guard against keys that somebody chose to collide: ids are a counter, and
/// the hashes were a visible part of a step with small tensors.
struct PendingGradients {
  private struct Slot {
    var id: UInt64 = 0  // 0: free
    var gradient: Tensor?  // nil where it has been taken
  }
  private var slots = [Slot](repeating: Slot(), count: 32)
  /// Slots with an id.
  private var used = 0

  /// Takes a node's gradient out.
  mutating func take(_ id: UInt64) -> Tensor? {
    let slot = slot(of: id)
    defer { slots[slot].gradient = nil }
    return slots[slot].gradient
  }

  mutating func put(_ gradient: Tensor, _ id: UInt64) {
    var slot = slot(of: id)
    if slots[slot].id == 0 {
      if 2 * used >= slots.count {
        rebuild()
        slot = self.slot(of: id)
      }
      slots[slot].id = id
      used += 1
    }
    slots[slot].gradient = gradient
  }

  /// Where an id is, or would be: neighbouring ids are far apart, by Fibonacci hashing.
  private func slot(of id: UInt64) -> Int {
    let mask = slots.count - 1
    var slot = Int(truncatingIfNeeded: (id &* 0x9E37_79B9_7F4A_7C15) >> 32) & mask
    while slots[slot].id != id && slots[slot].id != 0 { slot = (slot + 1) & mask }
    return slot
  }

  /// Forgets the ids whose gradients were taken, in a table at most a quarter full.
  private mutating func rebuild() {
    let kept = slots.filter { $0.gradient != nil }
    var size = 32
    while size < 4 * kept.count { size *= 2 }
    slots = [Slot](repeating: Slot(), count: size)
    used = kept.count
    for one in kept { slots[slot(of: one.id)] = one }
  }
}
