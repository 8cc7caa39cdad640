import ApusCore
import ApusNN

// Float32 copies of parameters in half types. A step of 10⁻³ times a parameter is less than what bfloat16 can tell from nothing
// (half of 2⁻⁸), so such steps would be lost; added to a float32 copy, from which the parameter is rounded, they count.

/// What is remembered of a parameter beside its tensors.
struct MasterWeight {
  /// float32, in the parameter's shape.
  var value: Tensor
  /// The parameter as it was rounded from the copy. Holding on to it keeps its identity: once somebody else has changed the parameter,
  /// the copy is out of date.
  var rounded: Tensor?

  /// The copy for `p`, made anew where p is not what the copy was rounded to.
  static func current(_ old: MasterWeight?, for p: Tensor) -> Tensor {
    let fresh = { p.detach().to(.float32) }
    guard let old else { return fresh() }
    if let rounded = old.rounded { return rounded.data === p.data ? old.value : fresh() }
    // Loaded from a checkpoint.
    let isSame = (old.value.to(p.dtype) .== p.detach()).all()
    return isSame.item() != 0 ? old.value : fresh()
  }
}

extension ParameterGroup {
  /// Whether a parameter is updated by way of a float32 copy.
  func hasMaster(_ cell: ParameterCell) -> Bool { keepsMasterWeights && cell.dtype.itemSize == 2 }

  /// The dtype of what is remembered of a parameter.
  func stateType(of cell: ParameterCell) -> DType { hasMaster(cell) ? .float32 : cell.dtype }

  /// One step of a parameter in a half type by way of its float32 copy.
  func updateMaster(_ i: Int, _ gradient: Tensor, _ body: (inout Tensor, Tensor, inout ParameterState) -> Void) {
    noGrad {
      var master = MasterWeight.current(entries[i].state.master, for: entries[i].cell.value)
      // The step writes in place, so nobody else may hold the copy.
      entries[i].state.master = nil
      body(&master, gradient.detach().to(.float32), &entries[i].state)
      entries[i].cell.value.assign(master)
      entries[i].state.master = MasterWeight(value: master, rounded: entries[i].cell.value.detach())
    }
  }
}
