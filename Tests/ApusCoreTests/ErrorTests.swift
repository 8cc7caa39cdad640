import ApusCore
import TestSupport
import Testing

@Suite("errors")
struct ErrorTests {
  @Test("outside catching a mistake ends the program with its text")
  func ends() async throws {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Tensor.ones([2, 3]).matmul(Tensor.ones([4, 5]))
    }
    let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(text.contains("matmul: [2, 3] × [4, 5]: inner sizes 3 and 4 differ"))
  }

  @Test("inside catching it is thrown, with its kind; later ops pass the invalid tensor on")
  func throwing() throws {
    #expect(throws: TensorError(.shape, "matmul", "[2, 3] × [4, 5]: inner sizes 3 and 4 differ")) {
      try catching { Tensor.ones([2, 3]).matmul(Tensor.ones([4, 5])) }
    }
    let value = try catching { Tensor.ones([2]).sum().item() }
    #expect(value == 2)
    // Composite code reads shapes, items and gradients of the invalid tensor without a second mistake.
    let error = mistake {
      let y = Tensor.ones([2, 3]).reshape(7)
      let z = (y.shape[1] == 3 ? y : y + 1).softmax(dim: 4).matmul(y).sum(dim: 9).relu()
      var w = cat([z, y], dim: 3)
      w[0, 1, 2] = z.max(dim: 5).values
      w += y
      _ = w.item() + Double(w.scalars(as: Float.self).count)
      w.requiresGrad = true
      w.backward()
      _ = grad(of: w, withRespectTo: [z])
      _ = w.sort().values.topk(3).indices.oneHot().gather(dim: 1, index: w).nonzero()
      _ = `where`(w, w, w).cumsum(dim: 3).var(dims: [4, 5]).logsumexp().prod().argmax(dim: 3)
      _ = w.permute(1, 2).expand(2).flip(3).roll(1, dim: 2).repeat(2).split(2, dim: 4).count
      _ = w.array(as: [[Float]].self)
    }
    #expect(error?.description == "reshape: [2, 3] (6 elements) does not fit [7]")
  }

  @Test("scopes nest, each throws its own, and the first mistake is the one that counts")
  func nesting() {
    let outer = mistake {
      let inner = mistake { _ = Tensor([1.0]).reshape(2) }
      #expect(inner?.operation == "reshape")
      _ = Tensor([1.0]) + Tensor([1.0]).permute(1)
      _ = Tensor([1.0]).reshape(3)
    }
    #expect(outer?.operation == "permute")
    struct Other: Error {}
    #expect(throws: Other.self) { try catching { throw Other() } }
    // What was thrown because of a mistake is not the cause.
    #expect(throws: TensorError.self) {
      try catching {
        if Tensor([1.0]).reshape(2).count == 2 { return }
        throw Other()
      }
    }
  }

  @Test("shapes that don't broadcast say which axis")
  func broadcasting() {
    expectMistake("add: [2, 3] and [2] do not broadcast: axis −1 has sizes 3 and 2, which differ and are not 1") {
      _ = Tensor.ones([2, 3]) + Tensor.ones([2])
    }
    expectMistake("mul: [4, 1, 3] and [2, 5, 3] do not broadcast: axis −3 has sizes 4 and 2, which differ and are not 1") {
      _ = Tensor.ones([4, 1, 3]) * Tensor.ones([2, 5, 3])
    }
    #expect(Shape.broadcast([2, 1], [3]) == [2, 3] && Shape.broadcast([2], [3]) == nil)
    expectMistake("shape: axis 2 of a tensor with shape [2, 3]") { _ = Tensor.ones([2, 3]).shape[2] }
    #expect(Tensor.ones([2, 3]).shape[-1] == 3)
  }

  @Test("running out of memory is an error that the process survives")
  func outOfMemory() throws {
    let error = mistake { _ = Tensor.zeros([1 << 46]) }
    #expect(error?.kind == .outOfMemory)
    #expect(error?.description.hasPrefix("full: cannot get 281474976710656 bytes; ") == true)
    #expect(Tensor.ones([10]).sum().item() == 10)
  }
}

@Suite("memory")
struct MemoryTests {
  @Test("blocks are reused, limited and given back")
  func allocator() throws {
    let allocator = Allocator(limit: 1 << 20)
    let first = try #require(allocator.allocate(1000))
    #expect(Int(bitPattern: first) % 64 == 0)
    #expect(allocator.statistics.inUse == 1024 && allocator.statistics.reserved == 1024)
    allocator.release(first, 1000)
    #expect(allocator.statistics.inUse == 0 && allocator.statistics.reserved == 1024)
    #expect(allocator.allocate(1024) == first)
    #expect(allocator.statistics.systemAllocations == 1 && allocator.statistics.allocations == 2)
    #expect(allocator.allocate(1 << 20) == nil)
    allocator.release(first, 1024)
    // What is kept makes room for what is asked for.
    let all = try #require(allocator.allocate(1 << 20))
    #expect(allocator.statistics.reserved == 1 << 20 && allocator.statistics.peak == 1 << 20)
    #expect(allocator.allocate(1) == nil)
    allocator.release(all, 1 << 20)
    allocator.releaseCache()
    allocator.resetPeak()
    #expect(allocator.statistics.reserved == 0 && allocator.statistics.peak == 0)
    #expect(allocator.allocate(.max) == nil)
  }

