import Apus

// The networks of the recipes that are no models of their own.

/// Two convolutions with batch norm for grey pictures of 28×28, 1 → 32 → 64 channels, each halved by pooling, then 3136-128-10.
func smallConvolutionalNetwork() -> any Layer {
  Sequential {
    Conv2d(1, 32, kernelSize: 3, padding: 1)
    BatchNorm2d(32)
    ReLU()
    MaxPool2d(2)
    Dropout(0.25)
    Conv2d(32, 64, kernelSize: 3, padding: 1)
    BatchNorm2d(64)
    ReLU()
    MaxPool2d(2)
    Dropout(0.25)
    Flatten()
    Linear(64 * 7 * 7, 128)
    BatchNorm1d(128)
    ReLU()
    Dropout(0.5)
    Linear(128, 10)
  }
}

/// Six convolutions with batch norm for colour pictures of 32×32, two at each of 32, 64 and 128 channels, halved by pooling, then
/// 2048-256-10.
func colorConvolutionalNetwork() -> any Layer {
  var layers: [any Layer] = []
  for (input, output) in [(3, 32), (32, 64), (64, 128)] {
    layers += [Conv2d(input, output, kernelSize: 3, padding: 1), BatchNorm2d(output), ReLU()]
    layers += [Conv2d(output, output, kernelSize: 3, padding: 1), BatchNorm2d(output), ReLU(), MaxPool2d(2)]
  }
  return Sequential(layers + [Flatten(), Linear(128 * 4 * 4, 256), ReLU(), Dropout(0.5), Linear(256, 10)])
}
