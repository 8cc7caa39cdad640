// A network that PyTorch trained, in Apus: the parameters move by name.
//
// `digits.pth` was written by these lines; the digits came from Apus (20,000 of `SyntheticDigits`):
//
//     model = nn.Sequential(
//         nn.Conv2d(1, 4, 5, stride=3), nn.ReLU(), nn.Conv2d(4, 8, 3, stride=2), nn.ReLU(), nn.Flatten(), nn.Linear(72, 10))
//     … train it …
//     torch.save(model.state_dict(), "digits.pth")
//
// The same network in Apus has the same keys, in the same order, with the same shapes. Anything missing, left over or of another shape would
// be an error that lists all of it.

import Apus
import Foundation

let folder = URL(filePath: #filePath).deletingLastPathComponent()
let file = try PthFile(folder.appending(path: "digits.pth").path)
for entry in file.entries { print("\(entry.name): \(entry.shape)") }

let model = Sequential {
  Conv2d(1, 4, kernelSize: 5, stride: 3)
  ReLU()
  Conv2d(4, 8, kernelSize: 3, stride: 2)
  ReLU()
  Flatten()
  Linear(72, 10)
}
try model.loadStateDict(StateDict(file.tensors().map { ($0.name, $0.tensor) }))

let digits = SyntheticDigits.load(.test, count: 1_000).batch(at: Array(0..<1_000))
let logits = noGrad { model(digits.input) }
print("in Apus \(correctClasses(logits, digits.target)) of 1000 digits are right; PyTorch counted 983")

// PyTorch's answers to the first digit, printed with `print(model(x[:1]))`.
let theirs = Tensor([
  -8.34153747, -4.70827341, -13.68252754, -4.94812202, 1.26534033, -10.74903584, -27.4092045, -10.49075127, 1.78505468,
  7.72361708,
])
print("the answers to the first digit agree within 1e-4: \((logits[0] - theirs).abs().amax().item() < 1e-4)")

// And back: PyTorch reads this with `torch.load`.
let copy = FileManager.default.temporaryDirectory.appending(path: "apus-digits-\(UUID()).pth").path
try TensorFile.write(model.stateDict().map { ($0.name, $0.tensor) }, to: copy)
let isSame = try zip(PthFile(copy).tensors(), file.tensors()).allSatisfy { ours, given in
  ours.name == given.name && (ours.tensor .== given.tensor).all().item(as: Bool.self)
}
try FileManager.default.removeItem(atPath: copy)
print("written and read again, nothing has changed: \(isSame)")

// Prints:
// 0.weight: [4, 1, 5, 5]
// 0.bias: [4]
// 2.weight: [8, 4, 3, 3]
// 2.bias: [8]
// 5.weight: [10, 72]
// 5.bias: [10]
// in Apus 983 of 1000 digits are right; PyTorch counted 983
// the answers to the first digit agree within 1e-4: true
// written and read again, nothing has changed: true
