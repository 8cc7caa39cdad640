import ApusCore
import ApusNN
import ApusOptim
import Testing

/// What a whole training step asks of the allocator, as fixed numbers. If a number falls, lower it here.
@Suite("allocations of training steps")
struct StepAllocationTests {
  /// Blocks of the third step: by then optimizer state and gradients exist.
  private func blocks(
    _ model: some Layer, _ optimizer: Optimizer, _ loss: () -> Tensor
  ) -> Int {
    func step() {
      optimizer.zeroGrad()
      loss().backward()
      optimizer.step()
    }
    step()
    step()
    return Profiler.record { step() }.blocks
  }

  @Test("XOR: two layers, mean squared error, SGD")
  func xor() {
    let model = Sequential {
      Linear(2, 3)
      Tanh()
      Linear(3, 1)
      Sigmoid()
    }
    let (x, y) = (Tensor([[0.0, 0], [0, 1], [1, 0], [1, 1]]), Tensor([[0.0], [1], [1], [0]]))
    #expect(blocks(model, SGD(model.parameters(), lr: 0.1)) { mseLoss(model(x), y) } <= 16)
  }

  @Test("a classifier: two layers, cross-entropy, Adam")
  func classifier() {
    let model = Sequential {
      Linear(784, 128)
      ReLU()
      Linear(128, 10)
    }
    let (x, y) = (Tensor.rand([32, 784]), Tensor.zeros([32], dtype: .int64))
    #expect(blocks(model, Adam(model.parameters(), lr: 1e-3)) { crossEntropy(model(x), y) } <= 26)
  }

  @Test("a convolution with batch norm, ReLU and pooling, SGD with momentum")
  func convolution() {
    let model = Sequential {
      Conv2d(3, 8, kernelSize: 3, padding: 1)
      BatchNorm2d(8)
      ReLU()
      MaxPool2d(2)
      Flatten()
      Linear(128, 10)
    }
    let (x, y) = (Tensor.rand([4, 3, 8, 8]), Tensor.zeros([4], dtype: .int64))
    #expect(blocks(model, SGD(model.parameters(), lr: 0.1, momentum: 0.9)) { crossEntropy(model(x), y) } <= 77)
  }

  @Test("a transformer's encoder layer, AdamW")
  func transformer() {
    let model = TransformerEncoderLayer(16, 2, dimFeedforward: 32, dropout: 0, batchFirst: true)
    let x = Tensor.rand([2, 5, 16])
    #expect(blocks(model, AdamW(model.parameters(), lr: 1e-3)) { model(x).square().mean() } <= 70)
  }
}
