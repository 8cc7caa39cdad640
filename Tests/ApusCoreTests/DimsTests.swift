import ApusCore
import Testing

/// Lists of up to six entries and longer ones, which lie elsewhere, against arrays.
@Suite("sizes and strides")
struct DimsTests {
  @Test("every change is an array's", arguments: 0..<10)
  func changes(count: Int) {
    let values = (0..<count).map { $0 * $0 + 1 }
    let dims = Dims(values)
    #expect(Array(dims) == values && dims.count == count && dims == Dims(values))
    var appended = dims
    appended.append(7)
    #expect(Array(appended) == values + [7] && appended != dims && Array(dims) == values)
    #expect(Array(Dims(repeating: 3, count: count)) == [Int](repeating: 3, count: count))
    for i in 0..<count {
      var (array, changed) = (values, dims)
      array[i] = -5
      changed[i] = -5
      #expect(Array(changed) == array && changed == dims.replacing(i, with: -5) && changed != dims)
      array.remove(at: i)
      #expect(Array(dims.removing(at: i)) == array)
    }
    for i in 0...count {
      var array = values
      array.insert(-4, at: i)
      #expect(Array(dims.inserting(-4, at: i)) == array)
    }
    #expect(Array(dims.axes) == Array(0..<count))
    let order = Dims((0..<count).reversed())
    #expect(Array(dims.permuted(order)) == values.reversed())
    #expect(Set([dims, Dims(values), dims.axes]).count == (count == 0 ? 1 : 2))
    let strides = (0..<count).map { values[($0 + 1)...].reduce(1, *) }
    #expect(Array(dims.contiguousStrides) == strides)
  }

  @Test("tensors of nine axes: element-wise, reduced, turned, with gradients")
  func manyAxes() {
    let shape: Shape = [2, 1, 3, 1, 2, 1, 2, 3, 2]
    var x = Tensor.randn(shape, generator: Generator(seed: 1))
    x.requiresGrad = true
    let order = [8, 0, 7, 1, 6, 2, 5, 3, 4]
    let y = (x * 2).permute(order)
    #expect(y.shape == Shape(order.map { shape[$0] }))
    #expect(y[1, 1, 2, 0, 1, 2, 0, 0, 1].item() == 2 * x[1, 0, 2, 0, 1, 0, 1, 2, 1].item())
    let sums = y.sum(dims: [0, 2, 8])
    #expect(sums.shape == [2, 1, 2, 3, 1, 1] && y.sum(dims: [7, 8], keepDim: true).shape[8] == 1)
    (sums * sums).sum().backward()
    let again = x.detach().sum(dims: [8, 7, 4], keepDim: true).expand(shape)
    let difference = (x.grad! - 8 * again).abs().max()
    #expect(difference.item() < 1e-4)
  }
}
