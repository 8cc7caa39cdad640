import ApusCore
import ApusNN

/// A transformer that reads pictures (Dosovitskiy et al., "An image is worth 16x16 words", 2021): squares of a picture are its tokens, and what a further
/// token, the same for all pictures, has gathered from them in the end decides the class.
///
/// ```swift
/// let model = VisionTransformer.vitB16()  // ImageNet's: 86,567,656 parameters
/// let small = VisionTransformer(size: 32, patch: 4, layers: 6, heads: 4, width: 128, hidden: 256, classes: 10)
/// ```
///
/// Names and shapes are torchvision's, so its state dictionaries load.
public final class VisionTransformer: Module, Layer {
  public let convProj: Conv2d
  @Parameter public var classToken: Tensor  // [1, 1, width]
  public let encoder: VisionEncoder
  public let heads: Sequential
  private let size: Int

  /// - Parameters:
  ///   - size: height and width of pictures, a multiple of `patch`.
  ///   - patch: height and width of the squares.
  ///   - layers: blocks of attention and perceptron.
  ///   - heads: of the attention; a divisor of `width`.
  ///   - width: features of a token.
  ///   - hidden: features of the perceptrons.
  ///   - classes: features of the output.
  ///   - channels: of the pictures.
  ///   - dropout: of the embeddings and in the perceptrons.
  ///   - generator: for the parameters, which start as in torchvision (the head at 0), and the dropout.
  public init(
    size: Int, patch: Int, layers: Int, heads: Int, width: Int, hidden: Int, classes: Int = 1000, channels: Int = 3,
    dropout: Double = 0, generator: Generator = .default
  ) {
    let isFine = check(
      patch > 0 && size > 0 && size % patch == 0 && layers >= 0, .value, "VisionTransformer",
      "pictures of \(size) × \(size) are not made of squares of \(patch) × \(patch), or \(layers) layers are fewer than none")
    let (size, patch, count) = isFine ? (size, patch, layers) : (1, 1, 0)
    self.size = size
    convProj = Conv2d(channels, width, kernelSize: patch, stride: patch, generator: generator)
    let deviation = 1 / Double(channels * patch * patch).squareRoot()
    convProj.weight = Init.truncNormal(
      convProj.weight.shape, std: deviation, low: -2, high: 2, generator: generator)
    convProj.bias = Tensor.zeros([width])
    classToken = Tensor.zeros([1, 1, width])
    let tokens = (size / patch) * (size / patch) + 1
    encoder = VisionEncoder(
      tokens: tokens, layers: count, heads: heads, width: width, hidden: hidden, dropout: dropout, generator)
    let head = Linear(width, classes, generator: generator)
    head.weight = Tensor.zeros([classes, width])
    head.bias = Tensor.zeros([classes])
    self.heads = Sequential(named: ["head": head])
  }

  /// - Parameter x: `[batch, channels, size, size]`
  /// - Returns: `[batch, classes]`, unnormalised.
  public func forward(_ x: Tensor) -> Tensor {
    guard x.isValid,
      check(
        x.rank == 4 && x.shape[2] == size && x.shape[3] == size, .shape, "VisionTransformer",
        "pictures of shape \(x.shape) are not [batch, channels, \(size), \(size)]")
    else { return .invalid }
    let squares = convProj(x).flatten(startDim: 2).transpose(1, 2)
    guard squares.isValid else { return .invalid }
    let tokens = cat([classToken.expand(x.shape[0], 1, squares.shape[2]), squares], dim: 1)
    return heads(encoder(tokens).select(dim: 1, index: 0))
  }

  /// torchvision holds the token beside the layers, in front of them.
  public override var parts: [(name: String, value: Any)] {
    [("class_token", _classToken), ("conv_proj", convProj), ("encoder", encoder), ("heads", heads)]
  }
}

extension VisionTransformer {
  /// The paper's base model with squares of 16 × 16.
  public static func vitB16(classes: Int = 1000, size: Int = 224, generator: Generator = .default) -> VisionTransformer {
    VisionTransformer(
      size: size, patch: 16, layers: 12, heads: 12, width: 768, hidden: 3072, classes: classes, generator: generator)
  }

  /// A small one for pictures of 32 × 32.
  public static func tiny(classes: Int = 10, channels: Int = 3, size: Int = 32, generator: Generator = .default)
    -> VisionTransformer
  {
    VisionTransformer(
      size: size, patch: 4, layers: 6, heads: 4, width: 128, hidden: 256, classes: classes, channels: channels,
      generator: generator)
  }
}

/// Learned positions, blocks, and a normalization.
public final class VisionEncoder: Module, Layer {
  @Parameter public var posEmbedding: Tensor  // [1, tokens, width]
  public let dropout: Dropout
  public let layers: ModuleDict<VisionBlock>
  public let ln: LayerNorm

  init(tokens: Int, layers: Int, heads: Int, width: Int, hidden: Int, dropout: Double, _ generator: Generator) {
    posEmbedding = Init.normal([1, tokens, width], std: 0.02, generator: generator)
    self.dropout = Dropout(dropout, generator: generator)
    self.layers = ModuleDict(
      (0..<layers).map {
        ("encoder_layer_\($0)", VisionBlock(heads: heads, width: width, hidden: hidden, dropout: dropout, generator))
      })
    ln = LayerNorm(width, eps: 1e-6)
  }

  /// - Parameter x: `[batch, tokens, width]`
  public func forward(_ x: Tensor) -> Tensor {
    ln(layers.values.reduce(dropout(x + posEmbedding)) { x, block in block(x) })
  }
}

/// x + attention, then x + perceptron, each of the normalized x.
public final class VisionBlock: Module, Layer {
  public let ln1: LayerNorm
  public let selfAttention: MultiheadAttention
  public let dropout: Dropout
  public let ln2: LayerNorm
  public let mlp: Sequential

  init(heads: Int, width: Int, hidden: Int, dropout: Double, _ generator: Generator) {
    ln1 = LayerNorm(width, eps: 1e-6)
    selfAttention = MultiheadAttention(width, heads, batchFirst: true, generator: generator)
    self.dropout = Dropout(dropout, generator: generator)
    ln2 = LayerNorm(width, eps: 1e-6)
    func linear(_ inputs: Int, _ outputs: Int) -> Linear {
      let layer = Linear(inputs, outputs, generator: generator)
      layer.weight = Init.xavierUniform(layer.weight.shape, generator: generator)
      layer.bias = Init.normal([outputs], std: 1e-6, generator: generator)
      return layer
    }
    mlp = Sequential([
      linear(width, hidden), GELU(), Dropout(dropout, generator: generator), linear(hidden, width),
      Dropout(dropout, generator: generator),
    ])
  }

  public func forward(_ x: Tensor) -> Tensor {
    let y = x + dropout(selfAttention(ln1(x)))
    return y + mlp(ln2(y))
  }

  public override var parts: [(name: String, value: Any)] {
    [("ln_1", ln1), ("self_attention", selfAttention), ("dropout", dropout), ("ln_2", ln2), ("mlp", mlp)]
  }
}
