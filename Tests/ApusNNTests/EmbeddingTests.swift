import ApusCore
import ApusNN
import TestSupport
import Testing

@Suite("embeddings")
struct EmbeddingTests {
  struct Case: Decodable {
    let options: Options
    let inputs: [String: GoldenTensor]
    let output: GoldenTensor
    let gradients: [GoldenTensor]

    struct Options: Decodable {
      var paddingIndex: Int?
      var maxNorm: Double?
      var normType: Double?
      var scaleGradByFreq: Bool?
      var mode: EmbeddingBagMode?
      var last: Bool?

      private enum CodingKeys: String, CodingKey {
        case paddingIndex = "padding_idx"
        case maxNorm = "max_norm"
        case normType = "norm_type"
        case scaleGradByFreq = "scale_grad_by_freq"
        case mode, last
      }

      init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        paddingIndex = try values.decodeIfPresent(Int.self, forKey: .paddingIndex)
        maxNorm = try values.decodeIfPresent(Double.self, forKey: .maxNorm)
        normType = try values.decodeIfPresent(Double.self, forKey: .normType)
        scaleGradByFreq = try values.decodeIfPresent(Bool.self, forKey: .scaleGradByFreq)
        mode = try values.decodeIfPresent(String.self, forKey: .mode).flatMap { EmbeddingBagMode(rawValue: $0) }
        last = try values.decodeIfPresent(Bool.self, forKey: .last)
      }
    }

