import ApusCore
import TestSupport
import Testing

@Suite("shapes and views")
struct MovementTests {
  let x = Tensor.arange(24).reshape(2, 3, 4)

  @Test("reshape infers one size and sees views where strides allow")
  func reshape() {
    #expect(x.reshape(4, -1).shape == [4, 6] && x.reshape([24]).shape == [24])
    #expect(x.reshape(-1).scalars(as: Int.self) == Array(0..<24))
    #expect(x.transpose(0, 1).reshape(3, 8)[1].scalars(as: Int.self) == [4, 5, 6, 7, 16, 17, 18, 19])
    #expect(Tensor(5).reshape(1, 1).shape == [1, 1] && Tensor.zeros([0, 3]).reshape(3, 0, 2).shape == [3, 0, 2])
    #expect(x.view(6, 4).shape == [6, 4])
    // A part of the axes stays in order: no copy.
    #expect(x.permute(1, 0, 2).view(3, 2, 2, 2).scalars(as: Int.self) == x.permute(1, 0, 2).contiguous().scalars(as: Int.self))
    expectMistake("reshape: [2, 3, 4] (24 elements) does not fit [5, 5]") { _ = x.reshape(5, 5) }
    expectMistake("reshape: [2, 3, 4] (24 elements) does not fit [5, -1]") { _ = x.reshape(5, -1) }
    expectMistake("reshape: [-1, -1] has −1 more than once") { _ = x.reshape(-1, -1) }
    expectMistake("reshape: [-2, 3] has a negative size") { _ = x.reshape(-2, 3) }
    expectMistake("view: shape [4, 3, 2] with strides [1, 4, 12] cannot be seen as [24] without a copy; use reshape") {
      _ = x.permute(2, 1, 0).view(24)
    }
  }

