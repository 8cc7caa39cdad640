/// Places for the boxes of a graph whose edges all point down, in layers (Sugiyama, Tagawa and Toda, 1981): each node below everything that
/// it depends on, few crossings, and lines that are as straight as the boxes let them be.
struct LayeredLayout {
  struct Size {
    let width: Double
    let height: Double
  }

  /// The middle of each node.
  let centers: [Drawing.Point]
  /// The corners of each edge, from the lower end of a box to the upper end of another.
  let routes: [[Drawing.Point]]
  let width: Double
  let height: Double

  private static let (columnGap, rowGap) = (28.0, 34.0)

  /// - Parameters:
  ///   - sizes: of the boxes.
  ///   - edges: between positions among them, each from a smaller to a larger; others are left out.
  init(_ sizes: [Size], _ edges: [(from: Int, to: Int)]) {
    var graph = LayerGraph(sizes, edges.filter { $0.from < $0.to })
    graph.reduceCrossings()
    let x = graph.horizontalPlaces(gap: Self.columnGap)
    let heights = graph.layers.map { layer in layer.map { graph.size(of: $0).height }.max() ?? 0 }
    var tops = [0.0]
    for height in heights { tops.append(tops[tops.count - 1] + height + Self.rowGap) }
    func center(_ node: Int) -> Drawing.Point {
      let layer = graph.layer[node]
      return .init(x: x[node], y: tops[layer] + heights[layer] / 2)
    }
    centers = sizes.indices.map(center)
    routes = graph.chains.map { chain in
      let (first, last) = (chain[0], chain[chain.count - 1])
      let (start, end) = (center(first), center(last))
      return [.init(x: start.x, y: start.y + sizes[first].height / 2)] + chain.dropFirst().dropLast().map(center)
        + [.init(x: end.x, y: end.y - sizes[last].height / 2)]
    }
    width = (graph.layer.indices.map { x[$0] + graph.size(of: $0).width / 2 }).max() ?? 0
    height = max(tops[tops.count - 1] - Self.rowGap, 0)
  }
}

/// The graph with a node of no size in each layer that an edge passes.
private struct LayerGraph {
  /// Of each node, those of the edges after the real ones.
  private(set) var layer: [Int]
  /// The nodes of each layer, from left to right.
  private(set) var layers: [[Int]] = []
  /// The nodes that each edge passes, its ends included.
  private(set) var chains: [[Int]] = []
  private let sizes: [LayeredLayout.Size]
  private var above: [[Int]]
  private var below: [[Int]]

  init(_ sizes: [LayeredLayout.Size], _ edges: [(from: Int, to: Int)]) {
    self.sizes = sizes
    layer = Self.layers(count: sizes.count, edges)
    (above, below) = (Array(repeating: [], count: sizes.count), Array(repeating: [], count: sizes.count))
    for edge in edges { addChain(edge.from, edge.to) }
    layers = Array(repeating: [], count: (layer.max() ?? -1) + 1)
    for node in layer.indices { layers[layer[node]].append(node) }
  }

  /// As far up as what a node depends on allows; what depends on nothing stands just above what needs it.
  private static func layers(count: Int, _ edges: [(from: Int, to: Int)]) -> [Int] {
    var layers = [Int](repeating: 0, count: count)
    for edge in edges.sorted(by: { $0.to < $1.to }) { layers[edge.to] = max(layers[edge.to], layers[edge.from] + 1) }
    let dependent = Set(edges.map(\.to))
    for node in layers.indices where !dependent.contains(node) {
      if let next = edges.filter({ $0.from == node }).map({ layers[$0.to] }).min() { layers[node] = next - 1 }
    }
    return layers
  }

  private mutating func addChain(_ from: Int, _ to: Int) {
    var chain = [from]
    for row in layer[from] + 1..<max(layer[to], layer[from] + 1) {
      chain.append(layer.count)
      layer.append(row)
      above.append([])
      below.append([])
    }
    chain.append(to)
    for (a, b) in zip(chain, chain.dropFirst()) {
      below[a].append(b)
      above[b].append(a)
    }
    chains.append(chain)
  }

  func size(of node: Int) -> LayeredLayout.Size { node < sizes.count ? sizes[node] : .init(width: 0, height: 0) }

  /// Sorts each layer by where its neighbours stand, down and up a few times.
  mutating func reduceCrossings() {
    var position = [Double](repeating: 0, count: layer.count)
    func number(_ nodes: [Int]) { for (i, node) in nodes.enumerated() { position[node] = Double(i) } }
    layers.forEach(number)
    for round in 0..<12 {
      let goesDown = round % 2 == 0
      for row in goesDown ? Array(layers.indices) : layers.indices.reversed() {
        let neighbours = goesDown ? above : below
        let middles = layers[row].map { node -> (node: Int, middle: Double) in
          let near = neighbours[node]
          return (node, near.isEmpty ? position[node] : near.reduce(0) { $0 + position[$1] } / Double(near.count))
        }
        // A stable order: what is equal stays as it is.
        layers[row] = middles.enumerated().sorted { ($0.element.middle, $0.offset) < ($1.element.middle, $1.offset) }
          .map(\.element.node)
        number(layers[row])
      }
    }
  }

  /// Middles of all nodes, the leftmost box at 0.
  func horizontalPlaces(gap: Double) -> [Double] {
    var x = [Double](repeating: 0, count: layer.count)
    func distance(_ a: Int, _ b: Int) -> Double { size(of: a).width / 2 + gap + size(of: b).width / 2 }
    for round in 0..<24 {
      for row in round % 2 == 0 ? Array(layers.indices) : layers.indices.reversed() {
        let nodes = layers[row]
        let wishes = nodes.map { node -> (x: Double, weight: Double) in
          let near = above[node] + below[node]
          // Nodes without a size are the corners of long edges, which ought to be straight.
          let weight = node < sizes.count ? 1.0 : 4
          return (near.isEmpty ? x[node] : near.reduce(0) { $0 + x[$1] } / Double(near.count), weight)
        }
        let offsets = zip(nodes, nodes.dropFirst()).reduce(into: [0.0]) { $0.append($0[$0.count - 1] + distance($1.0, $1.1)) }
        let places = nearestIncreasing(zip(wishes, offsets).map { ($0.x - $1, $0.weight) })
        for (i, node) in nodes.enumerated() { x[node] = places[i] + offsets[i] }
      }
    }
    let left = layer.indices.map { x[$0] - size(of: $0).width / 2 }.min() ?? 0
    return x.map { $0 - left }
  }
}

/// The numbers in increasing order that are nearest to those given, by weighted squares: neighbours that are in the wrong order become their
/// mean (the pool-adjacent-violators algorithm).
private func nearestIncreasing(_ wishes: [(x: Double, weight: Double)]) -> [Double] {
  var blocks: [(sum: Double, weight: Double, count: Int)] = []
  for wish in wishes {
    blocks.append((wish.x * wish.weight, wish.weight, 1))
    while blocks.count > 1 {
      let (a, b) = (blocks[blocks.count - 2], blocks[blocks.count - 1])
      if a.sum / a.weight <= b.sum / b.weight { break }
      blocks.removeLast(2)
      blocks.append((a.sum + b.sum, a.weight + b.weight, a.count + b.count))
    }
  }
  return blocks.flatMap { Array(repeating: $0.sum / $0.weight, count: $0.count) }
}
