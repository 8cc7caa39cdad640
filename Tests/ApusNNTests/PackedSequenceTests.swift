import ApusCore
import ApusNN
import TestSupport
import Testing

@Suite("packed sequences")
struct PackedSequenceTests {
  /// [steps, batch] with sequences of 2, 3 and 1 steps: 10, 20; 11, 21, 31; 12.
  private let padded = Tensor([[10.0, 11, 12], [20, 21, 99], [99, 31, 99]])

  // torch.nn.utils.rnn.pack_padded_sequence(padded, [2, 3, 1], enforce_sorted=False)
  @Test("packing sorts by length, goes step by step, and comes back")
  func packing() {
    let packed = packPaddedSequence(padded, lengths: [2, 3, 1], enforceSorted: false)
    #expect(packed.data.scalars(as: Float.self) == [11, 10, 12, 21, 20, 31])
    #expect(packed.batchSizes == [3, 2, 1] && packed.sortedIndices == [1, 0, 2] && packed.unsortedIndices == [1, 0, 2])
    #expect(packed.lengths == [2, 3, 1])
    let (back, lengths) = padPackedSequence(packed, paddingValue: -1)
    #expect(lengths == [2, 3, 1])
    expectClose(back, Tensor([[10.0, 11, 12], [20, 21, -1], [-1, 31, -1]]))
    let (wide, _) = padPackedSequence(packed, batchFirst: true, totalLength: 4)
    expectClose(wide, Tensor([[10.0, 20, 0, 0], [11, 21, 31, 0], [12, 0, 0, 0]]))
    let first = packPaddedSequence(padded.T, lengths: [2, 3, 1], batchFirst: true, enforceSorted: false)
    expectClose(first.data, packed.data, relative: 0)
    #expect(unpackSequence(packed).map { $0.scalars(as: Float.self) } == [[10, 20], [11, 21, 31], [12]])
  }

  @Test("sequences of several lengths are padded, packed and taken apart")
  func lists() {
    let sequences = [Tensor([[1.0, 2], [3, 4]]), Tensor([[5.0, 6]])]
    expectClose(padSequence(sequences), Tensor([[[1.0, 2], [5, 6]], [[3, 4], [0, 0]]]))
    expectClose(
      padSequence(sequences, batchFirst: true, paddingValue: 9, paddingSide: .left),
      Tensor([[[1.0, 2], [3, 4]], [[9, 9], [5, 6]]]))
    let packed = packSequence(sequences)
    #expect(packed.data.scalars(as: Float.self) == [1, 2, 5, 6, 3, 4] && packed.batchSizes == [2, 1])
    #expect(packed.sortedIndices == nil && packed.lengths == [2, 1])
    let parts = unpadSequence(padSequence(sequences), lengths: [2, 1])
    #expect(parts.map(\.shape) == [[2, 2], [1, 2]])
    let replaced = packed.with(packed.data * 2)
    #expect(replaced.data[0, 0].item() == 2 && replaced.batchSizes == packed.batchSizes)
  }

  @Test("gradients pass to what is inside the sequences, and nowhere else")
  func gradients() throws {
    try gradientCheck([samples([3, 2, 2], seed: 1)], order: 2) {
      padPackedSequence(packPaddedSequence($0[0], lengths: [1, 3], enforceSorted: false), paddingValue: 2).0
    }
    let x = Tensor([[1.0, 2], [3, 4]], requiresGrad: true)
    packPaddedSequence(x, lengths: [2, 1]).data.sum().backward()
    #expect(x.grad?.scalars(as: Float.self) == [1, 1, 1, 0])
  }

  @Test("mistakes are named")
  func mistakes() {
    expectMistake("packPaddedSequence: lengths [2, 3, 1] do not fall; sort the sequences, or pass enforceSorted: false") {
      _ = packPaddedSequence(padded, lengths: [2, 3, 1])
    }
    expectMistake("packPaddedSequence: 2 lengths for 3 sequences") { _ = packPaddedSequence(padded, lengths: [2, 3]) }
    expectMistake("packPaddedSequence: lengths [4, 1, 0] are not all in 1...3, the number of steps") {
      _ = packPaddedSequence(padded, lengths: [4, 1, 0])
    }
    expectMistake("packPaddedSequence: [3] has no steps and batch") { _ = packPaddedSequence(Tensor([1.0, 2, 3]), lengths: [1]) }
    expectMistake("padPackedSequence: totalLength 2 is less than the longest sequence, 3") {
      _ = padPackedSequence(packPaddedSequence(padded, lengths: [3, 2, 1]), totalLength: 2)
    }
    expectMistake("padSequence: takes at least one sequence, each with an axis of steps") { _ = padSequence([]) }
    expectMistake(
      "padSequence: sequence 1, float32 [1, 3], and sequence 0, float32 [2, 2], differ in more than length"
    ) { _ = padSequence([Tensor.zeros([2, 2]), Tensor.zeros([1, 3])]) }
    expectMistake("unpadSequence: 2 lengths for a tensor of shape [3, 3]") { _ = unpadSequence(padded, lengths: [1, 2]) }
  }
}
