// Reductions along a line and of rows, extremum positions, cumulative sums, softmax.

import CKernels
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

extension apus_reduce_op {
  static let all = (0..<APUS_REDUCE_COUNT.rawValue).map { apus_reduce_op(rawValue: $0) }
  var name: String { ["sum", "prod", "max", "min", "all", "any", "square_sum"][Int(rawValue)] }

  func combine(_ a: Double, _ x: Double) -> Double {
    switch self {
    case APUS_REDUCE_sum: a + x
    case APUS_REDUCE_square_sum: a + x * x
    case APUS_REDUCE_prod: a * x
    case APUS_REDUCE_max: a.isNaN || x.isNaN ? .nan : max(a, x)
    case APUS_REDUCE_min: a.isNaN || x.isNaN ? .nan : min(a, x)
    case APUS_REDUCE_all: a != 0 && x != 0 ? 1 : 0
    default: a != 0 || x != 0 ? 1 : 0
    }
  }
  func combine(_ a: Int64, _ x: Int64) -> Int64 {
    switch self {
    case APUS_REDUCE_sum: a &+ x
    case APUS_REDUCE_square_sum: a &+ x &* x
    case APUS_REDUCE_prod: a &* x
    case APUS_REDUCE_max: max(a, x)
    case APUS_REDUCE_min: min(a, x)
    case APUS_REDUCE_all: a != 0 && x != 0 ? 1 : 0
    default: a != 0 || x != 0 ? 1 : 0
    }
  }
}

extension apus_dtype {
  var accumulator: apus_dtype { self == APUS_F64 ? APUS_F64 : isFloat ? APUS_F32 : APUS_I64 }
}

/// Finite numbers of moderate size; `nearOne` is for products, which otherwise leave the range.
private func finite(_ line: Line, nearOne: Bool = false) -> Line {
  for i in 0..<(line.stride == 0 ? 1 : line.count) where line.dtype.isFloat {
    let x = Samples.real(i + 200).truncatingRemainder(dividingBy: 8)
    line.set(i, nearOne ? 1 + x * 1e-4 : x)
  }
  return line.dtype.isFloat ? line : line.fill()
}

/// Neumaier's sum, which loses nothing that float64 results could show.
private func compensatedSum(_ terms: [Double]) -> Double {
  var sum = 0.0, lost = 0.0
  for v in terms {
    let next = sum + v
    lost += abs(sum) >= abs(v) ? (sum - next) + v : (v - next) + sum
    sum = next
  }
  return sum + lost
}

@Suite struct ReductionTests {
  @Test("a line is reduced onto its accumulator", arguments: apus_isa.available)
  func inner(isa: apus_isa) throws {
    for op in apus_reduce_op.all {
      for dtype in apus_dtype.all {
        let kernel = try #require(apus_reduce_inner(isa, op, dtype))
        for n in lengths + [33, 513, 2500] {
          for stride in [1, 2, -1, 0] {
            let x = finite(Line(dtype, count: n, stride: stride), nearOne: op == APUS_REDUCE_prod)
            let acc = Line(dtype.accumulator, count: 1)
            apus_reduce_identity(op, dtype, acc.pointer)
            kernel(n, x.pointer, stride, acc.pointer)
            let what = "\(isa) \(op.name) \(dtype) n \(n) stride \(stride)"
            if dtype.isFloat {
              let isSum = op == APUS_REDUCE_sum || op == APUS_REDUCE_square_sum
              let terms = (0..<n).map { isSum ? op.combine(0, x.real($0)) : x.real($0) }
              let want = isSum ? compensatedSum(terms) : terms.reduce(identity(op), op.combine)
              let magnitude = (0..<n).reduce(0) { $0 + abs(op == APUS_REDUCE_square_sum ? x.real($1) * x.real($1) : x.real($1)) }
              let bound = 2 * Double(n).squareRoot() * acc.dtype.ulp(1) * (op == APUS_REDUCE_prod ? abs(want) : magnitude)
              let isSelection = [APUS_REDUCE_max, APUS_REDUCE_min, APUS_REDUCE_all, APUS_REDUCE_any].contains(op)
              #expect(acc.real(0) == want || abs(acc.real(0) - want) <= (isSelection ? 0 : bound), "\(what)")
            } else {
              var want = Line(APUS_I64, count: 1).int(0)
              let start = Line(APUS_I64, count: 1)
              apus_reduce_identity(op, dtype, start.pointer)
              want = start.int(0)
              for i in 0..<n { want = op.combine(want, x.int(i)) }
              #expect(acc.int(0) == want, "\(what)")
            }
          }
        }
      }
    }
  }
  private func identity(_ op: apus_reduce_op) -> Double {
    switch op {
    case APUS_REDUCE_max: -.infinity
    case APUS_REDUCE_min: .infinity
    case APUS_REDUCE_prod, APUS_REDUCE_all: 1
    default: 0
    }
  }

