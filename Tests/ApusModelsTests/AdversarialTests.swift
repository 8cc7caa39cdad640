import ApusCore
import ApusModels
import ApusNN
import TestSupport
import Testing

@Suite("Adversarial networks")
struct AdversarialTests {
  @Test("the DCGAN for 64 × 64 has the names and sizes of PyTorch's example")
  func names() {
    let model = DCGAN(channels: 3, size: 64)
    // torch: sum(p.numel() for p in netG.parameters()), and netD's.
    #expect(model.generator.parameterCount == 3_576_704)
    #expect(model.discriminator.parameterCount == 2_765_568)
    let names = model.generator.stateDict().names
    #expect(names.first == "main.0.weight" && names.last == "main.12.weight" && names.contains("main.10.running_var"))
    #expect(model.discriminator.stateDict().names.last == "main.11.weight")
    #expect(model.generator.stateDict()["main.0.weight"]?.shape == [100, 512, 4, 4])
  }

  @Test("pictures of every size, and one logit for each", arguments: [(1, 28), (3, 32), (1, 8), (2, 20)])
  func sizes(channels: Int, size: Int) {
    let generator = Generator(seed: 1)
    let model = DCGAN(channels: channels, size: size, latent: 6, width: 4, generator: generator)
    let made = model.generate(model.noise(3, generator: generator))
    #expect(made.shape == [3, channels, size, size])
    #expect(made.abs().amax().item() <= 1)
    #expect(model.judge(made).shape == [3])
  }

  /// One step of either network, with the gradients that each must and must not get.
  private func expectTraining(_ model: some AdversarialNetwork, _ labels: Tensor? = nil) {
    let generator = Generator(seed: 2)
    let real = Tensor.rand(model.sample(4).shape, generator: generator) * 2 - 1
    let judged = model.discriminatorLoss(real: real, noise: model.noise(4, generator: generator), labels: labels, smoothing: 0.1)
    judged.backward()
    #expect(model.generator.parameters().allSatisfy { $0.grad == nil })
    expectGradients(model.discriminator)
    model.generatorLoss(noise: model.noise(4, generator: generator), labels: labels).backward()
    expectGradients(model.generator)
  }

  @Test("either loss trains all of its network, and the discriminator's leaves the generator alone")
  func gradients() {
    let generator = Generator(seed: 3)
    expectTraining(GAN(pictures: [1, 4, 4], latent: 5, hidden: [8, 12], generator: generator))
    expectTraining(DCGAN(channels: 1, size: 28, latent: 5, width: 4, generator: generator))
    expectTraining(
      ConditionalGAN(classes: 3, channels: 1, size: 8, latent: 5, width: 4, generator: generator), Tensor([0, 2, 1, 2]))
  }

  @Test("a discriminator that can't tell has the loss 2 ln 2, the generator ln 2")
  func losses() {
    let model = GAN(pictures: [1, 2, 2], latent: 3, hidden: [4])
    for cell in model.discriminator.parameters() { cell.value = Tensor.zeros(cell.shape) }
    let real = Tensor.zeros([5, 1, 2, 2])
    expectClose(model.discriminatorLoss(real: real, noise: model.noise(5)), Tensor(1.386294), relative: 1e-6)
    expectClose(model.generatorLoss(noise: model.noise(5)), Tensor(0.693147), relative: 1e-6)
  }

  @Test("a generator learns how bright true pictures are")
  func training() {
    let generator = Generator(seed: 4)
    let model = GAN(pictures: [1, 2, 2], latent: 4, hidden: [16], dropout: 0, generator: generator)
    let (makers, judges) = (model.generator.parameters(), model.discriminator.parameters())
    let before = model.sample(200, generator: generator).mean().item()
    for _ in 0..<300 {
      let real = 0.6 + 0.1 * Tensor.randn([32, 1, 2, 2], generator: generator)
      descend(model.discriminatorLoss(real: real, noise: model.noise(32, generator: generator)), judges, rate: 0.1)
      descend(model.generatorLoss(noise: model.noise(32, generator: generator)), makers, rate: 0.1)
    }
    // 0.6 of −1 … 1 is 0.8 of 0 … 1.
    let after = model.sample(200, generator: generator).mean().item()
    #expect(abs(after - 0.8) < 0.1 && abs(before - 0.8) > 0.15, "\(before), then \(after)")
  }

  @Test("samples depend on the seed and the class, and leave the model as it is")
  func sampling() {
    let model = ConditionalGAN(classes: 3, size: 8, latent: 5, width: 4, generator: Generator(seed: 5))
    model.discriminator.eval()
    let state = model.stateDict()
    let first = model.sample(6, label: 1, generator: Generator(seed: 6))
    #expect(first.shape == [6, 1, 8, 8])
    #expect(first.amin().item() >= 0 && first.amax().item() <= 1 && !first.requiresGrad)
    expectClose(model.sample(6, label: 1, generator: Generator(seed: 6)), first, relative: 0, absolute: 0)
    #expect((model.sample(6, label: 2, generator: Generator(seed: 6)) - first).abs().amax().item() > 0)
    // Each class in turn: the second and the fifth are of class 1.
    let turns = model.sample(6, generator: Generator(seed: 6))
    expectClose(turns[1], first[1], relative: 1e-6, absolute: 1e-7)
    expectClose(turns[4], first[4], relative: 1e-6, absolute: 1e-7)
    #expect(model.generator.isTraining && !model.discriminator.isTraining)
    for (name, tensor) in state { expectClose(model.stateDict()[name]!, tensor, relative: 0, absolute: 0, name) }
  }

  @Test("what doesn't fit is an error")
  func errors() {
    let model = ConditionalGAN(classes: 3, size: 8, latent: 5, width: 4)
    expectMistake("ConditionalGAN: labels are needed: one of 3 classes for each sample") {
      _ = model.generatorLoss(noise: model.noise(2))
    }
    expectMistake("ConditionalGenerator: labels [3] for 2 samples") {
      _ = model.generate(model.noise(2), labels: Tensor([0, 1, 2]))
    }
    expectMistake("ConditionalGAN: no class 3 among 3") { _ = model.sample(1, label: 3) }
    expectMistake("GAN: labels where there are no classes") {
      _ = GAN(pictures: [1, 2, 2], latent: 2, hidden: [2]).generate(Tensor.zeros([1, 2]), labels: Tensor([0]).reshape(1))
    }
    expectMistake("DCGAN: size 30 is not 4, 5, 6 or 7 doubled once or more, such as 28") { _ = DCGAN(size: 30) }
  }
}
