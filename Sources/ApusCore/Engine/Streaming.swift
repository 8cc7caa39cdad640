import CKernels

/// Writing results past the caches, where they are too large for any: a line that is written whole needn't be read first.
package enum Streaming {
  /// Bytes. What fits a shared cache is better left there for the op that reads it next.
  package static let threshold = 1 << 25

  /// Copies bytes, or writes zeros; nil for results of the usual sizes. Call `apus_stream_end` on the thread that has written.
  static func kernel(forResultOf byteCount: Int) -> apus_stream_kernel? {
    byteCount >= threshold ? apus_stream(Runtime.isa)! : nil
  }
}