  @Test("an accumulator that holds something is kept")
  func continues() {
    for isa in apus_isa.available {
      var acc: Float = 10
      apus_reduce_inner(isa, APUS_REDUCE_sum, APUS_F32)!(3, [1, 2, 3] as [Float], 1, &acc)
      #expect(acc == 16)
      apus_reduce_inner(isa, APUS_REDUCE_max, APUS_F32)!(3, [1, 20, 3] as [Float], 1, &acc)
      #expect(acc == 20)
      acc = .nan
      apus_reduce_inner(isa, APUS_REDUCE_max, APUS_F32)!(3, [1, 20, 3] as [Float], 1, &acc)
      #expect(acc.isNaN)
    }
  }

  @Test("NaN wins a maximum and a minimum wherever it stands", arguments: apus_isa.available)
  func nan(isa: apus_isa) {
    for position in [0, 1, 17, 40, 511, 512, 600, 999] {
      var x = (0..<1000).map { Float($0 % 91) }
      x[position] = .nan
      for op in [APUS_REDUCE_max, APUS_REDUCE_min] {
        var acc: Float = 0
        apus_reduce_identity(op, APUS_F32, &acc)
        apus_reduce_inner(isa, op, APUS_F32)!(1000, x, 1, &acc)
        #expect(acc.isNaN)
      }
      #expect(apus_argmax(isa, APUS_F32)!(1000, x, 1) == Int64(position))
      #expect(apus_argmin(isa, APUS_F32)!(1000, x, 1) == Int64(position))
    }
  }

  @Test("the error of a sum grows like the logarithm, not the length", arguments: [1, 7, 64, 4096, 1_000_000])
  func sumError(count: Int) {
    for isa in apus_isa.available {
      for dtype in [APUS_F32, APUS_F64] {
        for isPositive in [false, true] {
          let x = finite(Line(dtype, count: count))
          if isPositive { for i in 0..<count { x.set(i, abs(x.real(i)) + 0.1) } }
          let terms = (0..<count).map(x.real)
          let sum = compensatedSum(terms), magnitude = terms.reduce(0) { $0 + abs($1) }
          let acc = Line(dtype, count: 1)
          acc.set(0, 0.0)
          apus_reduce_inner(isa, APUS_REDUCE_sum, dtype)!(count, x.pointer, 1, acc.pointer)
          let bound = 2 * Double(count).squareRoot() * dtype.ulp(1) * magnitude
          #expect(abs(acc.real(0) - sum) <= bound, "\(isa) \(dtype)")
          // Far inside the bound: 100 units of the sum of magnitudes' last place would be a sequential sum's.
          #expect(abs(acc.real(0) - sum) <= 12 * dtype.ulp(1) * magnitude, "\(isa) \(dtype) pairwise")
        }
      }
    }
  }

  @Test("a sum is the same bits for every stride and instruction set")
  func reproducible() {
    for dtype in apus_dtype.floats {
      for n in [10, 100, 511, 5000] {
        for op in [APUS_REDUCE_sum, APUS_REDUCE_square_sum, APUS_REDUCE_prod] {
          var results: Set<Double> = []
          for isa in apus_isa.available {
            for stride in [1, 3, -2] {
              let x = finite(Line(dtype, count: n, stride: stride), nearOne: op == APUS_REDUCE_prod)
              let acc = Line(dtype.accumulator, count: 1)
              apus_reduce_identity(op, dtype, acc.pointer)
              apus_reduce_inner(isa, op, dtype)!(n, x.pointer, stride, acc.pointer)
              results.insert(acc.real(0))
            }
          }
          #expect(results.count == 1, "\(op.name) \(dtype) n \(n): \(results)")
        }
      }
    }
  }

