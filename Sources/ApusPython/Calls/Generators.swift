import ApusCore
import CApusPython

func generator(_ handle: UnsafeMutableRawPointer) -> Generator {
  Unmanaged<Generator>.fromOpaque(handle).takeUnretainedValue()
}

/// A new generator.
@c(apus_generator_make)
public func apusGeneratorMake(_ seed: UInt64) -> UnsafeMutableRawPointer {
  Unmanaged.passRetained(Generator(seed: seed)).toOpaque()
}

/// The generator that ops use when none is named.
@c(apus_generator_default)
public func apusGeneratorDefault() -> UnsafeMutableRawPointer { Unmanaged.passRetained(Generator.default).toOpaque() }

/// Gives a handle back.
@c(apus_generator_release)
public func apusGeneratorRelease(_ handle: UnsafeMutableRawPointer) { Unmanaged<Generator>.fromOpaque(handle).release() }

/// Seed, stream and offset.
@c(apus_generator_state)
public func apusGeneratorState(_ handle: UnsafeMutableRawPointer, _ state: UnsafeMutablePointer<UInt64>) {
  let now = generator(handle).state
  (state[0], state[1], state[2]) = (now.seed, now.stream, now.offset)
}

@c(apus_generator_set_state)
public func apusGeneratorSetState(_ handle: UnsafeMutableRawPointer, _ state: UnsafePointer<UInt64>) {
  generator(handle).state = Generator.State(seed: state[0], stream: state[1], offset: state[2])
}
