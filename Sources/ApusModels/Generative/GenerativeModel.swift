import ApusCore
import ApusNN

/// A model that new pictures can be drawn from: it makes a picture of a few normally distributed numbers.
///
/// ```swift
/// let grid = model.sample(64, label: 7, generator: Generator(seed: 1))  // [64, 1, 28, 28], from 0 to 1
/// ```
public protocol GenerativeModel: Module {
  /// How many numbers stand for a picture.
  var latent: Int { get }

  /// How many kinds of pictures can be asked for; 0 where there is nothing to choose.
  var classes: Int { get }

  /// The pictures that `noise` stands for.
  ///
  /// - Parameters:
  ///   - noise: `[batch, latent]`
  ///   - labels: `[batch]`, int64, each in `0 ..< classes`; nil where there are no classes.
  /// - Returns: `[batch, channels, height, width]`, brightness from 0 to 1.
  func pictures(_ noise: Tensor, labels: Tensor?) -> Tensor
}

extension GenerativeModel {
  /// New pictures, made in evaluation mode and without a history; afterwards the model is in the mode in which it was.
  ///
  /// - Parameters:
  ///   - count: how many.
  ///   - label: the class of all of them; nil for each class in turn.
  ///   - generator: for the noise.
  /// - Returns: `[count, channels, height, width]`, brightness from 0 to 1.
  public func sample(_ count: Int, label: Int? = nil, generator: Generator = .default) -> Tensor {
    let name = "\(type(of: self))"
    guard check(count >= 0, .value, name, "\(count) pictures"),
      check(label == nil || (0..<classes).contains(label!), .value, name, "no class \(label ?? 0) among \(classes)")
    else { return .invalid }
    let noise = Tensor.randn([count, latent], generator: generator)
    let labels = classes == 0 ? nil : Tensor((0..<count).map { label ?? $0 % classes }).reshape(count)
    return evaluating { pictures(noise, labels: labels) }
  }
}

extension Module {
  /// `body` without a history and with all modules in evaluation mode, in which batch norm depends on no other sample.
  func evaluating<R>(_ body: () -> R) -> R {
    let modes = modules().map { ($0, $0.isTraining) }
    eval()
    defer { for (module, isTraining) in modes { module.isTraining = isTraining } }
    return noGrad(body)
  }
}

/// Whether labels are there exactly where a model has classes, one for each of `batch` samples.
func areLabels(_ labels: Tensor?, _ classes: Int, batch: Int, _ name: String) -> Bool {
  guard let labels else {
    return check(classes == 0, .value, name, "labels are needed: one of \(classes) classes for each sample")
  }
  return check(classes > 0, .value, name, "labels where there are no classes")
    && check(labels.shape == [batch], .shape, name, "labels \(labels.shape) for \(batch) samples")
}

/// `x` with the class of each row behind it, as zeros and a one.
///
/// - Returns: `[batch, features + classes]`; invalid after a reported mistake.
func withClasses(_ x: Tensor, _ labels: Tensor?, _ classes: Int, _ name: String) -> Tensor {
  guard x.isValid, areLabels(labels, classes, batch: x.shape[0], name), let labels else { return .invalid }
  return cat([x, labels.oneHot(classes).to(x.dtype)], dim: 1)
}
