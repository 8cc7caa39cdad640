/// The working memory of a backward task: linear in the number of queries.
struct BackwardState {
  /// For all panels of queries.
  let query, queryRows, dOutput, dOutputRows, dQuery, logSum, dots: UnsafeMutableRawPointer
  /// For one block of keys.
  let key, keyColumnsPacked, value, dKey, dValue: UnsafeMutableRawPointer
  /// For one panel and one block; and an output panel.
  let scores, dWeights, output: UnsafeMutableRawPointer
  let mask: AttentionMask.Buffers
  /// E and Ev in whole panels of a packed operand, and E in whole tiles.
  let keyColumns, valueColumns, dQueryRows: Int
  private let scratch: AttentionScratch

  init?(_ a: BlockedAttention, panels: Int) {
    let (e, ev, block) = (a.x.features, a.x.valueFeatures, BlockedAttention.keyBlock)
    (keyColumns, valueColumns, dQueryRows) = (a.roundUp(e, a.lanes), a.roundUp(ev, a.lanes), a.roundUp(e, a.unit))
    let queries = panels * a.lanes
    let counts = [
      queries * e, queries * keyColumns, queries * ev, queries * valueColumns, queries * dQueryRows, queries, queries,
      block * e, block * dQueryRows, block * ev, block * keyColumns, block * valueColumns,
      block * a.lanes, block * a.lanes, a.lanes * ev,
    ]
    let maskCounts = a.mask.bufferCounts
    guard var scratch = AttentionScratch(counts + maskCounts, of: a.dtype) else { return nil }
    let p = counts.map { scratch.take($0) }
    (query, queryRows, dOutput, dOutputRows, dQuery, logSum, dots) = (p[0], p[1], p[2], p[3], p[4], p[5], p[6])
    (key, keyColumnsPacked, value, dKey, dValue) = (p[7], p[8], p[9], p[10], p[11])
    (scores, dWeights, output) = (p[12], p[13], p[14])
    mask = AttentionMask.Buffers(maskCounts.map { scratch.take($0) })
    self.scratch = scratch
  }
}
