// Style transfer on small pictures (Gatys et al. 2016): the pixels are what is learned.
//
// A layer of filters sees two things in a picture: what is where (its maps), and which features occur together, wherever that is (the Gram
// matrix of its maps). The picture that we look for has the maps of one picture, a disc, and the Gram matrix of another, stripes. Filters
// that nobody has trained do for textures this simple (Ustyuzhaninov et al. 2017).
//
//     swift run -c release StyleTransfer stripes.png    # content, style and result, side by side

import Apus

let generator = Generator(seed: 3)
let content = SyntheticCIFAR.load(.test, count: 10)[7].input.unsqueeze(dim: 0)  // [1, 3, 32, 32], a disc
let style = SyntheticCIFAR.load(.test, count: 10)[1].input.unsqueeze(dim: 0)  // stripes

let filters = [3, 7].map { Tensor.randn([64, 3, $0, $0], generator: generator) / Double($0) }
func maps(_ picture: Tensor) -> Tensor {  // [128, 1024]
  cat(filters.map { conv2d(picture - 0.5, $0, padding: $0.shape[2] / 2).relu() }, dim: 1).flatten(startDim: 2).squeeze(dim: 0)
}
func gram(_ maps: Tensor) -> Tensor { maps.matmul(maps.T) / 1024 }  // [128, 128]

let (wantedMaps, wantedGram) = (maps(content), gram(maps(style)))
func contentLoss(_ maps: Tensor) -> Tensor { mseLoss(maps, wantedMaps) / wantedMaps.square().mean() }
func styleLoss(_ maps: Tensor) -> Tensor { mseLoss(gram(maps), wantedGram) / wantedGram.square().mean() }

let picture = ParameterCell(content)  // the only thing that is learned
let optimizer = Adam([picture], lr: 0.02)
for step in 0...300 {
  let maps = maps(picture.value)
  let (c, s) = (contentLoss(maps), styleLoss(maps))
  if step % 100 == 0 { print("step \(step): content \(c.item(as: Float.self)), style \(s.item(as: Float.self))") }
  optimizer.zeroGrad()
  (c + 20 * s).backward()
  optimizer.step()
}

if let path = CommandLine.arguments.dropFirst().first {
  let row = cat([content, style, picture.value.detach().clamp(min: 0, max: 1)], dim: 0)
  try PNG.write(pictureGrid(row, columns: 3), to: path)
}

// Prints:
// step 0: content 0.0, style 1.1839004
// step 100: content 0.8388946, style 0.00758909
// step 200: content 0.84800136, style 0.004218127
// step 300: content 0.84550846, style 0.003912142
