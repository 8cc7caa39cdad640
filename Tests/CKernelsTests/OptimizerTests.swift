// SGD and Adam steps against PyTorch's formulas in double.

import CKernels
import Testing

@Suite struct OptimizerTests {
  private let n = 37
  private func line(_ dtype: apus_dtype, _ from: Int, positive: Bool = false) -> Line {
    let line = Line(dtype, count: n)
    for i in 0..<n {
      let x = Samples.real(i + from).truncatingRemainder(dividingBy: 2)
      line.set(i, positive ? abs(x) : x)
    }
    return line
  }
  private func agree(_ got: Line, _ want: [Double], _ what: String) {
    let tolerance = 8 * got.dtype.ulp(1)
    let wrong = (0..<n).first { abs(got.real($0) - want[$0]) > tolerance * max(1, abs(want[$0])) }
    #expect(wrong == nil && got.gapsAreUntouched, "\(what)")
  }

  @Test("every combination of SGD's options, three steps", arguments: apus_isa.available)
  func sgd(isa: apus_isa) {
    for dtype in [APUS_F32, APUS_F64] {
      for bits in 0..<16 {
        var o = apus_sgd_options()
        o.lr = 0.1
        o.momentum = bits & 1 != 0 ? 0.9 : 0
        o.dampening = bits & 2 != 0 && bits & 4 == 0 ? 0.25 : 0
        o.nesterov = bits & 4 != 0
        o.maximize = bits & 8 != 0
        o.weight_decay = bits & 2 != 0 ? 0.01 : 0
        let p = line(dtype, 100), buf = Line(dtype, count: n)
        var wantP = (0..<n).map(p.real), wantBuf = [Double](repeating: 0, count: n)
        for step in 0..<3 {
          let g = line(dtype, 200 + 50 * step)
          o.first = step == 0
          apus_sgd(isa, dtype, n, p.pointer, g.pointer, o.momentum == 0 ? nil : buf.pointer, &o)
          for i in 0..<n {
            var d = (o.maximize ? -g.real(i) : g.real(i)) + o.weight_decay * wantP[i]
            if o.momentum != 0 {
              wantBuf[i] = step == 0 ? d : o.momentum * wantBuf[i] + (1 - o.dampening) * d
              d = o.nesterov ? d + o.momentum * wantBuf[i] : wantBuf[i]
            }
            wantP[i] -= o.lr * d
          }
        }
        agree(p, wantP, "\(isa) \(dtype) options \(bits)")
        if o.momentum != 0 { agree(buf, wantBuf, "\(isa) \(dtype) buffer \(bits)") }
      }
    }
  }

  @Test("every combination of Adam's options, three steps", arguments: apus_isa.available)
  func adam(isa: apus_isa) {
    for dtype in [APUS_F32, APUS_F64] {
      for bits in 0..<16 {
        var o = apus_adam_options()
        (o.lr, o.beta1, o.beta2, o.eps) = (0.01, 0.9, 0.999, 1e-8)
        o.weight_decay = bits & 1 != 0 ? 0.1 : 0
        o.decoupled = bits & 2 != 0
        o.maximize = bits & 4 != 0
        let isAmsgrad = bits & 8 != 0
        let p = line(dtype, 100), m = Line(dtype, count: n), v = Line(dtype, count: n), vmax = Line(dtype, count: n)
        for i in 0..<n { for l in [m, v, vmax] { l.set(i, 0.0) } }
        var wantP = (0..<n).map(p.real), wantM = [Double](repeating: 0, count: n), wantV = wantM, wantMax = wantM
        for step in 1...3 {
          let g = line(dtype, 200 + 50 * step)
          o.bias1 = 1 - power(o.beta1, step)
          o.bias2 = 1 - power(o.beta2, step)
          apus_adam(isa, dtype, n, p.pointer, g.pointer, m.pointer, v.pointer, isAmsgrad ? vmax.pointer : nil, &o)
          for i in 0..<n {
            var d = o.maximize ? -g.real(i) : g.real(i)
            if o.decoupled { wantP[i] *= 1 - o.lr * o.weight_decay } else { d += o.weight_decay * wantP[i] }
            wantM[i] = o.beta1 * wantM[i] + (1 - o.beta1) * d
            wantV[i] = o.beta2 * wantV[i] + (1 - o.beta2) * d * d
            wantMax[i] = max(wantMax[i], wantV[i])
            let root = (isAmsgrad ? wantMax[i] : wantV[i]).squareRoot() / o.bias2.squareRoot()
            wantP[i] -= o.lr / o.bias1 * wantM[i] / (root + o.eps)
          }
        }
        agree(p, wantP, "\(isa) \(dtype) options \(bits)")
        agree(m, wantM, "\(isa) \(dtype) m \(bits)")
        agree(v, wantV, "\(isa) \(dtype) v \(bits)")
        if isAmsgrad { agree(vmax, wantMax, "\(isa) \(dtype) vmax \(bits)") }
      }
    }
  }
  private func power(_ x: Double, _ n: Int) -> Double { (0..<n).reduce(1) { r, _ in r * x } }
}
