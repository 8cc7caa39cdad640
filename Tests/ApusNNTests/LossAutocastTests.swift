import ApusCore
import ApusNN
import TestSupport
import Testing

@Suite("losses in autocast")
struct LossAutocastTests {
  @Test("losses take half types as float32")
  func losses() {
    let (x, y) = (samples([4, 3], seed: 1).to(.bfloat16), samples([4, 3], seed: 2).to(.bfloat16))
    let labels = Tensor([0, 2, 1, 1])
    for reduction in Reduction.allCases {
      let losses: [(Tensor, Tensor) -> Tensor] = [
        { mseLoss($0, $1, reduction: reduction) },
        { a, _ in crossEntropy(a, labels, weight: Tensor([1.0, 2, 3]).to(a.dtype), reduction: reduction) },
        { a, _ in nllLoss(a, labels, reduction: reduction) },
      ]
      for loss in losses {
        expectClose(autocast { loss(x, y) }, loss(x.to(.float32), y.to(.float32)), relative: 1e-6)
        #expect(loss(x, y).dtype == .bfloat16)
      }
    }
  }

  @Test("a linear layer computes in the low dtype, and its parameters get float32 gradients")
  func linearLayer() {
    let layer = Linear(3, 2, generator: Generator(seed: 1))
    let x = samples([4, 3], seed: 1).to(.float32)
    let y = autocast { layer(x) }
    expectClose(y, linear(x.to(.bfloat16), layer.weight.to(.bfloat16), layer.bias!.to(.bfloat16)), relative: 0)
    autocast { (layer(x) + layer(x)).sum() }.backward()
    for cell in layer.parameters() { #expect(cell.grad!.dtype == .float32) }
    expectClose(layer.bias!.grad!, Tensor([8.0, 8]), relative: 1e-2)
    expectClose(layer.weight.grad!, 2 * x.sum(dim: 0).expand([2, 3]), relative: 0.03, absolute: 0.03)
  }
}
