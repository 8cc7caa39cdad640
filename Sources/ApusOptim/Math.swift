#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// xⁿ by repeated squaring: the same bits whatever the C library.
func power(_ x: Double, _ n: Int) -> Double {
  var (result, base, rest) = (1.0, x, n)
  while rest > 0 {
    if rest & 1 == 1 { result *= base }
    base *= base
    rest >>= 1
  }
  return result
}

/// `x` to the power of `y`.
func power(_ x: Double, _ y: Double) -> Double { pow(x, y) }

func cosine(_ x: Double) -> Double { cos(x) }
