import Apus

/// Eight batches drawn beforehand, handed out in turn.
struct Batches {
  private let batches: [(x: Tensor, target: Tensor)]
  private var next = 0

  init(_ draw: () -> (x: Tensor, target: Tensor)) { batches = (0..<8).map { _ in draw() } }

  mutating func callAsFunction() -> (x: Tensor, target: Tensor) {
    defer { next = (next + 1) % batches.count }
    return batches[next]
  }
}

/// A classifier of [batch, features], cross-entropy, Adam.
private func classifier(_ name: String, batch: Int, _ model: @escaping () -> Sequential) -> Workload {
  Workload(name, items: Double(batch)) {
    let model = model()
    let optimizer = Adam(model.parameters(), lr: 1e-3)
    var batches = Batches { (Tensor.randn([batch, 784]), Tensor.randint(0, 10, [batch])) }
    return {
      let (x, target) = batches()
      optimizer.zeroGrad()
      crossEntropy(model(x), target).backward()
      optimizer.step()
    }
  }
}

var networkWorkloads: [Workload] {
  [
    Workload("overhead-xor", items: 4) {
      let x = Tensor([[0.0, 0], [0, 1], [1, 0], [1, 1]])
      let y = Tensor([[0.0], [1], [1], [0]])
      let model = Sequential {
        Linear(2, 3)
        Tanh()
        Linear(3, 1)
        Sigmoid()
      }
      let optimizer = SGD(model.parameters(), lr: 0.5)
      return {
        optimizer.zeroGrad()
        mseLoss(model(x), y).backward()
        optimizer.step()
      }
    },
    classifier("mlp-mnist", batch: 128) {
      Sequential {
        Linear(784, 128)
        ReLU()
        Linear(128, 10)
      }
    },
    classifier("mlp-wide", batch: 256) {
      Sequential {
        Linear(784, 1024)
        ReLU()
        Linear(1024, 1024)
        ReLU()
        Linear(1024, 10)
      }
    },
    Workload("vae-mnist", items: 128) {
      let hidden = Linear(784, 400)
      let (mean, logVariance) = (Linear(400, 20), Linear(400, 20))
      let (up, out) = (Linear(20, 400), Linear(400, 784))
      let optimizer = Adam([hidden, mean, logVariance, up, out].flatMap { $0.parameters() }, lr: 1e-3)
      var batches = Batches { (Tensor.rand([128, 784]), Tensor(0)) }
      return {
        let x = batches().x
        optimizer.zeroGrad()
        let h = hidden(x).relu()
        let (m, v) = (mean(h), logVariance(h))
        let z = m + Tensor.randn([128, 20]) * (v / 2).exp()
        let logits = out(up(z).relu())
        // Binary cross-entropy with logits: −x ln σ(l) − (1 − x) ln σ(−l).
        let reconstruction = ((1 - x) * logits - logits.logSigmoid()).sum()
        let divergence = -0.5 * (1 + v - m.square() - v.exp()).sum()
        ((reconstruction + divergence) / 128).backward()
        optimizer.step()
      }
    },
  ]
}