  @Test("rows are reduced into a row of accumulators, and accumulators into each other", arguments: apus_isa.available)
  func rows(isa: apus_isa) throws {
    for op in apus_reduce_op.all {
      for dtype in apus_dtype.all {
        let kernel = try #require(apus_reduce_rows(isa, op, dtype))
        for n in lengths {
          for stride in [1, 3, -1, 0] {
            let x = finite(Line(dtype, count: n, stride: stride))
            let acc = finite(Line(dtype.accumulator, count: n)), before = finite(Line(dtype.accumulator, count: n))
            if [APUS_REDUCE_all, APUS_REDUCE_any].contains(op) {
              for i in 0..<n { acc.set(i, Int64(i % 2)); before.set(i, Int64(i % 2)) }
            }
            kernel(n, x.pointer, stride, acc.pointer)
            let isSquareSum = op == APUS_REDUCE_square_sum
            let wrong = (0..<n).first { i in
              // a + x * x may be fused or not, and may cancel.
              dtype.isFloat
                ? !close(acc.real(i), op.combine(before.real(i), x.real(i)), acc.dtype, ulps: isSquareSum ? 1e4 : 0.5)
                : acc.int(i) != op.combine(before.int(i), x.int(i))
            }
            #expect(wrong == nil && acc.gapsAreUntouched, "\(isa) \(op.name) \(dtype) n \(n) stride \(stride)")
          }
        }
        let a = finite(Line(dtype.accumulator, count: 20)), b = Line(dtype.accumulator, count: 20)
        for i in 0..<20 { b.set(i, Int64(i % 4)) }
        let before = finite(Line(dtype.accumulator, count: 20))
        apus_reduce_combine(op, dtype, 20, a.pointer, b.pointer)
        let combine = op == APUS_REDUCE_square_sum ? APUS_REDUCE_sum : op
        let isRight = (0..<20).allSatisfy { i in
          dtype.isFloat
            ? close(a.real(i), combine.combine(before.real(i), b.real(i)), a.dtype, ulps: 0.5)
            : a.int(i) == combine.combine(before.int(i), b.int(i))
        }
        #expect(isRight, "combine \(op.name) \(dtype)")
      }
    }
  }

  @Test("finishing scales floats and converts to every dtype")
  func finish() {
    for dtype in apus_dtype.all {
      for to in apus_dtype.all {
        let acc = Line(dtype.accumulator, count: 9), y = Line(to, count: 9)
        for i in 0..<9 { acc.set(i, Int64(i * 12)) }
        apus_reduce_finish(dtype, 9, acc.pointer, 0.25, to, y.pointer)
        for i in 0..<9 {
          let want = Double(i * 12) * (dtype.isFloat ? 0.25 : 1)
          #expect(y.real(i) == (to == APUS_BOOL ? (want == 0 ? 0 : 1) : want), "\(dtype) to \(to)")
        }
      }
    }
  }

  @Test("the first extremum is found", arguments: apus_isa.available)
  func extrema(isa: apus_isa) throws {
    for dtype in apus_dtype.all {
      let argmax = try #require(apus_argmax(isa, dtype)), argmin = try #require(apus_argmin(isa, dtype))
      for n in [1, 2, 7, 64, 511, 512, 513, 1000, 3000] {
        for stride in [1, 2, -1, 0] {
          let x = finite(Line(dtype, count: n, stride: stride))
          var best = 0, least = 0
          for i in 0..<n {
            if dtype.isFloat ? x.real(i) > x.real(best) : x.int(i) > x.int(best) { best = i }
            if dtype.isFloat ? x.real(i) < x.real(least) : x.int(i) < x.int(least) { least = i }
          }
          #expect(argmax(n, x.pointer, stride) == Int64(best), "\(isa) \(dtype) n \(n) stride \(stride)")
          #expect(argmin(n, x.pointer, stride) == Int64(least), "\(isa) \(dtype) n \(n) stride \(stride)")
        }
      }
    }
  }

