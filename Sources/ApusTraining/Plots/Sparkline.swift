/// `values` as a line of small bars, from the smallest ▁ to the largest █: `█▆▃▂▂▁▁▁`.
///
/// More values than `width` are averaged in groups. What isn't finite leaves a gap; values that are all the same give ▁.
public func sparkline(_ values: [Double], width: Int = 40) -> String {
  let bars = Array("▁▂▃▄▅▆▇█")
  let means = groupMeans(values, count: width)
  let finite = means.filter(\.isFinite)
  guard let low = finite.min(), let high = finite.max() else { return String(repeating: " ", count: means.count) }
  // The quotient, not the product: `high - low` may be as small or as large as a number can be.
  return String(
    means.map { x -> Character in
      guard x.isFinite else { return " " }
      let level = high > low ? (x / 2 - low / 2) / (high / 2 - low / 2) : 0
      return bars[min(max(Int(level * 8), 0), 7)]
    })
}

/// The means of at most `count` groups of neighbours, as equal in size as can be; the values themselves where there are fewer.
func groupMeans(_ values: [Double], count: Int) -> [Double] {
  guard values.count > count, count > 0 else { return count > 0 ? values : [] }
  return (0..<count).map { i in
    let group = values[i * values.count / count..<(i + 1) * values.count / count]
    return group.reduce(0, +) / Double(group.count)
  }
}
