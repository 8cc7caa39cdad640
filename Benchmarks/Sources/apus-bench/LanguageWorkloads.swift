import Apus

/// Embedding, two layers of LSTM, a linear layer at every position.
private final class CharacterLSTM: Module, Layer {
  let embedding = Embedding(65, 128)
  let lstm = LSTM(128, 256, numLayers: 2, batchFirst: true)
  let head = Linear(256, 65)

  func forward(_ ids: Tensor) -> Tensor { head(lstm(embedding(ids)).output) }
}

/// Training a language model with AdamW.
private func gpt(_ name: String, batch: Int, tokens: Int, layers: Int, heads: Int, width: Int) -> Workload {
  Workload(name, items: Double(batch * tokens)) {
    let model = GPT(vocabulary: 65, context: tokens, layers: layers, heads: heads, width: width, bias: false)
    let optimizer = AdamW(model.parameters(), lr: 1e-3, betas: (0.9, 0.99), weightDecay: 0.1)
    var batches = Batches { (Tensor.randint(0, 65, [batch, tokens]), Tensor.randint(0, 65, [batch, tokens])) }
    return {
      let (ids, targets) = batches()
      optimizer.zeroGrad()
      crossEntropy(model(ids).reshape(-1, 65), targets.flatten()).backward()
      optimizer.step()
    }
  }
}

var languageWorkloads: [Workload] {
  [
    Workload("lstm-char", items: 2048) {
      let model = CharacterLSTM()
      let parameters = model.parameters()
      let optimizer = Adam(parameters, lr: 1e-3)
      var batches = Batches { (Tensor.randint(0, 65, [32, 64]), Tensor.randint(0, 65, [32, 64])) }
      return {
        let (ids, targets) = batches()
        optimizer.zeroGrad()
        crossEntropy(model(ids).reshape(-1, 65), targets.flatten()).backward()
        clipGradNorm(parameters, maxNorm: 1)
        optimizer.step()
      }
    },
    gpt("gpt-char", batch: 12, tokens: 64, layers: 4, heads: 4, width: 128),
    gpt("gpt-mid", batch: 4, tokens: 256, layers: 6, heads: 6, width: 384),
  ]
}

var languageInferenceWorkloads: [Workload] {
  [
    Workload("gpt2-generate", items: 64) {
      let model = GPT(vocabulary: 50257, context: 1024, layers: 12, heads: 12, width: 768, gelu: .tanh)
      model.eval()
      let prompt = Tensor.randint(0, 50257, [1, 32])
      return {
        noGrad {
          let caches = model.makeCaches()
          var token = model.next(prompt, caches: caches).argmax(dim: -1, keepDim: true)
          for _ in 1..<64 { token = model.next(token, caches: caches).argmax(dim: -1, keepDim: true) }
          evaluate(token)
        }
      }
    }
  ]
}
