import ApusCore
import TestSupport
import Testing

@Suite("errors of composites")
struct CompositeErrorTests {
  static let x = Tensor.ones([2, 3])
  static let integers = Tensor([1, 2])

  struct Mistake: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let body: @Sendable () -> Void

    init(_ text: String, body: @escaping @Sendable () -> Void) {
      testDescription = text
      self.body = body
    }
  }

  static let mistakes: [Mistake] = [
    Mistake("einsum: 'ij,jk->ik': 2 subscripts for 1 operands") { _ = einsum("ij,jk->ik", x) },
    Mistake("einsum: 'ij,jk': subscript 'j' has size 3 in operand 0, 2 in operand 1") { _ = einsum("ij,jk", x, x) },
    Mistake("einsum: 'ijk': 'ijk' does not name the axes of operand 0 of shape [2, 3]") { _ = einsum("ijk", x) },
    Mistake("einsum: 'i...jk': 'i...jk' does not name the axes of operand 0 of shape [2, 3]") { _ = einsum("i...jk", x) },
    Mistake("einsum: 'ij->ik': output subscript 'k' is in no operand") { _ = einsum("ij->ik", x) },
    Mistake("einsum: 'ij->ii': output subscript 'i' occurs twice") { _ = einsum("ij->ii", x) },
    Mistake("einsum: 'ii->i': subscript 'i' has sizes 2 and 3 in operand 0") { _ = einsum("ii->i", x) },
    Mistake("einsum: 'i1': '1' is not a letter, ',', '->' or '...'") { _ = einsum("i1", x) },
    Mistake("einsum: 'i.j': '.' is not a letter, ',', '->' or '...'") { _ = einsum("i.j", x) },
    Mistake("einsum: 'ij->i->j': more than one '->'") { _ = einsum("ij->i->j", x) },
    Mistake("einsum: '...i...': '...' occurs twice in '...i...'") { _ = einsum("...i...", x) },
    Mistake("einsum: '...i,...i': subscript '...' has size 2 in operand 0, 3 in operand 1") {
      _ = einsum("...i,...i", x, Tensor.ones([3, 3]))
    },
    Mistake("mm: [2, 3] × [2, 3]: inner sizes 3 and 2 differ") { _ = x.mm(x) },
    Mistake("mm: shape [2] has not 2 axes") { _ = x.mm(integers) },
    Mistake("dot: shape [2, 3] has not 1 axis") { _ = x.dot(x) },
    Mistake("bmm: [1, 2, 3] × [2, 3, 1]: the batches differ") { _ = Tensor.ones([1, 2, 3]).bmm(Tensor.ones([2, 3, 1])) },
    Mistake("inner: the last sizes of [2, 3] and [2] differ") { _ = x.inner(Tensor.ones([2])) },
    Mistake("addmm: [4] does not broadcast to the product's shape, [2, 2]") { _ = Tensor.ones([4]).addmm(x, x.T) },
    Mistake("tensordot: axis 0 of [2, 3] and axis 1 of [2, 3] have sizes 2 and 3") { _ = tensordot(x, x, dims: ([0], [1])) },
    Mistake("tensordot: dims = 3 for tensors of shapes [2, 3] and [2, 3]") { _ = tensordot(x, x, dims: 3) },
    Mistake("cdist: [2, 3] and [2, 2] are not matrices with rows of one length") { _ = cdist(x, Tensor.ones([2, 2])) },
    Mistake("addcdiv: does not divide int64 by int64; convert one to float") { _ = x.addcdiv(integers, integers) },
    Mistake("logaddexp: is not defined for int64") { _ = x.logaddexp(integers) },
    Mistake("isclose: float32 and int64 differ") { _ = x.isclose(integers) },
    Mistake("isclose: rtol = -1.0 and atol = 0.0 must not be negative") { _ = x.allclose(x, rtol: -1, atol: 0) },
    Mistake("norm: is not defined for int64") { _ = integers.norm() },
    Mistake("norm: the inf-norm of no elements, in [0] along [0]") { _ = Tensor.zeros([0]).norm(.infinity) },
    Mistake("median: no elements to choose from in [0, 2] along axis 0") { _ = Tensor.zeros([0, 2]).median(dim: 0) },
    Mistake("kthvalue: k = 4 is not in 1...3 (shape [2, 3])") { _ = x.kthvalue(4) },
    Mistake("quantile: q is not in 0...1") { _ = x.quantile(1.5) },
    Mistake("quantile: takes float32 and float64, not int64") { _ = integers.quantile(0.5) },
    Mistake("quantile: q is float64, the tensor float32") { _ = x.quantile(Tensor(0.5, dtype: .float64)) },
    Mistake("cumprod: axis 2 is not in -2..<2 (shape [2, 3])") { _ = x.cumprod(dim: 2) },
    Mistake("diff: a scalar has no neighbours") { _ = Tensor(1.0).diff() },
    Mistake("searchsorted: the sequence is float32, the values int64") { _ = searchsorted(Tensor.ones([2]), integers) },
    Mistake("searchsorted: a sequence of shape [2, 3] for values of shape [2]") { _ = searchsorted(x, Tensor.ones([2])) },
    Mistake("bincount: -1 is negative") { _ = Tensor([1, -1]).bincount() },
    Mistake("bincount: counts integers, not float32") { _ = Tensor.ones([2]).bincount() },
    Mistake("histc: the range 0.0...inf is not finite") { _ = x.histc(min: 0, max: .infinity) },
    Mistake("diagonal: axes 1 and -1 are the same") { _ = x.diagonal(dim1: 1, dim2: -1) },
    Mistake("diag: shape [1, 1, 1] is neither a vector nor a matrix") { _ = Tensor.ones([1, 1, 1]).diag() },
    Mistake("blockDiag: tensor 1 has shape [1, 1, 1]; it takes at most two axes") {
      _ = blockDiag([x, Tensor.ones([1, 1, 1])])
    },
    Mistake("broadcastTensors: [2, 3], [2] do not broadcast") { _ = broadcastTensors([x, integers]) },
    Mistake("meshgrid: tensor 1 has shape [2, 3]; it takes vectors") { _ = meshgrid([integers, x]) },
    Mistake("repeatInterleave: counts of shape [2] for axis 1 of [2, 3]") { _ = x.repeatInterleave(integers, dim: 1) },
    Mistake("rot90: [0] does not name two axes") { _ = x.rot90(dims: [0]) },
    Mistake("tensorSplit: 0 sections of axis 0 of [2, 3]") { _ = x.tensorSplit(0) },
    Mistake("unfold: windows of 4 in axis 1 of [2, 3]") { _ = x.unfold(dim: 1, size: 4, step: 1) },
    Mistake("take: index 6 is not in -6..<6") { _ = x.take(Tensor([6])) },
    Mistake("takeAlongDim: [2, 3] and [3, 1] do not broadcast") { _ = x.takeAlongDim(Tensor([[0], [0], [0]]), dim: 1) },
    Mistake("indexFill: index 3 is not in -3..<3") { _ = x.indexFill(dim: 1, index: Tensor([3]), 0) },
    Mistake("indexPut: values of shape [2] do not fit the part of shape [1, 3]") {
      _ = x.indexPut([Tensor([0])], Tensor.ones([2]))
    },
    Mistake("indexPut: the values are int64, the tensor float32") { _ = x.indexPut([Tensor([0])], integers) },
    Mistake("maskedScatter: 1 elements for 2 places") { _ = integers.maskedScatter(Tensor([true, true]), Tensor([1])) },
    Mistake("indexReduce: source of shape [2, 3] where [1, 3] is needed") {
      _ = x.indexReduce(dim: 0, index: Tensor([0]), x, .amax)
    },
    Mistake("scatterReduce: index 3 is not in axis 1 of [2, 3]") { _ = x.scatterReduce(dim: 1, index: Tensor([[3]]), x, .prod) },
    Mistake("scatterReduce: an index of shape [3, 1] for a tensor of shape [2, 3] and a source of shape [3, 3]") {
      _ = x.scatterReduce(dim: 1, index: Tensor([[0], [0], [0]]), Tensor.ones([3, 3]), .mean)
    },
    Mistake("scatterReduce: the index is float32, not int64") { _ = x.scatterReduce(dim: 1, index: x, x, .sum) },
    Mistake("polygamma: n = -1 is negative") { _ = x.polygamma(-1) },
    Mistake("gelu: is not defined for int64") { _ = integers.gelu() },
    Mistake("glu: axis -1 of [2, 3] has no two halves") { _ = x.glu() },
    Mistake("prelu: a weight of shape [2] for a tensor of shape [2, 3]") { _ = prelu(x, Tensor.ones([2])) },
    Mistake("softshrink: lambda = -1.0 is negative") { _ = x.softshrink(lambda: -1) },
    Mistake("hardtanh: min = 1.0 > max = 0.0") { _ = x.hardtanh(min: 1, max: 0) },
  ]

  @Test("say op, values and rule", arguments: mistakes)
  func texts(mistake: Mistake) { expectMistake(mistake.testDescription, mistake.body) }

  @Test("the first of several counts: composites pass an invalid tensor on")
  func invalid() {
    let error = mistake {
      let y = Self.x.reshape(7)
      _ = y.addcmul(y, y).logaddexp(y).xlogy(y).nanToNum().isclose(y)
      _ = isin(y, y).countNonzero().norm().quantile(0.5).median(dim: 3).values.mode().indices.kthvalue(9)
      _ = y.cumprod(dim: 4).cummax(dim: 2).values.logcumsumexp(dim: 7).diff(dim: 3).unique().counts.bincount().histc()
      _ = einsum("ij", y).mm(y).outer(y).addmm(y, y).kron(y).inner(y)
      _ = cdist(y, y).diagonal().diag(3).diagEmbed().rot90().tile(2).unfold(dim: 3, size: 4, step: 0).median()
      _ = tensordot(y, y).take(y).takeAlongDim(y, dim: 2).indexFill(dim: 2, index: y, 1).indexPut([y], y).maskedScatter(y, y)
      _ = y.scatterReduce(dim: 3, index: y, y, .prod).indexReduce(dim: 0, index: y, y, .amax).repeatInterleave(y, dim: 4)
      _ = y.gelu().glu().softplus().softmin(dim: 2).hardtanh().threshold(0, 0).tensorSplit(2).count
      _ = searchsorted(y, y) + bucketize(y, y) + cosineSimilarity(y, y) + pairwiseDistance(y, y) + normalize(y) + prelu(y, y)
      _ = blockDiag([y]) + hstack([y]) + vstack([y]) + meshgrid([y])[0] + broadcastTensors([y, y])[0]
    }
    #expect(error?.description == "reshape: [2, 3] (6 elements) does not fit [7]")
  }
}
