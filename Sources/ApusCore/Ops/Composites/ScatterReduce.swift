/// How the elements that land on one place are combined.
public enum ScatterReduction: Sendable, CaseIterable {
  case sum, prod, mean, amax, amin
}

extension Tensor {
  /// A copy with the elements of `source` combined into `[index[i][j]][j]` (for dim 0), and so on.
  ///
  /// - Parameters:
  ///   - index: as for `scatterAdd`.
  ///   - reduction: `mean` divides by the number of elements (integers by ⌊ ⌋); equal extremes share the gradient; the gradient of
  ///     `prod` is exact also where elements are 0, to any order.
  ///   - includeSelf: whether the elements of self take part; those that nothing lands on stay in either case.
  public func scatterReduce(
    dim: Int, index: Tensor, _ source: Tensor, _ reduction: ScatterReduction, includeSelf: Bool = true
  ) -> Tensor {
    guard isValid, index.isValid, source.isValid, let axis = resolve(dim, "scatterReduce"), canScatter(axis, index, source) else {
      return .invalid
    }
    switch reduction {
    case .sum, .mean:
      let base = includeSelf ? self : scatter(dim: axis, index: index, 0)
      let sum = base.scatterAdd(dim: axis, index: index, source)
      return reduction == .sum ? sum : meanOfGroups(sum, axis, index, includeSelf)
    case .prod, .amax, .amin:
      let (places, used) = (placesInFlattened(axis, index), source.corner(index.shape).flatten())
      return reduction == .prod
        ? productsOfGroups(places, used, includeSelf)
        : extremesOfGroups(places, used, includeSelf, isMax: reduction == .amax)
    }
  }

  /// A copy with the slices of `source` combined into those that `index` (int64, one axis) names: see `scatterReduce`.
  public func indexReduce(
    dim: Int, index: Tensor, _ source: Tensor, _ reduction: ScatterReduction, includeSelf: Bool = true
  ) -> Tensor {
    guard isValid, index.isValid, source.isValid, let axis = resolve(dim, "indexReduce") else { return .invalid }
    guard
      check(rank > 0 && index.rank <= 1, .shape, "indexReduce", "an index of shape \(index.shape) for axis \(dim) of \(shape)"),
      check(
        source.data.shape == data.shape.replacing(axis, with: index.count), .shape, "indexReduce",
        "source of shape \(source.shape) where \(Shape(dims: data.shape.replacing(axis, with: index.count))) is needed")
    else { return .invalid }
    let column = index.reshape(Shape([index.count] + [Int](repeating: 1, count: rank - 1 - axis)))
    return scatterReduce(dim: axis, index: column.expand(source.shape), source, reduction, includeSelf: includeSelf)
  }

  /// Whether index and source fit this tensor and each other; a mistake otherwise.
  private func canScatter(_ axis: Int, _ index: Tensor, _ source: Tensor) -> Bool {
    let areRanksEqual = index.rank == rank && source.rank == rank
    let fits =
      areRanksEqual
      && (0..<rank).allSatisfy { i in
        index.data.shape[i] <= source.data.shape[i] && (i == axis || index.data.shape[i] <= data.shape[i])
      }
    guard check(index.dtype == .int64, .dtype, "scatterReduce", "the index is \(index.dtype), not int64"),
      check(source.dtype == dtype, .dtype, "scatterReduce", "source is \(source.dtype), the tensor \(dtype)"),
      check(
        fits, .shape, "scatterReduce",
        "an index of shape \(index.shape) for a tensor of shape \(shape) and a source of shape \(source.shape)")
    else { return false }
    guard index.count > 0 else { return true }
    let (size, low, high) = (rank == 0 ? 1 : data.shape[axis], index.amin().item(as: Int.self), index.amax().item(as: Int.self))
    return check(
      low >= 0 && high < size, .index, "scatterReduce", "index \(low < 0 ? low : high) is not in axis \(axis) of \(shape)")
  }

