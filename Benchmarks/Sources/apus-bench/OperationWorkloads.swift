import Apus

/// One op on one input, whose result is new every time.
private func operation(_ name: String, items: Double, _ shapes: Shape..., body: @escaping ([Tensor]) -> Tensor) -> Workload {
  Workload(name, items: items) {
    let inputs = shapes.map { Tensor.randn($0) }
    return { _ = body(inputs) }
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
    operation("op-softmax", items: 0x1p22, [4096, 1024]) { $0[0].softmax(dim: -1) },
    operation("op-sum-axis0", items: 0x1p24, [4096, 4096]) { $0[0].sum(dim: 0) },
    operation("op-sum-axis1", items: 0x1p24, [4096, 4096]) { $0[0].sum(dim: 1) },
    operation("op-transpose", items: 0x1p24, [4096, 4096]) { $0[0].T.contiguous() },
    Workload("op-embedding-fwdbwd", items: 8192) {
      let table = Tensor.randn([50257, 768], requiresGrad: true)
      let ids = Tensor.randint(0, 50257, [8192])
      let upstream = Tensor.ones([8192, 768])
      return { _ = grad(of: table.indexSelect(dim: 0, index: ids), withRespectTo: [table], gradient: upstream) }
    },
    Workload("op-cross-entropy-fwdbwd", items: 4096) {
      let logits = Tensor.randn([4096, 50257], requiresGrad: true)
      let labels = Tensor.randint(0, 50257, [4096])
      return { _ = grad(of: crossEntropy(logits, labels), withRespectTo: [logits]) }
    },
    Workload("op-adam-25m", items: 25e6) {
      let cells = (0..<50).map { _ in ParameterCell(Tensor.randn([1000, 500])) }
      for cell in cells { cell.grad = Tensor.randn([1000, 500]) }
      let optimizer = Adam(cells, lr: 1e-3)
      return { optimizer.step() }
    },
  ]
}
