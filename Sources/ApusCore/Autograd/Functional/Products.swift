// Products of a Jacobian or Hessian with a vector, without the matrix. Vectors have the shapes of what they stand for.

/// vᵀJ, the vector–Jacobian product of `function` at `x`: how Σ v · function(x) changes with x.
///
/// - Parameters:
///   - v: in the shape of the function's value.
///   - createGraph: see `valueAndGrad(at:createGraph:_:)`.
/// - Returns: the function's value, and the product in the shape of `x`.
/// - Complexity: a forward and a backward pass.
public func vjp(at x: Tensor, along v: Tensor, createGraph: Bool = false, _ function: (Tensor) -> Tensor) -> (
  value: Tensor, product: Tensor
) {
  let (values, products) = vjp(at: [x], along: [v], createGraph: createGraph) { [function($0[0])] }
  return (values.first ?? .invalid, products[0])
}

/// The same for a function of several tensors with several values: one v for each value, one product for each input.
public func vjp(at xs: [Tensor], along vs: [Tensor], createGraph: Bool = false, _ function: ([Tensor]) -> [Tensor]) -> (
  values: [Tensor], products: [Tensor]
) {
  let point = Point(xs, createGraph, "vjp")
  let ys = point.value(function)
  guard areVectors(vs, for: ys, "vjp", "value") else { return (ys.map { _ in .invalid }, xs.map { _ in .invalid }) }
  return (ys.map(point.result), point.pullBack(vs, from: ys))
}

/// J v, the Jacobian–vector product of `function` at `x`: how the value changes when x moves along `v`.
///
/// The product uᵀJ is linear in u, and its derivative by u is J: so J v is a derivative of a derivative, and needs no forward-mode rules.
///
/// - Parameters:
///   - v: in the shape of `x`.
///   - createGraph: see `valueAndGrad(at:createGraph:_:)`.
/// - Returns: the function's value, and the product in the value's shape.
/// - Complexity: a forward and two backward passes, the first of them recorded: two to three times `vjp`.
public func jvp(at x: Tensor, along v: Tensor, createGraph: Bool = false, _ function: (Tensor) -> Tensor) -> (
  value: Tensor, product: Tensor
) {
  let (values, products) = jvp(at: [x], along: [v], createGraph: createGraph) { [function($0[0])] }
  return (values.first ?? .invalid, products.first ?? .invalid)
}

/// The same for a function of several tensors with several values: one v for each input, one product for each value.
public func jvp(at xs: [Tensor], along vs: [Tensor], createGraph: Bool = false, _ function: ([Tensor]) -> [Tensor]) -> (
  values: [Tensor], products: [Tensor]
) {
  let point = Point(xs, createGraph, "jvp")
  guard areVectors(vs, for: point.inputs, "jvp", "input") else { return ([], []) }
  let ys = point.value(function)
  let us = ys.map { Tensor.zerosLike($0.detach()).asVariable(false) }
  let products = point.pullBack(us, from: ys, createGraph: true)
  guard products.allSatisfy(\.isValid) else { return (ys.map { _ in .invalid }, ys.map { _ in .invalid }) }
  let found = gradients(of: products, vs, by: us, createGraph: createGraph, retainGraph: createGraph)
  return (ys.map(point.result), zip(found, us).map { $0 ?? Tensor.zerosLike($1.detach()) })
}

/// vᵀH, the product of a vector and the Hessian of `function` at `x`.
///
/// - Parameters:
///   - v: in the shape of `x`.
///   - createGraph: see `valueAndGrad(at:createGraph:_:)`.
///   - function: tensor in, tensor of one element out.
/// - Returns: the function's value, and the product in the shape of `x`.
/// - Complexity: a forward and two backward passes. Where second derivatives are continuous this is `hvp`, and quicker.
public func vhp(at x: Tensor, along v: Tensor, createGraph: Bool = false, _ function: (Tensor) -> Tensor) -> (
  value: Tensor, product: Tensor
) {
  let (value, products) = vhp(at: [x], along: [v], createGraph: createGraph) { function($0[0]) }
  return (value, products[0])
}

/// The same for a function of several tensors: a v and a product for each.
public func vhp(at xs: [Tensor], along vs: [Tensor], createGraph: Bool = false, _ function: ([Tensor]) -> Tensor) -> (
  value: Tensor, products: [Tensor]
) {
  var value = Tensor.invalid
  let (_, products) = vjp(at: xs, along: vs, createGraph: createGraph) { xs in
    let (y, gradients) = valueAndGrad(at: xs, createGraph: true, function)
    value = createGraph ? y : y.detach()
    return gradients
  }
  return (value, products)
}

/// H v, the product of the Hessian of `function` at `x` and a vector; with `vhp` the same thing nearly always, and that is quicker.
///
/// - Parameters:
///   - v: in the shape of `x`.
///   - createGraph: see `valueAndGrad(at:createGraph:_:)`.
///   - function: tensor in, tensor of one element out.
/// - Returns: the function's value, and the product in the shape of `x`.
/// - Complexity: a forward and three backward passes.
public func hvp(at x: Tensor, along v: Tensor, createGraph: Bool = false, _ function: (Tensor) -> Tensor) -> (
  value: Tensor, product: Tensor
) {
  let (value, products) = hvp(at: [x], along: [v], createGraph: createGraph) { function($0[0]) }
  return (value, products.first ?? .invalid)
}

/// The same for a function of several tensors: a v and a product for each.
public func hvp(at xs: [Tensor], along vs: [Tensor], createGraph: Bool = false, _ function: ([Tensor]) -> Tensor) -> (
  value: Tensor, products: [Tensor]
) {
  var value = Tensor.invalid
  let (_, products) = jvp(at: xs, along: vs, createGraph: createGraph) { xs in
    let (y, gradients) = valueAndGrad(at: xs, createGraph: true, function)
    value = createGraph ? y : y.detach()
    return gradients
  }
  return (value, products)
}

/// Checks that there is a vector for each of `xs`, in its shape.
private func areVectors(_ vs: [Tensor], for xs: [Tensor], _ operation: String, _ role: String) -> Bool {
  guard vs.allSatisfy(\.isValid), xs.allSatisfy(\.isValid),
    check(vs.count == xs.count, .value, operation, "\(vs.count) vectors for \(xs.count) \(role)s")
  else { return false }
  return zip(vs, xs).enumerated().allSatisfy { i, pair in
    check(pair.0.shape == pair.1.shape, .shape, operation, "vector \(i) is \(pair.0.shape), the \(role) \(pair.1.shape)")
  }
}
