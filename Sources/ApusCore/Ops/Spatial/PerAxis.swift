/// A setting of a convolution or pooling along each spatial axis: an `Int` for all axes alike, or an array with one for each
/// (`stride: 2`, `stride: [2, 1]`), the first for the axis after the channels.
public protocol PerAxis: Sendable {
  /// One number for each of `count` spatial axes; nil where there are more or fewer.
  func perAxis(_ count: Int) -> [Int]?
}

extension Int: PerAxis {
  public func perAxis(_ count: Int) -> [Int]? { [Int](repeating: self, count: count) }
}

extension [Int]: PerAxis {
  public func perAxis(_ count: Int) -> [Int]? { self.count == count ? self : nil }
}
