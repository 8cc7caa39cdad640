// A module of one's own, saved and loaded.

import Apus

final class Autoencoder: Module, Layer {
  let encoder: Sequential
  let decoder: Sequential
  @Parameter var scale: Tensor  // []

  init(_ size: Int, code: Int) {
    encoder = Sequential {
      Linear(size, code)
      Tanh()
    }
    decoder = Sequential { Linear(code, size) }
    scale = Tensor(1.0)
    super.init()
  }

  func forward(_ x: Tensor) -> Tensor { decoder(encoder(x)) * scale }
}

let model = Autoencoder(16, code: 4)
print(model)
for (name, cell) in model.namedParameters() { print(name, cell.shape) }

let copy = Autoencoder(16, code: 4)
try copy.loadStateDict(model.stateDict())
let x = Tensor.rand([2, 16])
print(((model(x) - copy(x)).abs().amax()).item())

// Prints:
// Autoencoder(
//   (encoder): Sequential(
//     (0): Linear(in: 16, out: 4, bias: true)
//     (1): Tanh()
//   )
//   (decoder): Sequential(
//     (0): Linear(in: 4, out: 16, bias: true)
//   )
// )
// scale []
// encoder.0.weight [4, 16]
// encoder.0.bias [4]
// decoder.0.weight [16, 4]
// decoder.0.bias [16]
// 0.0
