/// The names that a pickle of tensors may mention: the whole list. Each is a case of this enum, none is ever looked up in a program.
enum PickleGlobal: Hashable, Sendable {
  case orderedDictionary, counter, set, byteArray, complex, encode
  case size, device, tensorClass, parameterClass
  case rebuildTensor, rebuildTensorV2, rebuildTensorV3, rebuildParameter, rebuildParameterWithState, rebuildFromType
  /// A class of storages; nil for one of bytes.
  case storage(TorchDType?)
  case dtype(TorchDType)

  private static let fixed: [String: PickleGlobal] = [
    "collections.OrderedDict": .orderedDictionary, "collections.Counter": .counter, "builtins.set": .set,
    "builtins.bytearray": .byteArray, "builtins.complex": .complex, "_codecs.encode": .encode, "torch.Size": .size,
    "torch.device": .device, "torch.Tensor": .tensorClass, "torch.nn.parameter.Parameter": .parameterClass,
    "torch._utils._rebuild_tensor": .rebuildTensor, "torch._utils._rebuild_tensor_v2": .rebuildTensorV2,
    "torch._utils._rebuild_tensor_v3": .rebuildTensorV3, "torch._utils._rebuild_parameter": .rebuildParameter,
    "torch._utils._rebuild_parameter_with_state": .rebuildParameterWithState,
    "torch._tensor._rebuild_from_type_v2": .rebuildFromType, "torch.storage.UntypedStorage": .storage(nil),
  ]

  private static let all: [String: PickleGlobal] = {
    var result = fixed
    for dtype in TorchDType.allCases {
      result["torch.\(dtype.rawValue)"] = .dtype(dtype)
      if let name = dtype.storageClass { result["torch.\(name)"] = .storage(dtype) }
    }
    return result
  }()

  init?(module: String, name: String) {
    // Python 2's name, which pickles of protocol 2 use.
    let module = module == "__builtin__" ? "builtins" : module
    guard let global = Self.all["\(module).\(name)"] else { return nil }
    self = global
  }
}
