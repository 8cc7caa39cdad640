import ApusCore
import ApusNN
import TestSupport
import Testing

/// A convolution with the normalization after it in one pass.
@Suite("normalized convolutions")
struct NormalizedConvolutionTests {
  private func layers(_ channels: Int, bias: Bool) -> (Conv2d, BatchNorm2d) {
    let convolution = Conv2d(channels, 32, kernelSize: 3, padding: 1, bias: bias, generator: Generator(seed: 1))
    let norm = BatchNorm2d(32)
    norm.weight = samples([32], seed: 2).to(.float32)
    norm.bias = samples([32], seed: 3).to(.float32)
    norm.runningMean = samples([32], seed: 4).to(.float32)
    norm.runningVar = samples([32], seed: 5).square().to(.float32) + 0.1
    return (convolution, norm)
  }

  @Test("in evaluation it agrees with the layers in turn", arguments: [3, 16], [true, false])
  func evaluation(channels: Int, bias: Bool) {
    let (convolution, norm) = layers(channels, bias: bias)
    let relu = ReLU()
    (convolution.isTraining, norm.isTraining) = (false, false)
    let (x, residual) = (samples([2, channels, 12, 12], seed: 6).to(.float32), samples([2, 32, 12, 12], seed: 7).to(.float32))
    noGrad {
      let y = norm(convolution(x))
      expectClose(convolution(x, then: norm), y, relative: 1e-4, absolute: 1e-4)
      expectClose(convolution(x, then: norm, relu: relu), y.relu(), relative: 1e-4, absolute: 1e-4)
      expectClose(convolution(x, then: norm, adding: residual), y + residual, relative: 1e-4, absolute: 1e-4)
      expectClose(convolution(x, then: norm, adding: residual, relu: relu), (y + residual).relu(), relative: 1e-4, absolute: 1e-4)
      norm.weight! *= 3
      expectClose(convolution(x, then: norm), norm(convolution(x)), relative: 1e-4, absolute: 1e-4)
      let model = Sequential([convolution, norm, relu, MaxPool2d(2)])
      expectClose(model(x), maxPool2d(norm(convolution(x)).relu(), kernelSize: 2), relative: 1e-4, absolute: 1e-4)
    }
  }

  @Test("with a history, in training and with hooks the layers are called")
  func inTurn() {
    let (convolution, norm) = layers(4, bias: true)
    let x = samples([2, 4, 6, 6], seed: 6).to(.float32)
    norm.isTraining = false
    let y = convolution(x, then: norm)
    #expect(y.requiresGrad)
    y.sum().backward()
    #expect(convolution.weight.grad?.abs().sum().item() ?? 0 > 0)
    var seen = 0
    let hook = norm.registerForwardHook { _, _, _ in
      seen += 1
      return nil
    }
    noGrad { _ = convolution(x, then: norm) }
    #expect(seen == 1)
    hook.remove()
    norm.isTraining = true
    noGrad { _ = Sequential([convolution, norm])(x) }
    #expect(norm.numBatchesTracked?.item() == 1)
  }
}