  @Test("running sums and products", arguments: apus_isa.available)
  func cumulative(isa: apus_isa) throws {
    for dtype in apus_dtype.all {
      let sum = try #require(apus_cumsum(isa, dtype)), product = try #require(apus_cumprod(isa, dtype))
      for n in lengths {
        for (sx, sy) in [(1, 1), (-1, 2), (0, 1)] {
          for (isProduct, kernel) in [(false, sum), (true, product)] {
            let x = finite(Line(dtype, count: n, stride: sx), nearOne: isProduct), y = Line(dtype, count: n, stride: sy)
            kernel(n, x.pointer, sx, y.pointer, sy)
            var real = isProduct ? 1.0 : 0.0, int: Int64 = isProduct ? 1 : 0, magnitude = 1.0, isRight = true
            for i in 0..<n {
              if dtype.isFloat {
                real = isProduct ? real * x.real(i) : real + x.real(i)
                magnitude += abs(x.real(i))
                let unit = dtype.ulp(1) + (dtype.size == 2 ? 0x1p-23 * Double(i) : 0)
                isRight = isRight && abs(y.real(i) - real) <= unit * (isProduct ? abs(real) : magnitude)
              } else {
                let v = x.int(i)
                int = dtype == APUS_BOOL ? (isProduct ? int & v : int | v) : isProduct ? int &* v : int &+ v
                isRight = isRight && y.int(i) == dtype.wrapped(int)
              }
            }
            #expect(isRight && y.gapsAreUntouched, "\(isa) \(dtype) product \(isProduct) n \(n) strides \(sx) \(sy)")
          }
        }
      }
    }
  }
}

@Suite struct SoftmaxTests {
  @Test("softmax and log softmax of every layout, in place too", arguments: apus_isa.available)
  func values(isa: apus_isa) throws {
    for dtype in apus_dtype.floats {
      for n in lengths + [10, 511, 512, 513, 2000] {
        for (sx, sy) in [(1, 1), (2, 1), (-1, -3), (0, 1)] {
          for isLog in [false, true] {
            let kernel = try #require(isLog ? apus_log_softmax(isa, dtype) : apus_softmax(isa, dtype))
            let x = finite(Line(dtype, count: n, stride: sx)), y = Line(dtype, count: n, stride: sy)
            kernel(n, x.pointer, sx, y.pointer, sy)
            let inPlace = finite(Line(dtype, count: n, stride: sx == 0 ? 1 : sx))
            if sx == 0 { for i in 0..<n { inPlace.set(i, x.real(0)) } }
            kernel(n, inPlace.pointer, inPlace.stride, inPlace.pointer, inPlace.stride)
            let top = (0..<n).map(x.real).max() ?? 0
            let total = (0..<n).reduce(0) { $0 + exp(x.real($1) - top) }
            for i in 0..<n {
              let z = x.real(i) - top, want = isLog ? z - log(total) : exp(z) / total
              let tolerance = dtype == APUS_F64 ? 1e-14 : 1e-6
              let bound = tolerance * max(abs(want), isLog ? 1 : 0) + 0.51 * (dtype.size == 2 ? dtype.ulp(want) : 0)
              if abs(y.real(i) - want) > bound || inPlace.real(i) != y.real(i) {
                Issue.record(
                  "\(isa) \(dtype) log \(isLog) n \(n) \(sx) \(sy) [\(i)]: \(y.real(i)), \(inPlace.real(i)) not \(want)")
                return
              }
            }
            #expect(y.gapsAreUntouched)
          }
        }
      }
    }
  }

  @Test("large inputs do not overflow; only -inf is NaN", arguments: apus_isa.available)
  func edges(isa: apus_isa) {
    var y = [Float](repeating: 0, count: 3)
    apus_softmax(isa, APUS_F32)!(3, [1000, 1000, -.infinity] as [Float], 1, &y, 1)
    #expect(y == [0.5, 0.5, 0])
    apus_softmax(isa, APUS_F32)!(3, [-.infinity, -.infinity, -.infinity] as [Float], 1, &y, 1)
    let isAllNaN = y.allSatisfy { $0.isNaN }
    #expect(isAllNaN)
    apus_log_softmax(isa, APUS_F32)!(3, [0, .nan, 1] as [Float], 1, &y, 1)
    let isLogAllNaN = y.allSatisfy { $0.isNaN }
    #expect(isLogAllNaN)
  }
}
