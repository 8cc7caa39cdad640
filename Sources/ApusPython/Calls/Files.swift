import ApusCore
import ApusFormats
import CApusPython

/// Reads a `.pth` file. May fail.
@c(apus_load)
public func apusLoad(
  _ path: UnsafePointer<CChar>, _ result: UnsafeMutablePointer<apus_value>, _ error: UnsafeMutablePointer<apus_error>
) {
  let path = String(cString: path)
  if let value = attempt(0, error, { try Pth.read(path) }) { result.pointee = apus_value(value) }
}

/// Writes a `.pth` file. May fail.
@c(apus_save)
public func apusSave(_ value: UnsafePointer<apus_value>, _ path: UnsafePointer<CChar>, _ error: UnsafeMutablePointer<apus_error>)
  -> Bool
{
  let path = String(cString: path)
  return attempt(0, error) { try Pth.write(PthValue(value.pointee), to: path) } != nil
}

/// Reads a file of named tensors by its suffix (safetensors, npy, npz, pth): a dictionary, and for safetensors its metadata. May fail.
@c(apus_load_tensors)
public func apusLoadTensors(
  _ path: UnsafePointer<CChar>, _ result: UnsafeMutablePointer<apus_value>, _ error: UnsafeMutablePointer<apus_error>
) {
  let path = String(cString: path)
  let value = attempt(0, error) { () -> PthValue in
    let contents = try TensorFile.read(path)
    let metadata = contents.metadata.sorted { $0.key < $1.key }.map {
      (key: PthValue.string($0.key), value: PthValue.string($0.value))
    }
    return .tuple([.stateDictionary(contents.tensors), .dictionary(metadata)])
  }
  if let value { result.pointee = apus_value(value) }
}

/// Writes a dictionary of tensors to a file of the format of its suffix; metadata only for safetensors. May fail.
@c(apus_save_tensors)
public func apusSaveTensors(
  _ tensors: UnsafePointer<apus_value>, _ metadata: UnsafePointer<apus_value>, _ path: UnsafePointer<CChar>,
  _ error: UnsafeMutablePointer<apus_error>
) -> Bool {
  let path = String(cString: path)
  return attempt(0, error) { () -> Void in
    let named = try dictionary(tensors).map { key, value in
      guard let tensor = value.tensor else { throw ArgumentError(.type, "save_file: '\(key)' is not a tensor") }
      return (name: key, tensor: tensor)
    }
    let text = try dictionary(metadata).map { key, value in
      guard case .string(let text) = value else { throw ArgumentError(.type, "save_file: metadata['\(key)'] is not a string") }
      return (key, text)
    }
    try TensorFile.write(named, metadata: Dictionary(text) { $1 }, to: path)
  } != nil
}

private func dictionary(_ value: UnsafePointer<apus_value>) throws -> [(String, PthValue)] {
  guard case .dictionary(let items, _) = try PthValue(value.pointee) else { return [] }
  return try items.map { item in
    guard case .string(let key) = item.key else { throw ArgumentError(.type, "save_file: the key \(item.key) is not a string") }
    return (key, item.value)
  }
}
