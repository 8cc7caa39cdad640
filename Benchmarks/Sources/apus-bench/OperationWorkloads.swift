import Apus

/// Computes what has been noted down, as somebody would who reads the numbers.
func evaluate(_ x: Tensor) {
  // Bytes are row-major: images whose channels are last would be copied for it, so they are read as what they are.
  let image = x.rank == 4 ? x.movedim(1, -1) : x
  (image.isContiguous ? image : x).withUnsafeBytes { _ in }
}

/// Images in the order of memory that convolutions read without a copy (channels last).
func images(_ shape: Shape) -> Tensor { Tensor.randn(shape).movedim(1, -1).contiguous().movedim(-1, 1) }

/// Normal random numbers, images among them channels-last.
private func random(_ shape: Shape, isImage: Bool) -> Tensor { isImage ? images(shape) : Tensor.randn(shape) }

/// One op on normal random inputs, whose result is new every time.
private func operation(
  _ name: String, items: Double, _ shapes: Shape..., ofImages: Bool = false, body: @escaping ([Tensor]) -> Tensor
) -> Workload {
  Workload(name, items: items) {
    let inputs = shapes.enumerated().map { random($1, isImage: ofImages && $0 == 0) }
    return { evaluate(body(inputs)) }
  }
}

/// An op and the gradients of its inputs from a fixed one of its result.
private func bothWays(
  _ name: String, items: Double, _ shapes: Shape..., ofImages: Bool = false, body: @escaping ([Tensor]) -> Tensor
) -> Workload {
  Workload(name, items: items) {
    let inputs = shapes.enumerated().map { i, shape in
      var x = random(shape, isImage: ofImages && i == 0)
      x.requiresGrad = true
      return x
    }
    let upstream = random(noGrad { body(inputs).shape }, isImage: ofImages)
    return {
      for gradient in grad(of: body(inputs), withRespectTo: inputs, gradient: upstream) { evaluate(gradient) }
    }
  }
}

private func gemm(_ name: String, _ m: Int, _ k: Int, _ n: Int) -> Workload {
  operation(name, items: 2 * Double(m * k * n), [m, k], [k, n]) { $0[0].matmul($0[1]) }
}

var operationWorkloads: [Workload] {
  [
    gemm("op-gemm-256", 256, 256, 256),
    gemm("op-gemm-1024", 1024, 1024, 1024),
    gemm("op-gemm-2048", 2048, 2048, 2048),
    gemm("op-gemm-128x768x3072", 128, 768, 3072),
    operation("op-add-16m", items: 0x1p24, [1 << 24], [1 << 24]) { $0[0] + $0[1] },
    operation("op-gelu-4m", items: 0x1p22, [1 << 22]) { $0[0].gelu() },
    operation("op-softmax", items: 0x1p22, [4096, 1024]) { $0[0].softmax(dim: -1) },
    operation("op-layernorm-fwd", items: 0x1p22, [4096, 1024], [1024], [1024]) { normalized($0) },
    bothWays("op-layernorm-fwdbwd", items: 0x1p22, [4096, 1024], [1024], [1024]) { normalized($0) },
    operation("op-sum-axis0", items: 0x1p24, [4096, 4096]) { $0[0].sum(dim: 0) },
    operation("op-sum-axis1", items: 0x1p24, [4096, 4096]) { $0[0].sum(dim: 1) },
    operation("op-transpose", items: 0x1p24, [4096, 4096]) { $0[0].T.contiguous() },
    operation("op-conv3x3-fwd", items: 64, [64, 64, 32, 32], [64, 64, 3, 3], [64], ofImages: true) {
      conv2d($0[0], $0[1], $0[2], padding: 1)
    },
    bothWays("op-conv3x3-fwdbwd", items: 64, [64, 64, 32, 32], [64, 64, 3, 3], [64], ofImages: true) {
      conv2d($0[0], $0[1], $0[2], padding: 1)
    },
    operation("op-conv1x1-fwd", items: 64, [64, 256, 16, 16], [64, 256, 1, 1], [64], ofImages: true) {
      conv2d($0[0], $0[1], $0[2])
    },
    operation("op-dwconv-fwd", items: 32, [32, 128, 32, 32], [128, 1, 3, 3], [128], ofImages: true) {
      conv2d($0[0], $0[1], $0[2], padding: 1, groups: 128)
    },
    operation("op-maxpool-fwd", items: 64, [64, 64, 32, 32], ofImages: true) { maxPool2d($0[0], kernelSize: 2) },
    Workload("op-embedding-fwdbwd", items: 8192) {
      let table = Tensor.randn([50257, 768], requiresGrad: true)
      let ids = Tensor.randint(0, 50257, [8192])
      let upstream = Tensor.ones([8192, 768])
      return { evaluate(grad(of: embedding(ids, table), withRespectTo: [table], gradient: upstream)[0]) }
    },
    operation("op-attention-fwd", items: 2048, [4, 8, 512, 64], [4, 8, 512, 64], [4, 8, 512, 64]) { attended($0) },
    bothWays("op-attention-fwdbwd", items: 2048, [4, 8, 512, 64], [4, 8, 512, 64], [4, 8, 512, 64]) { attended($0) },
    Workload("op-cross-entropy-fwdbwd", items: 4096) {
      let logits = Tensor.randn([4096, 50257], requiresGrad: true)
      let labels = Tensor.randint(0, 50257, [4096])
      return { evaluate(grad(of: crossEntropy(logits, labels), withRespectTo: [logits])[0]) }
    },
    Workload("op-adam-25m", items: 25e6) {
      let cells = (0..<50).map { _ in ParameterCell(Tensor.randn([1000, 500])) }
      for cell in cells { cell.grad = Tensor.randn([1000, 500]) }
      let optimizer = Adam(cells, lr: 1e-3)
      return { optimizer.step() }
    },
  ]
}

private func normalized(_ x: [Tensor]) -> Tensor { layerNorm(x[0], normalizedShape: [1024], weight: x[1], bias: x[2]) }

private func attended(_ x: [Tensor]) -> Tensor { scaledDotProductAttention(x[0], x[1], x[2], isCausal: true) }
