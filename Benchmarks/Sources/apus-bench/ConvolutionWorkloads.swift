import Apus

/// Convolution, normalization, ReLU.
@LayerBuilder private func block(_ inputs: Int, _ outputs: Int) -> [any Layer] {
  Conv2d(inputs, outputs, kernelSize: 3, padding: 1)
  BatchNorm2d(outputs)
  ReLU()
}

/// A classifier of pictures into 10 classes, cross-entropy.
private func pictures(
  _ name: String, _ shape: Shape, _ model: @escaping () -> any Layer, _ optimizer: @escaping ([ParameterCell]) -> Optimizer
) -> Workload {
  Workload(name, items: Double(shape[0])) {
    let model = model()
    let optimizer = optimizer(model.parameters())
    var batches = Batches { (images(shape), Tensor.randint(0, 10, [shape[0]])) }
    return {
      let (x, target) = batches()
      optimizer.zeroGrad()
      crossEntropy(model(x), target).backward()
      optimizer.step()
    }
  }
}

private func adam(_ parameters: [ParameterCell]) -> Optimizer { Adam(parameters, lr: 1e-3) }

private func generator() -> Sequential {
  Sequential {
    ConvTranspose2d(100, 256, kernelSize: 4, bias: false)
    BatchNorm2d(256)
    ReLU()
    ConvTranspose2d(256, 128, kernelSize: 4, stride: 2, padding: 1, bias: false)
    BatchNorm2d(128)
    ReLU()
    ConvTranspose2d(128, 64, kernelSize: 4, stride: 2, padding: 1, bias: false)
    BatchNorm2d(64)
    ReLU()
    ConvTranspose2d(64, 1, kernelSize: 4, stride: 2, padding: 1, bias: false)
    Tanh()
  }
}

private func discriminator() -> Sequential {
  Sequential {
    Conv2d(1, 64, kernelSize: 4, stride: 2, padding: 1, bias: false)
    LeakyReLU(negativeSlope: 0.2)
    Conv2d(64, 128, kernelSize: 4, stride: 2, padding: 1, bias: false)
    BatchNorm2d(128)
    LeakyReLU(negativeSlope: 0.2)
    Conv2d(128, 256, kernelSize: 4, stride: 2, padding: 1, bias: false)
    BatchNorm2d(256)
    LeakyReLU(negativeSlope: 0.2)
    Conv2d(256, 1, kernelSize: 4, bias: false)
  }
}

/// A forward pass of ImageNet's ResNet-18 in evaluation mode.
private func inference(_ name: String, batch: Int) -> Workload {
  Workload(name, items: Double(batch)) {
    let model = ResNet.resnet18()
    model.eval()
    let x = images([batch, 3, 224, 224])
    return { noGrad { evaluate(model(x)) } }
  }
}

var convolutionWorkloads: [Workload] {
  [
    pictures(
      "cnn-mnist", [64, 1, 28, 28],
      {
        Sequential {
          block(1, 32)
          MaxPool2d(2)
          Dropout(0.25)
          block(32, 64)
          MaxPool2d(2)
          Dropout(0.25)
          Flatten()
          Linear(3136, 128)
          BatchNorm1d(128)
          ReLU()
          Dropout(0.5)
          Linear(128, 10)
        }
      }, adam),
    pictures(
      "cnn-cifar", [128, 3, 32, 32],
      {
        Sequential {
          for (inputs, outputs) in [(3, 32), (32, 64), (64, 128)] {
            block(inputs, outputs)
            block(outputs, outputs)
            MaxPool2d(2)
          }
          Flatten()
          Linear(2048, 256)
          ReLU()
          Dropout(0.5)
          Linear(256, 10)
        }
      }, adam),
    pictures(
      "resnet18-cifar", [32, 3, 32, 32], { ResNet.resnet18(classes: 10, stem: .cifar) },
      { SGD($0, lr: 0.01, momentum: 0.9, weightDecay: 5e-4) }),
    Workload("dcgan", items: 64) {
      let (g, d) = (generator(), discriminator())
      let (optimizerG, optimizerD) = (
        Adam(g.parameters(), lr: 2e-4, betas: (0.5, 0.999)), Adam(d.parameters(), lr: 2e-4, betas: (0.5, 0.999))
      )
      var batches = Batches { (images([64, 1, 32, 32]), Tensor.randn([64, 100, 1, 1])) }
      let (ones, zeros) = (Tensor.ones([64, 1, 1, 1]), Tensor.zeros([64, 1, 1, 1]))
      return {
        let (real, noise) = batches()
        let fake = g(noise)
        optimizerD.zeroGrad()
        (binaryCrossEntropyWithLogits(d(real), ones) + binaryCrossEntropyWithLogits(d(fake.detach()), zeros)).backward()
        optimizerD.step()
        optimizerG.zeroGrad()
        d.requiresGrad(false)
        binaryCrossEntropyWithLogits(d(fake), ones).backward()
        d.requiresGrad(true)
        optimizerG.step()
      }
    },
  ]
}

var convolutionInferenceWorkloads: [Workload] {
  [inference("resnet18-infer-b1", batch: 1), inference("resnet18-infer-b16", batch: 16)]
}
