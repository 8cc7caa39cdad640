import ApusCore

/// Changes a batch on its way from the loader to the model: augmentation, normalisation, mixing of samples.
///
/// Random numbers come from the generator that is passed in and from nowhere else. A loader gives each batch a generator of its own,
/// so what a transform does depends on the loader's seed, the epoch and the batch's number, not on threads.
///
/// ```swift
/// let loader = DataLoader(
///   cifar, batchSize: 128, shuffle: true, seed: 1,
///   transform: Compose(RandomCrop(32, padding: 4), RandomHorizontalFlip(), Normalize(mean: CIFAR10.mean, std: CIFAR10.std)))
/// ```
public protocol Transform: Sendable {
  func apply(_ batch: Batch, _ generator: Generator) -> Batch
}

/// A transform of pictures that leaves their labels as they are.
public protocol ImageTransform: Transform {
  /// - Parameter images: `[N, C, H, W]`, float32 or uint8.
  func apply(_ images: Tensor, _ generator: Generator) -> Tensor
}

extension ImageTransform {
  public func apply(_ batch: Batch, _ generator: Generator) -> Batch {
    Batch(input: apply(batch.input, generator), target: batch.target)
  }
}

/// One transform after the other.
public struct Compose: Transform {
  public let steps: [any Transform]

  public init(_ steps: [any Transform]) { self.steps = steps }

  public init(_ steps: any Transform...) { self.steps = steps }

  public func apply(_ batch: Batch, _ generator: Generator) -> Batch {
    steps.reduce(batch) { $1.apply($0, generator) }
  }
}

/// A transform that is applied to a batch with probability `p`, or else not at all.
public struct RandomApply: Transform {
  public let step: any Transform
  public let p: Double

  public init(_ step: any Transform, p: Double = 0.5) {
    self.step = step
    self.p = isProbability(p, "RandomApply") ? p : 0
  }

  public func apply(_ batch: Batch, _ generator: Generator) -> Batch {
    generator.uniform() < p ? step.apply(batch, generator) : batch
  }
}

extension DataLoader where Data.Batched == Batch {
  /// A loader whose batches go through `transform`; see the other initialisers for the rest.
  ///
  /// - Parameter seed: of the order and of the transform's random numbers; the default generator's (`manualSeed`) where none is given.
  public convenience init(
    _ dataset: Data, batchSize: Int, shuffle: Bool = false, seed: UInt64? = nil, dropLast: Bool = false, prefetch: Int = 2,
    workers: Int = 1, transform: some Transform
  ) {
    self.init(
      dataset, batchSize: batchSize, shuffle: shuffle, seed: seed, dropLast: dropLast, prefetch: prefetch, workers: workers,
      transform: { batch, generator in transform.apply(batch, generator) })
  }

  /// A loader with a sampler whose batches go through `transform`; see the other initialisers for the rest.
  public convenience init(
    _ dataset: Data, batchSize: Int, sampler: any Sampler, seed: UInt64? = nil, dropLast: Bool = false, prefetch: Int = 2,
    workers: Int = 1, transform: some Transform
  ) {
    self.init(
      dataset, batchSize: batchSize, sampler: sampler, seed: seed, dropLast: dropLast, prefetch: prefetch, workers: workers,
      transform: { batch, generator in transform.apply(batch, generator) })
  }
}