  @Test("flatten and unflatten are inverses")
  func flatten() {
    #expect(
      x.flatten(startDim: 1).shape == [2, 12] && x.flatten(startDim: 0, endDim: 1).shape == [6, 4]
        && Tensor(1).flatten().shape == [1])
    #expect(x.unflatten(dim: -1, [2, -1]).shape == [2, 3, 2, 2])
    expectMistake("unflatten: axis 2 of [2, 3, 4] does not split into [3, 2]") { _ = x.unflatten(dim: 2, [3, 2]) }
    expectMistake("flatten: startDim 2 comes after endDim 1") { _ = x.flatten(startDim: 2, endDim: 1) }
  }

  @Test("permutations move axes, not elements")
  func permutations() {
    #expect(x.permute(2, 0, 1).shape == [4, 2, 3] && x.permute(2, 0, 1)[3, 1, 2].item() == x[1, 2, 3].item())
    #expect(x.transpose(0, -1).shape == [4, 3, 2] && x.mT.shape == [2, 4, 3])
    #expect(x.movedim(0, -1).shape == [3, 4, 2] && x.movedim([0, 1], [2, 0]).shape == [3, 4, 2])
    #expect(Tensor(3.0).movedim(0, -1).shape == [])
    #expect(Tensor([[1, 2], [3, 4]]).T.scalars(as: Int.self) == [1, 3, 2, 4])
    expectMistake("permute: [0, 1] does not name every axis of [2, 3, 4]") { _ = x.permute(0, 1) }
    expectMistake("permute: axis 3 is not in -3..<3 (shape [2, 3, 4])") { _ = x.permute(0, 1, 3) }
    expectMistake("T: shape [2, 3, 4] is not a matrix; use mT or permute") { _ = x.T }
  }

  @Test("squeeze, unsqueeze, expand")
  func sizesOfOne() {
    #expect(x.unsqueeze(dim: 0).shape == [1, 2, 3, 4] && x.unsqueeze(dim: -1).shape == [2, 3, 4, 1])
    #expect(x.unsqueeze(dim: 1).squeeze().shape == [2, 3, 4] && x.squeeze(dim: 0).shape == [2, 3, 4])
    let row = Tensor([1, 2, 3])
    #expect(row.expand(2, 3).scalars(as: Int.self) == [1, 2, 3, 1, 2, 3] && row.expand(2, -1).shape == [2, 3])
    #expect(row.expand(2, 3).strides == [0, 1])
    expectMistake("expand: [3] does not broadcast to [3, 2]") { _ = row.expand(3, 2) }
    expectMistake("expand: [2, 3, 4] does not broadcast to [3, 4]") { _ = x.expand(3, 4) }
    expectMistake("unsqueeze: axis 4 is not in -4..<4 (shape [2, 3, 4])") { _ = x.unsqueeze(dim: 4) }
  }

  @Test("parts: narrow, select, split, chunk, unbind")
  func parts() {
    #expect(x.narrow(dim: 1, start: -2, count: 2)[0, 0, 0].item() == 4)
    #expect(x.select(dim: 1, index: -1)[1].scalars(as: Int.self) == [20, 21, 22, 23])
    #expect(x.split(3, dim: 2).map { $0.shape[2] } == [3, 1] && x.split([1, 0, 2], dim: 1).map { $0.shape[1] } == [1, 0, 2])
    #expect(x.chunk(2, dim: 1).map { $0.shape[1] } == [2, 1] && x.unbind(dim: 2).count == 4 && x.unbind()[1][0, 0].item() == 12)
    #expect(Tensor.arange(10).chunk(4).map(\.count) == [3, 3, 3, 1])
    expectMistake("narrow: 3 elements from 1 do not lie in axis 1 of [2, 3, 4]") { _ = x.narrow(dim: 1, start: 1, count: 3) }
    expectMistake("narrow: \(Int.max) elements from 1 do not lie in axis 1 of [2, 3, 4]") {
      _ = x.narrow(dim: 1, start: 1, count: .max)
    }
    expectMistake("select: index 3 is not in axis 1 of [2, 3, 4]") { _ = x.select(dim: 1, index: 3) }
    expectMistake("split: [1, 1] does not add up to axis 1 of [2, 3, 4]") { _ = x.split([1, 1], dim: 1) }
    expectMistake("chunk: 0 chunks of axis 0 of [2, 3, 4]") { _ = x.chunk(0) }
  }

  @Test("flip, roll, repeat, tril, triu")
  func rearranging() {
    #expect(x.flip(0, 2)[0, 0].scalars(as: Int.self) == [15, 14, 13, 12])
    #expect(x.flip(0).flip(0).scalars(as: Int.self) == Array(0..<24))
    #expect(Tensor([1, 2, 3]).roll(1, dim: 0).scalars(as: Int.self) == [3, 1, 2])
    #expect(Tensor([[1, 2], [3, 4]]).roll(-1).scalars(as: Int.self) == [2, 3, 4, 1])
    #expect(Tensor([1, 2]).repeat(2, 3).scalars(as: Int.self) == [1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2])
    #expect(Tensor([1, 2]).repeat(0).shape == [0])
    let m = Tensor([[1, 2, 3], [4, 5, 6], [7, 8, 9]])
    #expect(m.tril().scalars(as: Int.self) == [1, 0, 0, 4, 5, 0, 7, 8, 9])
    #expect(m.triu(diagonal: 1).scalars(as: Int.self) == [0, 2, 3, 0, 0, 6, 0, 0, 0])
    #expect(m.tril(diagonal: -1).scalars(as: Int.self) == [0, 0, 0, 4, 0, 0, 7, 8, 0])
    #expect((m .> 0).triu().dtype == .bool)
    expectMistake("repeat: [2] needs one non-negative count for each axis of [2, 3, 4]") { _ = x.repeat(2) }
    expectMistake("repeat: the size of [2] repeated [\(Int.max)] overflows") { _ = Tensor([1, 2]).repeat(.max) }
    expectMistake("tril: shape [3] has no rows and columns") { _ = Tensor([1, 2, 3]).tril() }
  }

  @Test("pictures with their channels last stay so when they are joined, and slices of them are computed with in that order")
  func joinedChannelsLast() {
    let x = samples([2, 3, 4, 5], seed: 1)
    let last = x.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)
    let joined = cat([last, x, last], dim: 1)
    #expect(joined.permute(0, 2, 3, 1).isContiguous && cat([x, last], dim: 1).isContiguous)
    expectClose(joined, cat([x, x, x], dim: 1), relative: 0, absolute: 0)
    let slice = joined.narrow(dim: 1, start: 2, count: 3)
    let plain = cat([x, x, x], dim: 1).narrow(dim: 1, start: 2, count: 3)
    expectClose(last + slice, x + plain, relative: 0, absolute: 0)
    expectClose(slice.flip([2]) * last, plain.flip([2]) * x, relative: 0, absolute: 0)
    #expect((last + slice).permute(0, 2, 3, 1).isContiguous)
  }

  @Test("cat and stack")
  func joining() {
    let a = Tensor([[1, 2]])
    #expect(cat([a, a, a]).shape == [3, 2] && cat([a, a], dim: -1).scalars(as: Int.self) == [1, 2, 1, 2])
    #expect(cat([a.T, a.T], dim: 1).scalars(as: Int.self) == [1, 1, 2, 2])
    #expect(
      cat([a, Tensor([[0.5, 0.5]])]).dtype == .float32 && cat([a, Tensor.zeros([0, 2], dtype: .int64)]).shape == [1, 2])
    #expect(stack([a, a], dim: -1).shape == [1, 2, 2] && stack([Tensor(1), Tensor(2)]).scalars(as: Int.self) == [1, 2])
    expectMistake("cat: no tensors") { _ = cat([]) }
    expectMistake("cat: tensor 1 of shape [3] does not fit [1, 2] outside axis 0") { _ = cat([a, Tensor([1, 2, 3])]) }
    expectMistake("cat: scalars have no axis to join along; use stack") { _ = cat([Tensor(1), Tensor(2)]) }
    expectMistake("stack: tensor 1 has shape [3], the first [1, 2]") { _ = stack([a, Tensor([1, 2, 3])]) }
  }

  @Test("more than four axes", arguments: 5...9)
  func manyAxes(rank: Int) {
    let shape = Shape((0..<rank).map { $0 % 2 + 1 })
    let y = Tensor.arange(shape.elementCount, dtype: .float64).reshape(shape)
    let reversed = y.permute((0..<rank).reversed())
    #expect(reversed.contiguous().permute((0..<rank).reversed()).scalars(as: Int.self) == Array(0..<shape.elementCount))
    #expect((reversed + reversed).sum().item() == y.sum().item() * 2)
    #expect(y.sum(dims: [1, 3]).rank == rank - 2)
    #expect(y.unsqueeze(dim: 2).squeeze(dim: 2).shape == shape)
  }

  @Test("sizes that overflow are errors", arguments: [DType.float32, .int8])
  func overflow(dtype: DType) {
    expectMistake("full: the size of a \(dtype) tensor of shape [4294967296, 4294967296] overflows") {
      _ = Tensor.zeros([1 << 32, 1 << 32], dtype: dtype)
    }
    #expect(mistake { _ = Tensor.zeros([1 << 50]) }?.kind == .outOfMemory)
    #expect(mistake { _ = Tensor.ones([1]).expand(1 << 40, 1 << 40) }?.kind == .shape)
    expectMistake("full: [-1] has a negative size") { _ = Tensor.zeros([-1]) }
  }
}
