import ApusCore
import ApusNN
import TestSupport
import Testing

@Suite("multi-head attention")
struct MultiheadAttentionTests {
  private func attention(_ dropout: Double = 0, addBiasKV: Bool = false) -> MultiheadAttention {
    MultiheadAttention(
      4, 2, dropout: dropout, addBiasKV: addBiasKV, batchFirst: true, dtype: .float64, generator: Generator(seed: 1))
  }

  @Test("starts by PyTorch's rules and has its keys")
  func start() {
    let layer = MultiheadAttention(64, 4, addBiasKV: true, generator: Generator(seed: 2))
    #expect(
      layer.stateDict().names == ["in_proj_weight", "in_proj_bias", "bias_k", "bias_v", "out_proj.weight", "out_proj.bias"])
    let bound = (6.0 / Double(4 * 64)).squareRoot()
    #expect(layer.inProjWeight!.abs().max().item() <= bound)
    #expect(layer.inProjWeight!.abs().max().item() > 0.99 * bound)
    #expect(layer.outProj.weight.abs().max().item() <= 0.125)
    #expect(layer.inProjBias!.abs().max().item() == 0)
    #expect(layer.outProj.bias!.abs().max().item() == 0)
    let spread = cat([layer.biasK!.flatten(), layer.biasV!.flatten()]).std().item()
    #expect(abs(spread * 8 - 1) < 0.25)
    let other = MultiheadAttention(6, 2, bias: false, kdim: 3)
    #expect(other.stateDict().names == ["q_proj_weight", "k_proj_weight", "v_proj_weight", "out_proj.weight"])
    #expect(
      other.description.hasPrefix(
        "MultiheadAttention(\n  embedDim: 6, numHeads: 2, bias: false, kdim: 3, batchFirst: false\n  (out_proj): Linear("))
  }

  @Test("causal order without a mask is that of a mask, also with keys added")
  func causal() {
    let x = samples([2, 5, 4], seed: 1)
    let mask = Tensor.ones([5, 5], dtype: .bool).triu(diagonal: 1)
    for addBiasKV in [false, true] {
      let layer = attention(addBiasKV: addBiasKV)
      expectClose(layer(x, isCausal: true), layer(x, attnMask: mask), relative: 1e-12)
      let numbers = Transformer.generateSquareSubsequentMask(5, dtype: .float64)
      let padding = Tensor.arange(5).reshape(1, 5).expand([2, 5]) .>= 4
      let (a, b) = (layer(x, keyPaddingMask: padding, isCausal: true), layer(x, keyPaddingMask: padding, attnMask: numbers))
      expectClose(a, b, relative: 1e-12)
    }
  }

  @Test("layouts and repeated inputs give the same numbers")
  func layouts() throws {
    let (x, y) = (samples([2, 5, 4], seed: 1), samples([2, 3, 4], seed: 2))
    let first = attention()
    let last = MultiheadAttention(4, 2, dtype: .float64)
    try last.loadStateDict(first.stateDict())
    let swapped = last(x.transpose(0, 1), y.transpose(0, 1), y.transpose(0, 1)).transpose(0, 1)
    expectClose(swapped, first(x, y, y), relative: 1e-12)
    // Clones are other variables, so each projection is a product of its own.
    expectClose(first(x, x.clone(), x.clone()), first(x), relative: 1e-12)
    expectClose(first(x[0]), first(x)[0], relative: 1e-12)
    expectClose(last(x[0]), first(x)[0], relative: 1e-12)
  }

  @Test("a query to which everything is forbidden gets the last projection of zeros")
  func nothingToSee() {
    let (x, layer) = (samples([1, 3, 4], seed: 1), attention())
    layer.outProj.bias = samples([4], seed: 2)
    let padding = Tensor([[true, true, true]])
    let both = layer.withWeights(x, x, x, keyPaddingMask: padding)
    expectClose(layer(x, keyPaddingMask: padding)[0, 0], layer.outProj.bias!.detach(), relative: 1e-12)
    expectClose(both.output, layer(x, keyPaddingMask: padding), relative: 1e-12)
    #expect(both.weights.abs().max().item() == 0)
  }

  @Test("every parameter gets a finite, non-zero gradient; dropout acts in training only")
  func gradients() {
    for layer in [attention(0.3, addBiasKV: true), MultiheadAttention(4, 2, kdim: 4, vdim: 3, dtype: .float64)] {
      let (q, k, v) = (samples([3, 2, 4], seed: 1), samples([5, 2, 4], seed: 2), samples([5, 2, layer.vdim], seed: 3))
      let x = layer.batchFirst ? [q, k, v].map { $0.transpose(0, 1) } : [q, k, v]
      (layer(x[0], x[1], x[2]) * samples(x[0].shape, seed: 4)).sum().backward()
      for (name, cell) in layer.namedParameters() where name != "in_proj_bias" || layer.biasK == nil {
        #expect(cell.grad.map { $0.isFinite().all().item() == 1 && $0.abs().sum().item() > 0 } == true, "\(name)")
      }
    }
    let (x, layer) = (samples([2, 6, 4], seed: 5), attention(0.5))
    #expect((layer(x) .!= layer(x)).any().item() == 1)
    layer.eval()
    expectClose(layer(x), layer(x), relative: 0)
  }

  @Test("gradients of first and second order")
  func secondOrder() throws {
    let layer = attention(addBiasKV: true)
    let mask = Tensor([[false, true, false], [false, false, true]])
    try gradientCheck([samples([1, 2, 4], seed: 1), samples([1, 3, 4], seed: 2)], order: 2) {
      layer($0[0], $0[1], $0[1], attnMask: mask)
    }
  }

  @Test("decoding token by token with a cache is the full pass")
  func cache() {
    let (layer, x) = (attention(), samples([2, 9, 4], seed: 1))
    let full = layer(x, isCausal: true).detach()
    for pieces in [[9], [1, 1, 1, 1, 1, 1, 1, 1, 1], [4, 1, 3, 1]] {
      let cache = KeyValueCache(capacity: 2)
      var (outputs, start) = ([Tensor](), 0)
      noGrad {
        for count in pieces {
          outputs.append(layer(x.narrow(dim: 1, start: start, count: count), isCausal: true, cache: cache))
          start += count
        }
      }
      expectClose(cat(outputs, dim: 1), full, relative: 1e-10, "\(pieces)")
      #expect(cache.count == 9)
      #expect(cache.capacity == 16)
    }
  }

  @Test("a cache grows by doubling, writes in place, and leaves what it gave out as it was")
  func cacheStorage() {
    let cache = KeyValueCache(capacity: 4)
    let (k, v) = (samples([1, 2, 10, 3], seed: 1), samples([1, 2, 10, 5], seed: 2))
    let token = { (x: Tensor, i: Int) in x.narrow(dim: 2, start: i, count: 1) }
    var held: [Tensor] = []
    for i in 0..<10 {
      let all = cache.append(token(k, i), token(v, i))
      expectClose(all.key, k.narrow(dim: 2, start: 0, count: i + 1), relative: 0)
      expectClose(all.value, v.narrow(dim: 2, start: 0, count: i + 1), relative: 0)
      held.append(all.key)
    }
    for (i, key) in held.enumerated() { expectClose(key, k.narrow(dim: 2, start: 0, count: i + 1), relative: 0) }
    #expect(cache.capacity == 16)
    cache.removeTokens(from: 7)
    expectClose(cache.append(token(k, 0), token(v, 0)).key[.all, .all, 6...7], k[.all, .all, Tensor([6, 0])], relative: 0)
    cache.selectSequences(Tensor([0, 0]))
    #expect(cache.append(token(k, 1).expand([2, 2, 1, 3]), token(v, 1).expand([2, 2, 1, 5])).key.shape == [2, 2, 9, 3])
    cache.removeTokens()
    #expect(cache.append(samples([3, 2], seed: 1), samples([3, 2], seed: 2)).key.shape == [3, 2])
  }

  @Test("a gradient does not flow through a cache: that is said")
  func cacheMistakes() {
    let layer = attention()
    expectMistake("KeyValueCache: keys or values require a gradient, and a cache keeps no history; decode inside noGrad { }") {
      _ = layer(samples([1, 1, 4], seed: 1), cache: KeyValueCache())
    }
    expectMistake("KeyValueCache: float32 tokens [2, 3] after those of a float64 cache [4, 3]") {
      let cache = KeyValueCache(capacity: 4)
      _ = cache.append(samples([1, 3], seed: 1), samples([1, 3], seed: 1))
      _ = cache.append(Tensor.zeros([2, 3]), Tensor.zeros([2, 3]))
    }
    expectMistake("KeyValueCache: keys [2, 3] and values [3, 3] are not [batch…, tokens, features] of the same tokens") {
      _ = KeyValueCache().append(Tensor.zeros([2, 3]), Tensor.zeros([3, 3]))
    }
    expectMistake("KeyValueCache: token 3 is not in 0...0") { KeyValueCache().removeTokens(from: 3) }
    expectMistake("KeyValueCache: capacity = 0 is not positive") { _ = KeyValueCache(capacity: 0) }
  }

  @Test("mistakes are named")
  func mistakes() {
    let start = "MultiheadAttention: "
    expectMistake(start + "embedDim = 5 is not a multiple of numHeads = 2") { _ = MultiheadAttention(5, 2) }
    expectMistake(start + "dropout = 2.0 is not in 0...1") { _ = MultiheadAttention(4, 2, dropout: 2) }
    let (layer, x) = (MultiheadAttention(4, 2, kdim: 3), Tensor.zeros([5, 2, 4]))
    let shapes = { (q: Shape, k: Shape, v: Shape) in "\(start)query \(q), key \(k) and value \(v)" }
    expectMistake(shapes([5, 2, 4], [5, 2, 4], [5, 2, 4]) + " must have 4, 3 and 4 features") { _ = layer(x) }
    expectMistake(shapes([5, 2, 4], [3], [5, 2, 4]) + " are not all [tokens, N, features] or [tokens, features]") {
      _ = layer(x, Tensor.zeros([3]), x)
    }
    expectMistake(shapes([5, 2, 4], [5, 3, 3], [5, 3, 4]) + " differ in their batches") {
      _ = layer(x, Tensor.zeros([5, 3, 3]), Tensor.zeros([5, 3, 4]))
    }
    expectMistake(shapes([5, 2, 4], [6, 2, 3], [5, 2, 4]) + ": key and value differ in their tokens") {
      _ = layer(x, Tensor.zeros([6, 2, 3]), x)
    }
    let plain = MultiheadAttention(4, 2)
    expectMistake(start + "keyPaddingMask [5, 2] where [2, 5] is needed") {
      _ = plain(x, keyPaddingMask: Tensor.zeros([5, 2], dtype: .bool))
    }
    expectMistake(start + "attnMask [3, 5] where [5, 5] or [4, 5, 5] is needed") {
      _ = plain(x, attnMask: Tensor.zeros([3, 5], dtype: .bool))
    }
    expectMistake(start + "attnMask is int64; it must be bool or floating-point") {
      _ = plain(x, attnMask: Tensor.zeros([5, 5], dtype: .int64))
    }
  }
}
