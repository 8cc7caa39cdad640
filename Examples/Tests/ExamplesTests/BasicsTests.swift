import Testing

@Suite("the basics")
struct BasicsTests {
  @Test("every program prints what its source promises", arguments: Program.names(in: "Basics"))
  func output(name: String) throws { try Program.expectPromise(of: name) }

  func expect(
    _ values: [Double], _ expected: [Double], within tolerance: Double, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(values.count == expected.count, sourceLocation: sourceLocation)
    for (x, y) in zip(values, expected) {
      #expect(abs(x - y) <= tolerance, "\(x) instead of \(y)", sourceLocation: sourceLocation)
    }
  }

  @Test("XOR is learned from most starts within a few thousand steps")
  func xor() throws {
    let learned = try Program("XOR").lines[0]
    let count = try #require(Int(learned.prefix { $0.isNumber }))
    #expect(count > 10, "\(learned)")
  }

  @Test("the regression finds 5 and 2, and agrees with least squares")
  func linearRegression() throws {
    let program = try Program("LinearRegression")
    let found = try #require(program.lines.first { $0.hasPrefix("y = ") }).dropFirst(4).dropLast(2)
    let numbers = found.split(separator: " + ").compactMap { Double($0) }
    expect(numbers, [5, 2], within: 0.1)
    expect(program.numbers(after: "y = "), program.numbers(after: "least squares"), within: 1e-3)
  }

  @Test("the fitted curve is nearer to the sine than the noise is")
  func sineFit() throws {
    let distance = try #require(Program("SineFit").numbers(after: "distance").first)
    #expect(distance < 0.05)
  }

  @Test("Newton's method visits exactly these points")
  func newton() throws {
    // x − f′(x) / f″(x) in double precision, with f′ = 4x³ − 4x and f″ = 12x² − 4.
    let points = [
      1.4545454545454546, 1.1510467893775467, 1.0253259289766978, 1.0009084519430513, 1.0000012353089454, 1.000000000002289, 1.0,
    ]
    expect(try Program("Newton").numbers(after: "step"), points, within: 1e-15)
  }

  @Test("the derivatives of tanh at 1 up to order 8")
  func tanhDerivatives() throws {
    // sympy: [N(diff(tanh(x), x, n).subs(x, 1), 40).round(8) for n in range(1, 9)]
    let derivatives = [
      0.41997434, -0.63970001, 0.62162668, 0.66509104, -5.55689356, 13.62407544, 12.28836789, -277.06213560,
    ]
    expect(try Program("TanhDerivatives").numbers(after: "order"), derivatives, within: 1e-8)
  }

  @Test("the gradient of the Goldstein-Price function at (1, 1)")
  func goldsteinPrice() throws {
    expect(try Program("GoldsteinPrice").numbers(after: "dz/d"), [-5376, 8064], within: 0)
  }

  @Test("double back-propagation of (dy/dx)³ + y with y = x² at 2")
  func doubleBackprop() throws {
    expect(try Program("DoubleBackprop").numbers(after: "dz/dx"), [100], within: 0)
  }

  @Test("forty lines of scalar autograd and Apus find the same gradient")
  func autogradByHand() throws {
    let lines = try Program("AutogradByHand").lines
    #expect(lines[0].dropFirst("by hand".count) == lines[1].dropFirst("by Apus".count))
  }

  @Test("the recurrence is learned through a graph that is cut every 20 steps")
  func truncatedBackprop() throws {
    let program = try Program("TruncatedBackprop")
    expect(program.numbers(after: "step 4000"), [0.9], within: 1e-3)
    #expect(program.lines.last == "memory has grown since step 40: false")
  }

  @Test("ten hidden units part the spirals, straight lines don't")
  func spiral() throws {
    let program = try Program("Spiral")
    #expect(try #require(program.numbers(after: "ten hidden units").first) > 0.93 * 300)
  }

  @Test("convolutions make fewer mistakes than a perceptron with five times their numbers")
  func convolutions() throws {
    let program = try Program("MNISTCNN")
    #expect(try percent(program, "convolutions") > percent(program, "perceptron"))
  }

  func percent(_ program: Program, _ name: String) throws -> Double {
    let line = try #require(program.lines.first { $0.hasPrefix(name) })
    return try #require(line.firstMatch(of: /([0-9.]+) % right/).flatMap { Double($0.1) })
  }
}
