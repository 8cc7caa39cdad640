import ApusCore
import ApusNN
import CApusPython

/// What a Python tensor holds: a variable, so that in-place ops and optimizers can change what is in it. `apus_handle` in C.
typealias Handle = UnsafeMutableRawPointer

/// The variable behind a handle.
@inline(__always)
func cell(_ handle: UnsafeRawPointer) -> ParameterCell { Unmanaged<ParameterCell>.fromOpaque(handle).takeUnretainedValue() }

/// The tensor behind a handle.
@inline(__always)
func tensor(_ handle: UnsafeRawPointer) -> Tensor { cell(handle).content ?? .invalid }

/// A new variable that belongs to whoever gets the handle.
@inline(__always)
func owned(_ tensor: Tensor) -> Handle { Unmanaged.passRetained(ParameterCell(asIs: tensor)).toOpaque() }

/// Gives a handle back.
@c(apus_release)
public func apusRelease(_ handle: UnsafeMutableRawPointer) { Unmanaged<ParameterCell>.fromOpaque(handle).release() }

/// Another variable with the same tensor: what a call works with while it doesn't hold the interpreter's lock.
@c(apus_copy)
public func apusCopy(_ handle: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer { owned(tensor(handle)) }

/// Gives `target` the tensor of `source`.
@c(apus_assign)
public func apusAssign(_ target: UnsafeMutableRawPointer, _ source: UnsafeMutableRawPointer) {
  cell(target).content = tensor(source)
}

/// Whether two variables hold the same numbers in the same memory.
@c(apus_is_same)
public func apusIsSame(_ a: UnsafeMutableRawPointer, _ b: UnsafeMutableRawPointer) -> Bool { tensor(a).data === tensor(b).data }

/// Frees memory that this library has allocated.
@c(apus_free)
public func apusFree(_ pointer: UnsafeMutableRawPointer?) { free(pointer) }
