import ApusCore
import ApusModels
import ApusNN
import TestSupport
import Testing

@Suite("Autoencoders")
struct AutoencoderTests {
  @Test("an autoencoder gives the shape back, and every parameter gets a gradient")
  func plain() {
    let generator = Generator(seed: 1)
    let model = Autoencoder(12, 8, 3, generator: generator)
    let x = Tensor.rand([5, 1, 3, 4], generator: generator)
    let y = model(x)
    #expect(y.shape == x.shape && model.encode(x).shape == [5, 3])
    #expect(y.amin().item() > 0 && y.amax().item() < 1)
    mseLoss(y, x).backward()
    expectGradients(model)
    #expect(
      model.stateDict().names == [
        "encoder.0.weight", "encoder.0.bias", "encoder.2.weight", "encoder.2.bias", "decoder.0.weight", "decoder.0.bias",
        "decoder.2.weight", "decoder.2.bias",
      ])
    expectMistake("Autoencoder: sizes [4]: at least input and code, all above 0") { _ = Autoencoder(4) }
  }

  @Test("the variational one has the size and names of PyTorch's example")
  func names() {
    let model = VAE(pictures: [1, 28, 28])
    // torch: sum(p.numel() for p in VAE().parameters()) in examples/vae/main.py
    #expect(model.parameterCount == 652_824)
    #expect(Set(model.stateDict().names.map { $0.prefix { $0 != "." } }) == ["fc1", "fc21", "fc22", "fc3", "fc4"])
  }

  private func expectTraining(_ model: some VariationalAutoencoder, _ labels: Tensor? = nil) {
    let generator = Generator(seed: 2)
    let x = Tensor.rand([4, 1, 3, 3], generator: generator)
    model.loss(x, labels: labels, generator: generator).total.backward()
    expectGradients(model)
    let first = model.loss(x, labels: labels, generator: generator).reconstruction.item()
    for _ in 0..<1000 {
      descend(model.loss(x, labels: labels, beta: 0.01, generator: generator).total, model.parameters(), rate: 0.05)
    }
    let last = model.loss(x, labels: labels, generator: generator).reconstruction.item()
    // The least that is possible is the entropy of the pixels themselves.
    let least = -(x * x.log() + (1 - x) * (1 - x).log()).sum().item() / 4
    #expect(last - least < 0.3 * (first - least), "\(first), then \(last), at least \(least)")
    #expect(model.sample(5).shape == [5, 1, 3, 3])
    #expect((model.reconstruct(x, labels: labels) - x).abs().mean().item() < 0.2)
    #expect(model.isTraining)
  }

  @Test("the loss trains every parameter, and a few steps learn some pictures")
  func training() {
    let generator = Generator(seed: 3)
    expectTraining(VAE(pictures: [1, 3, 3], hidden: 16, latent: 2, generator: generator))
    expectTraining(
      ConditionalVAE(pictures: [1, 3, 3], classes: 4, hidden: 16, latent: 2, generator: generator), Tensor([0, 1, 2, 3]))
  }

  @Test("codes like the normal distribution cost nothing; others do as the formula says")
  func divergence() {
    let model = VAE(pictures: [1, 1, 2], hidden: 3, latent: 2)
    let x = Tensor.rand([6, 1, 1, 2])
    for layer in [model.fc21, model.fc22] {
      layer.weight = Tensor.zerosLike(layer.weight.detach())
      layer.bias = Tensor.zeros([2])
    }
    #expect(model.loss(x).divergence.item() == 0)
    model.fc21.bias = Tensor([3.0, 0])
    expectClose(model.loss(x).divergence, Tensor(4.5), relative: 1e-6)
    model.fc21.bias = Tensor([0.0, 0])
    model.fc22.bias = Tensor([0.0, 1])
    // (σ² − 1 − ln σ²) / 2 with ln σ² = 1
    expectClose(model.loss(x).divergence, Tensor(0.3591409), relative: 1e-6)
    let loss = model.loss(x, beta: 2, generator: Generator(seed: 4))
    expectClose(loss.total, loss.reconstruction + 2 * loss.divergence, relative: 1e-6)
  }

  @Test("the map is made of the normal distribution's quantiles")
  func map() {
    // scipy.stats.norm.ppf([1/6, 1/2, 5/6])
    let q = 0.9674216
    let expected = Tensor([[-q, -q], [-q, 0], [-q, q], [0, -q], [0, 0], [0, q], [q, -q], [q, 0], [q, q]])
    expectClose(latentMap(3), expected, relative: 1e-6)
    expectMistake("latentMap: side = 0 is not positive") { _ = latentMap(0) }
    expectMistake("ConditionalVAE: labels are needed: one of 2 classes for each sample") {
      _ = ConditionalVAE(pictures: [1, 2, 2], classes: 2).loss(Tensor.zeros([1, 1, 2, 2]))
    }
  }
}