  /// Where each element of a scatter along `axis` lands in the flattened tensor: one axis, row-major over `index`.
  private func placesInFlattened(_ axis: Int, _ index: Tensor) -> Tensor {
    let strides = data.shape.contiguousStrides
    var places = index * (rank == 0 ? 1 : strides[axis])
    for i in 0..<rank where i != axis {
      let sizes = (0..<rank).map { $0 == i ? index.shape[i] : 1 }
      places = places + (Tensor.arange(index.shape[i]) * strides[i]).reshape(Shape(sizes))
    }
    return places.flatten()
  }

  private func meanOfGroups(_ sum: Tensor, _ axis: Int, _ index: Tensor, _ includeSelf: Bool) -> Tensor {
    let ones = Tensor.ones(shape, dtype: dtype)
    let base = includeSelf ? ones : ones.scatter(dim: axis, index: index, 0)
    let counts = base.scatterAdd(dim: axis, index: index, Tensor.ones(index.shape, dtype: dtype))
    let n = `where`(counts .== 0, 1, counts)
    return dtype.isFloatingPoint ? sum / n : sum.floorDivide(n)
  }

  /// Products by a recurrence over the elements sorted by their places, which starts anew at each place.
  private func productsOfGroups(_ places: Tensor, _ source: Tensor, _ includeSelf: Bool) -> Tensor {
    let base = includeSelf ? flatten() : flatten().scatter(dim: 0, index: places, 1)
    let (keys, order) = cat([Tensor.arange(count), places]).sort()
    let wide: DType = dtype.itemSize == 2 && dtype.isFloatingPoint ? .float32 : dtype.sumType
    let x = cat([base, source]).to(wide).indexSelect(dim: 0, index: order)
    guard x.count > 0 else { return self }
    let isFirst = cat([Tensor([true]), keys.diff() .!= 0])
    let isLast = cat([keys.diff() .!= 0, Tensor([true])])
    let products = linearRecurrence(`where`(isFirst, 0, x), `where`(isFirst, x, 0))
    return products.maskedSelect(isLast).to(dtype).reshape(shape)
  }

  private func extremesOfGroups(_ places: Tensor, _ source: Tensor, _ includeSelf: Bool, isMax: Bool) -> Tensor {
    let y = extremes(places, source, includeSelf, isMax: isMax)
    let takesPart = includeSelf ? Tensor([true]) : Tensor.ones([count], dtype: .bool).scatter(dim: 0, index: places, false)
    let name: StaticString = isMax ? "scatterReduce amax" : "scatterReduce amin"
    let x = flatten()
    return recorded(
      y.data, .named(name),
      .fromBoth { dy, y, inputs in
        let (y, places) = (y.detach(), places)
        let isOwn = ((inputs[0].detach() .== y) .& takesPart).to(dy.dtype)
        let isSource = (inputs[1].detach() .== y.indexSelect(dim: 0, index: places)).to(dy.dtype)
        let share = dy / isOwn.scatterAdd(dim: 0, index: places, isSource).clamp(min: 1)
        return [share * isOwn, share.indexSelect(dim: 0, index: places) * isSource]
      }, x, source
    ).reshape(shape)
  }

  /// The values of `extremesOfGroups`; NaN wins.
  private func extremes(_ places: Tensor, _ source: Tensor, _ includeSelf: Bool, isMax: Bool) -> Tensor {
    func run<T: TensorScalar>(_: T.Type) -> Tensor {
      var best = scalars(as: T.self)
      var isTaken = [Bool](repeating: includeSelf, count: best.count)
      for (place, x) in zip(places.scalars(as: Int.self), source.scalars(as: T.self)) {
        let old = best[place]
        let isBetter = isMax ? T.precedes(old, x) : T.precedes(x, old) && !old.asDouble.isNaN
        if !isTaken[place] || isBetter || x.asDouble.isNaN { best[place] = x }
        isTaken[place] = true
      }
      return Tensor(scalars: best, shape: nil, dtype: T.dtype)
    }
    return run(dtype.scalarType)
  }
}
