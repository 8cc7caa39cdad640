/// What a normalization gives, and what its gradient needs beside the input.
package struct NormalizedData {
  package var output: TensorData
  /// Of each group of numbers that share statistics, in the order of the groups; float64, without other axes.
  package var mean: TensorData
  /// Biased: divided by the number of values.
  package var variance: TensorData

  package static let invalid = NormalizedData(output: .invalid, mean: .invalid, variance: .invalid)
}

/// The gradients of a normalization.
package struct NormalizationGradient {
  package var input: TensorData
  package var weight: TensorData
  package var bias: TensorData

  package static let invalid = NormalizationGradient(input: .invalid, weight: .invalid, bias: .invalid)
}

/// Which numbers of `[N, C, …]` share mean and variance.
package enum StatisticsGroups: Sendable {
  /// Those of one channel, in all samples.
  case channels
  /// Those of one sample in one of `count` sets of neighbouring channels.
  case samples(count: Int)
}
