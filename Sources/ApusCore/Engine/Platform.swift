// The C library, by whatever name the platform calls it.
#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// An environment variable of this process, or nil.
package func environment(_ name: String) -> String? {
  getenv(name).map { String(cString: $0) }
}