  @Test(
    "a size class holds what it is asked for and wastes at most a quarter",
    arguments: [1, 64, 65, 80, 81, 1000, 4097, 1 << 20, 5_000_000])
  func sizeClasses(size: Int) throws {
    let allocator = Allocator(limit: 1 << 30)
    let block = try #require(allocator.allocate(size))
    let got = allocator.statistics.inUse
    #expect(got >= size && (size < 64 || got <= size + size / 4 + 1))
    block.initializeMemory(as: UInt8.self, repeating: 1, count: size)
    allocator.release(block, size)
    allocator.releaseCache()
  }

  @Test("sizes are read with their units")
  func byteCounts() {
    #expect(Allocator.parseByteCount("512") == 512 && Allocator.parseByteCount("64K") == 65536)
    #expect(Allocator.parseByteCount("1.5g") == 3 << 29 && Allocator.parseByteCount("2M") == 2 << 20)
    for text in ["", "x", "-1", "0", "1X", "nan", "1e300"] { #expect(Allocator.parseByteCount(text) == nil, "\(text)") }
  }

  @Test("a wrong environment variable ends the program with what is accepted")
  func environment() async {
    let threads = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      setEnvironment("APUS_NUM_THREADS", "many")
      _ = Runtime.threadCount
    }
    expect(threads, "APUS_NUM_THREADS: 'many' is not a number of threads from 1 to 1024")
    let isa = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      setEnvironment("APUS_ISA", "mmx")
      _ = Runtime.instructionSet
    }
    expect(isa, "APUS_ISA: 'mmx' is not available on this machine; choose from: ")
    let limit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      setEnvironment("APUS_MEMORY_LIMIT", "lots")
      _ = Memory.reserved
    }
    expect(limit, "APUS_MEMORY_LIMIT: 'lots' is not a size; write bytes or a number with K, M or G, as in 4G")
  }

  private func expect(_ result: ExitTest.Result?, _ text: String) {
    let printed = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(printed.contains(text))
  }

  @Test("the pool runs every chunk once, nests, and serves several callers", arguments: [1, 2, 5])
  func threadPool(threads: Int) async {
    let pool = ThreadPool(threadCount: threads)
    for chunks in [0, 1, 2, 7, 1000] {
      let counts = UnsafeMutableBufferPointer<Int>.allocate(capacity: chunks)
      counts.initialize(repeating: 0)
      nonisolated(unsafe) let shared = counts
      pool.run(chunks: chunks) { i in
        shared[i] += 1
        pool.run(chunks: 3) { _ in }
      }
      #expect(counts.allSatisfy { $0 == 1 })
      counts.deallocate()
    }
    await withTaskGroup(of: Bool.self) { group in
      for _ in 0..<4 {
        group.addTask {
          (0..<200).allSatisfy { _ in
            let sums = UnsafeMutableBufferPointer<Int>.allocate(capacity: 16)
            defer { sums.deallocate() }
            nonisolated(unsafe) let shared = sums
            pool.run(chunks: 16) { shared[$0] = $0 }
            return sums.reduce(0, +) == 120
          }
        }
      }
      for await ok in group { #expect(ok) }
    }
  }

  @Test("no two chunks run on the same worker at once", arguments: [1, 2, 5])
  func workers(threads: Int) {
    let pool = ThreadPool(threadCount: threads)
    let busy = UnsafeMutableBufferPointer<Int>.allocate(capacity: threads)
    defer { busy.deallocate() }
    busy.initialize(repeating: 0)
    nonisolated(unsafe) let shared = busy
    pool.runByWorkers(chunks: 2000) { _, worker in
      // Not atomic on purpose: a second thread here would lose counts.
      shared[worker] += 1
    }
    #expect(busy.reduce(0, +) == 2000)
  }

  @Test("what this process runs on")
  func runtime() {
    #expect(["baseline", "avx2", "avx512", "avx512_bf16", "neon"].contains(Runtime.instructionSet))
    #expect(Runtime.threadCount >= 1 && !Runtime.version.isEmpty)
    #expect(Memory.inUse <= Memory.peak || Memory.peak > 0)
    #expect(Memory.reserved >= 0)
  }
}