    func check(_ names: [String], _ function: ([String: Tensor]) -> Tensor) {
      var x = inputs.mapValues(\.tensor)
      let present = names.filter { x[$0] != nil }
      for name in present { x[name]!.requiresGrad = true }
      let y = function(x)
      expectGolden(y, output, "\(options)")
      expectGoldenGradients(of: y, by: present.map { x[$0]! }, gradients, "\(options)")
    }
  }

  @Test("embedding is PyTorch's, with every option")
  func values() throws {
    for golden in try Golden<Case>.load("embedding") {
      let o = golden.options
      for dtype in [DType.int64, .int32] {
        golden.check(["weight"]) {
          embedding(
            $0["ids"]!.to(dtype), $0["weight"]!, paddingIndex: o.paddingIndex, maxNorm: o.maxNorm, normType: o.normType ?? 2,
            scaleGradByFreq: o.scaleGradByFreq ?? false)
        }
      }
    }
  }

  @Test("embedding bags are PyTorch's, with every option")
  func bags() throws {
    for golden in try Golden<Case>.load("embeddingBag") {
      let o = golden.options
      golden.check(["weight", "factors"]) {
        embeddingBag(
          $0["ids"]!, $0["weight"]!, offsets: $0["offsets"], mode: o.mode!, perSampleWeights: $0["factors"],
          includeLastOffset: o.last ?? false, paddingIndex: o.paddingIndex, scaleGradByFreq: o.scaleGradByFreq ?? false)
      }
    }
  }

  static let ids = Tensor([[1, 3, 1], [0, 2, 3]])

  @Test("embedding agrees with its twin in value and gradient, for every dtype and layout")
  func twin() {
    for dtype in [DType.float64, .float32, .float16, .bfloat16] {
      for table in [samples([4, 70], seed: 1), samples([70, 4], seed: 2).T] {
        var w = table.to(dtype)
        w.requiresGrad = true
        for ids in [Self.ids, Self.ids.T, Self.ids[0], Self.ids[0, 1], Tensor.zeros([0, 2], dtype: .int64)] {
          let ys = [embedding(ids, w), embeddingTwin(ids, w)]
          expectClose(ys[0], ys[1], relative: 0, absolute: 0)
          let gradients = ys.map { grad(of: ($0 * $0).sum(), withRespectTo: [w])[0] }
          let tolerance = dtype == .bfloat16 ? 0.05 : dtype == .float16 ? 0.01 : 1e-6
          expectClose(gradients[0], gradients[1], relative: tolerance, absolute: tolerance, "\(dtype) \(ids.shape)")
        }
      }
    }
  }

  @Test("the gradient of a table larger than the caches is zero but for the rows that were looked up")
  func largeTable() {
    let table = Tensor.zeros([90_001, 100], requiresGrad: true)
    let ids = Tensor([7, 90_000, 7, 41])
    let gradient = grad(of: (embedding(ids, table) * samples([4, 100], seed: 5)).sum(), withRespectTo: [table])[0]
    let rows = samples([4, 100], seed: 5).to(.float32)
    expectClose(gradient[7], rows[0] + rows[2])
    expectClose(gradient[90_000], rows[1])
    expectClose(gradient[41], rows[3])
    #expect((gradient .!= 0).sum().item(as: Int.self) == (rows .!= 0).sum().item(as: Int.self) - 100)
  }

  @Test("gradients of first and second order")
  func gradients() throws {
    let (w, factors) = (samples([4, 2], seed: 3), samples([2, 3], seed: 4))
    try gradientCheck([w], order: 2) { embedding(Self.ids, $0[0]).pow(3) }
    try gradientCheck([w], order: 2) { x in
      // Away from the padding row, whose gradient is not the derivative.
      embedding(Self.ids, `where`(Tensor([[1], [1], [1], [0]]) .> 0, x[0], 0), paddingIndex: 3).square()
    }
    for mode in EmbeddingBagMode.allCases {
      try gradientCheck([w], order: 2) { embeddingBag(Self.ids, $0[0], mode: mode).pow(3) }
    }
    try gradientCheck([w, factors], order: 2) { embeddingBag(Self.ids, $0[0], mode: .sum, perSampleWeights: $0[1]).square() }
  }

  @Test("a bag's gradients can be divided by how often each row was looked up")
  func frequencies() {
    var w = samples([4, 2], seed: 7)
    w.requiresGrad = true
    for mode in [EmbeddingBagMode.sum, .mean] {
      let gradients = [true, false].map { scaled in
        grad(of: embeddingBag(Self.ids, w, mode: mode, scaleGradByFreq: scaled).pow(2).sum(), withRespectTo: [w])[0]
      }
      expectClose(gradients[0], gradients[1] / Tensor([[1.0], [2], [1], [2]], dtype: .float64))
    }
  }

  @Test("results are the same, bit by bit, whether threads share the work or one does it")
  func threads() {
    var w = samples([6000, 40], seed: 8).to(.float32)
    w.requiresGrad = true
    let ids = Tensor.randint(0, 6000, [20_000], generator: Generator(seed: 9))
    let dy = samples([20_000, 40], seed: 10).to(.float32)
    let gradient = { grad(of: embedding(ids, w), withRespectTo: [w], gradient: dy)[0].contiguous() }
    let shared = gradient()
    expectClose(onOneThread(gradient), shared, relative: 0, absolute: 0)
  }

  @Test("sums of rows in few places and in many, whole and in bands of columns")
  func sums() {
    for (rows, width, n) in [(3, 200, 4000), (5000, 33, 700), (700, 300, 701), (2, 1, 50_000), (40_000, 2, 3)] {
      let ids = Tensor.randint(0, rows, [n], generator: Generator(seed: 5))
      var w = Tensor.zeros([rows, width], dtype: .float64, requiresGrad: true)
      w.requiresGrad = true
      let dy = samples([n, width], seed: 6)
      let gradient = grad(of: embedding(ids, w), withRespectTo: [w], gradient: dy)[0]
      expectClose(gradient, Tensor.zeros([rows, width], dtype: .float64).indexAdd(dim: 0, index: ids, dy), relative: 1e-12)
    }
  }

  @Test("a padding row starts at zero and stays there; others get finite, non-zero gradients")
  func padding() {
    let layer = Embedding(4, 3, paddingIndex: -1, dtype: .float64, generator: Generator(seed: 1))
    #expect(layer.description == "Embedding(4, 3, paddingIndex: 3)")
    #expect(layer.weight[3].abs().sum().item() == 0)
    #expect(layer.weight[0].abs().sum().item() > 0)
    layer(Self.ids).square().sum().backward()
    #expect(layer.weight.grad![3].abs().sum().item() == 0)
    #expect(layer.weight.grad![..<3].abs().amin().item() > 0)
    for mode in EmbeddingBagMode.allCases {
      let bag = EmbeddingBag(4, 3, mode: mode, paddingIndex: 3, dtype: .float64, generator: Generator(seed: 2))
      #expect(bag.description == "EmbeddingBag(4, 3, mode: \(mode), paddingIndex: 3)")
      bag(Self.ids).square().sum().backward()
      #expect(bag.weight.grad!.isFinite().all().item() == 1 && bag.weight.grad!.abs().sum().item() > 0)
      #expect(bag(Tensor([3, 3, 3, 1]), offsets: Tensor([0, 3, 3]))[..<2].abs().sum().item() == 0)
    }
  }

  @Test("rows are normally distributed; a given table is used as it is, frozen unless asked for")
  func start() {
    let layer = Embedding(200, 300, generator: Generator(seed: 3))
    #expect(abs(layer.weight.mean().item()) < 0.02 && abs(layer.weight.std().item() - 1) < 0.02)
    let table = samples([4, 2], seed: 1)
    let frozen = Embedding(fromPretrained: table)
    expectClose(frozen(Tensor([2])), table[2].unsqueeze(dim: 0), relative: 0)
    #expect(!frozen.weight.requiresGrad && frozen.parameters().count == 1)
    #expect(Embedding(fromPretrained: table, freeze: false).weight.requiresGrad)
    #expect(frozen.stateDict().names == ["weight"])
  }

  @Test("a layer with maxNorm shortens its own rows once they are looked up, and only those")
  func maxNorm() {
    for bag in [false, true] {
      let embedding = Embedding(4, 3, maxNorm: 0.1, dtype: .float64, generator: Generator(seed: 4))
      let bags = EmbeddingBag(4, 3, mode: .sum, maxNorm: 0.1, dtype: .float64, generator: Generator(seed: 4))
      let before = bag ? bags.weight.detach() : embedding.weight.detach()
      let y = bag ? bags(Tensor([[1], [3]])) : embedding(Tensor([1, 3]))
      let after = bag ? bags.weight : embedding.weight
      expectClose(y.norm(dim: 1), Tensor([0.1, 0.1], dtype: .float64), relative: 1e-6)
      expectClose(after.detach()[1].norm(), Tensor(0.1, dtype: .float64), relative: 1e-6)
      expectClose(after.detach()[0], before[0], relative: 0)
      #expect(after.isLeaf && after.requiresGrad)
      y.sum().backward()
      #expect((bag ? bags.weight : embedding.weight).grad![1].sum().item() == 3)
    }
  }

  @Test("mistakes are named")
  func mistakes() {
    let w = Tensor.zeros([4, 3])
    expectMistake("embedding: id 4 is not in 0..<4") { _ = embedding(Tensor([1, 4]), w) }
    expectMistake("embedding: id -1 is not in 0..<4") { _ = embedding(Tensor([-1]), w) }
    expectMistake("embedding: ids are int64 or int32, not float32") { _ = embedding(Tensor([0.5]), w) }
    expectMistake("embedding: a table has the shape [rows, width], not [4]") { _ = embedding(Tensor([0]), w.sum(dim: 1)) }
    expectMistake("embedding: paddingIndex 4 is not in -4..<4") { _ = embedding(Tensor([0]), w, paddingIndex: 4) }
    expectMistake("embedding: maxNorm = 0.0 is not positive") { _ = embedding(Tensor([0]), w, maxNorm: 0) }
    expectMistake("Embedding: paddingIndex 5 is not in -4..<4") { _ = Embedding(4, 3, paddingIndex: 5) }
    expectMistake("Embedding: a table has the shape [rows, width], not [3]") { _ = Embedding(fromPretrained: Tensor.zeros([3])) }
    expectMistake("Embedding: -4 rows of 3 numbers") { _ = Embedding(-4, 3) }
    let ids = Tensor([0, 1, 2])
    expectMistake("embeddingBag: offsets go with ids of one axis, and these have 1") { _ = embeddingBag(ids, w) }
    expectMistake("embeddingBag: offsets [1, 2] do not go from 0 up to at most 3, the number of ids") {
      _ = embeddingBag(ids, w, offsets: Tensor([1, 2]))
    }
    expectMistake("embeddingBag: offsets [0, 4] do not go from 0 up to at most 3, the number of ids") {
      _ = embeddingBag(ids, w, offsets: Tensor([0, 4]))
    }
    expectMistake("embeddingBag: the last offset is not 3, the number of ids") {
      _ = embeddingBag(ids, w, offsets: Tensor([0, 2]), includeLastOffset: true)
    }
    expectMistake("embeddingBag: perSampleWeights go with mode sum, not mean") {
      _ = embeddingBag(ids, w, offsets: Tensor([0]), perSampleWeights: Tensor.ones([3]))
    }
    expectMistake("embeddingBag: scaleGradByFreq does not go with mode max") {
      _ = embeddingBag(ids, w, offsets: Tensor([0]), mode: .max, scaleGradByFreq: true)
    }
    expectMistake("embeddingBag: perSampleWeights [2] for ids [3]") {
      _ = embeddingBag(ids, w, offsets: Tensor([0]), mode: .sum, perSampleWeights: Tensor.ones([2]))
    }
    expectMistake("embeddingBag: ids [] are neither [B, n] nor [n]") { _ = embeddingBag(Tensor(0), w) }
  }
}
