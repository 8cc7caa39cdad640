import CKernels

extension CPUBackend {
  package func sumRows(_ x: TensorData, places: TensorData, count: Int) -> TensorData {
    let width = x.shape[1]
    let y = TensorData.uninitialized([count, width], x.dtype, for: "embedding")
    let (x, places) = (x.contiguous(), places.contiguous())
    guard y.isValid, y.count > 0, x.isValid, places.isValid else { return y }
    let lists = RowLists(places, count: count)
    let sums = RowSums(from: UnsafeRawPointer(x.base), to: y)
    // Threads share out the rows of the result, and its columns where many rows come together in few. A row is added up in the order
    // of the places, whoever does it.
    let band = x.shape[0] > count ? max(64, min(width, StridedLoop.grain / max(1, x.shape[0]))) : width
    let bands = (width + band - 1) / max(1, band)
    let share = max(1, StridedLoop.grain / band * count / max(count, x.shape[0]))
    let shares = (count + share - 1) / share
    ThreadPool.shared.run(chunks: shares * bands) { chunk in
      let (first, column) = (chunk / bands * share, chunk % bands * band)
      sums.fill(first..<min(first + share, count), column..<min(column + band, width), lists)
    }
    return y
  }
}

/// Which rows belong to each place, in their order: a counting sort.
private struct RowLists {
  /// The rows of place i are `rows[starts[i] ..< starts[i + 1]]`.
  let starts: [Int]
  let rows: [Int]

  init(_ places: TensorData, count: Int) {
    let entries = UnsafeBufferPointer(start: places.base.assumingMemoryBound(to: Int64.self), count: places.count)
    var starts = [Int](repeating: 0, count: count + 1)
    for place in entries { starts[Int(place) + 1] += 1 }
    for i in 0..<count { starts[i + 1] += starts[i] }
    var next = starts
    rows = [Int](unsafeUninitializedCapacity: entries.count) { buffer, initialized in
      for (row, place) in entries.enumerated() {
        buffer[next[Int(place)]] = row
        next[Int(place)] += 1
      }
      initialized = entries.count
    }
    self.starts = starts
  }
}

/// Writes sums of rows; every element of the result once, so that it needs no pass to be set to zero.
private struct RowSums {
  private let from: UnsafeRawPointer
  private let to: SendablePointer
  private let width: Int
  private let size: Int
  private let add: apus_binary_kernel
  /// Where the result is larger than the caches: an embedding's table of which few rows are in a batch.
  private let stream: apus_stream_kernel?

  init(from: UnsafeRawPointer, to y: TensorData) {
    (self.from, to, width, size) = (from, SendablePointer(y.base), y.shape[1], y.dtype.itemSize)
    add = apus_binary(Runtime.isa, APUS_BINARY_add, y.dtype.kernel)!
    stream = Streaming.kernel(forResultOf: y.byteCount)
  }

  func fill(_ places: Range<Int>, _ columns: Range<Int>, _ lists: RowLists) {
    defer { if stream != nil { apus_stream_end() } }
    lists.starts.withUnsafeBufferPointer { starts in
      lists.rows.withUnsafeBufferPointer { rows in
        var place = places.lowerBound
        while place < places.upperBound {
          if starts[place] == starts[place + 1] {
            place = clear(from: place, until: places.upperBound, columns, starts)
          } else {
            sum(rows[starts[place]..<starts[place + 1]], into: place, columns)
            place += 1
          }
        }
      }
    }
  }

  /// Zeros for a run of places without rows, in one stroke where they are whole; returns where it ends.
  private func clear(from first: Int, until limit: Int, _ columns: Range<Int>, _ starts: UnsafeBufferPointer<Int>) -> Int {
    var end = first + 1
    while end < limit, starts[end] == starts[end + 1] { end += 1 }
    if columns.count == width {
      zero(first * width, (end - first) * width)
    } else {
      for place in first..<end { zero(place * width + columns.lowerBound, columns.count) }
    }
    return end
  }

  private func zero(_ offset: Int, _ count: Int) {
    let target = to.pointer + offset * size
    if let stream {
      stream(count * size, nil, target)
    } else {
      target.initializeMemory(as: UInt8.self, repeating: 0, count: count * size)
    }
  }

  private func sum(_ rows: Slice<UnsafeBufferPointer<Int>>, into place: Int, _ columns: Range<Int>) {
    let target = to.pointer + (place * width + columns.lowerBound) * size
    let source = { (row: Int) in from + (row * width + columns.lowerBound) * size }
    if rows.count == 1, let stream { return stream(columns.count * size, source(rows.first!), target) }
    target.copyMemory(from: source(rows.first!), byteCount: columns.count * size)
    for row in rows.dropFirst() { add(columns.count, target, 1, source(row), 1, target, 1) }
  }
}
