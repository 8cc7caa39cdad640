import ApusCore
import ApusNN
import TestSupport
import Testing

@Suite("convolutions and norms whose channels are left open")
struct LazyLayerTests {
  @Test("a network takes its sizes from its first input, and prints what is not known yet")
  func network() {
    let model = Sequential {
      Conv2d(nil, 4, kernelSize: 3, padding: 1)
      BatchNorm2d(nil)
      ConvTranspose2d(nil, 6, kernelSize: 2, groups: 2)
      InstanceNorm2d(nil, affine: true)
      Flatten()
      Linear(nil, 2)
    }
    #expect(model[1].description == "BatchNorm2d(?, eps: 1e-05, momentum: 0.1, affine: true, trackRunningStats: true)")
    #expect(model[0].description.hasPrefix("Conv2d(in: ?, out: 4"))
    #expect(mistake { _ = model.parameters() } != nil)
    let y = model(Tensor.ones([2, 3, 4, 4]))
    #expect(y.shape == [2, 2])
    #expect(
      model.stateDict().map { "\($0.name) \($0.tensor.shape)" } == [
        "0.weight [4, 3, 3, 3]", "0.bias [4]", "1.weight [4]", "1.bias [4]", "1.running_mean [4]", "1.running_var [4]",
        "1.num_batches_tracked []", "2.weight [4, 3, 2, 2]", "2.bias [6]", "3.weight [6]", "3.bias [6]", "5.weight [2, 150]",
        "5.bias [2]",
      ])
    #expect((model[1] as? BatchNorm2d)?.numFeatures == 4)
    #expect(model.summary(input: [1, 3, 4, 4]).multiplyAdds == 4 * 16 * 27 + 4 * 16 * 3 * 4 + 300)
  }

  @Test("loading decides the sizes too, in the dtype that the layer has")
  func loading() throws {
    let makes: [() -> any Layer] = [
      { Conv1d(nil, 4, kernelSize: 3, groups: 2) }, { ConvTranspose1d(nil, 4, kernelSize: 3, groups: 2) }, { BatchNorm1d(nil) },
      { BatchNorm1d(nil, affine: false) }, { InstanceNorm1d(nil, affine: true) },
    ]
    for make in makes {
      let (source, target) = (make(), make())
      let x = samples([2, 6, 5], seed: 1).to(.float32)
      _ = source(x)
      target.to(.float64)
      #expect(target.awaitsInput)
      try target.loadStateDict(source.stateDict())
      #expect(!target.awaitsInput && target.parameters().allSatisfy { $0.dtype == .float64 })
      source.eval()
      target.eval()
      expectClose(target(x.to(.float64)).to(.float32), source(x), relative: 1e-4, absolute: 1e-5, "\(source)")
    }
  }

  @Test("without a batch the channels are the first axis")
  func unbatched() {
    let norm = InstanceNorm2d(nil, affine: true)
    #expect(norm(Tensor.ones([3, 4, 5])).shape == [3, 4, 5] && norm.numFeatures == 3)
    let conv = Conv2d(nil, 2, kernelSize: 1)
    #expect(conv(Tensor.ones([3, 4, 5])).shape == [2, 4, 5] && conv.inChannels == 3)
    let text = "BatchNorm1d(?, eps: 1e-05, momentum: 0.1, affine: true, trackRunningStats: true), takes its input size"
    #expect(mistake { _ = BatchNorm1d(nil).numFeatures }?.message.hasPrefix(text) == true)
  }
}
