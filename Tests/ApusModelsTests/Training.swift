import ApusCore
import ApusNN
import Testing

/// Expects that every parameter of `model` has a finite gradient other than zero; then forgets them.
///
/// - Parameter exceptions: keys of parameters whose gradient is zero in exact arithmetic.
func expectGradients(_ model: Module, exceptions: Set<String> = [], sourceLocation: SourceLocation = #_sourceLocation) {
  let parameters = model.namedParameters()
  #expect(!parameters.isEmpty, sourceLocation: sourceLocation)
  for (name, cell) in parameters {
    let size = cell.grad.map { $0.abs().sum().item() } ?? 0
    #expect((size > 0 || exceptions.contains(name)) && size.isFinite, "\(name): \(size)", sourceLocation: sourceLocation)
  }
  model.zeroGrad()
}

/// A step of gradient descent by the gradient of `loss`; gives its value.
@discardableResult
func descend(_ loss: Tensor, _ cells: [ParameterCell], rate: Double) -> Double {
  for cell in cells { cell.grad = nil }
  loss.backward()
  noGrad {
    for cell in cells {
      if let gradient = cell.grad { cell.value -= rate * gradient }
    }
  }
  return loss.item()
}
