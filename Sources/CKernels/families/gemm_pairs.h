// The matrix product of bfloat16 where a processor multiplies pairs of them (AVX512_BF16): twice as many products for each instruction.
//
// An element of C is one chain of fused additions over k as elsewhere, but for the order within a pair: the second of its numbers comes
// first. Subnormal numbers count as zero.

typedef uint32_t packed_pairs;
typedef f32 sum_pairs;
typedef tile_f32 tile_pairs;
typedef uint32_t line_pairs __attribute__((vector_size(APUS_VECTOR_BYTES)));
typedef __bf16 halves_pairs __attribute__((vector_size(APUS_VECTOR_BYTES)));
enum { UNIT_pairs = 2, LANES_pairs = LANES_f32, NR_pairs = NR_f32 };
INLINE line_pairs spread_pairs(uint32_t x) { return x - (line_pairs){0}; }
INLINE tile_pairs add_product_pairs(tile_pairs sum, line_pairs x, line_pairs y) {
  return (tile_pairs)__builtin_ia32_dpbf16ps_512(sum, (halves_pairs)x, (halves_pairs)y);
}

// One panel: y[p * width + r] holds x[r * step + 2p * advance] and its neighbour in k, or zero after the last.
INLINE void pack_panel_pairs(
    ptrdiff_t kc, ptrdiff_t width, ptrdiff_t used, const bf16 *x, ptrdiff_t step, ptrdiff_t advance, uint32_t *y) {
  const ptrdiff_t pairs = kc / 2, units = UNITS(pairs, kc);
  if (used < width)
    for (ptrdiff_t p = 0; p < units; p++)
      for (ptrdiff_t r = used; r < width; r++) y[p * width + r] = 0;
  if (advance == 1) {
    uint32_t lines[WIDEST * PIECE];
    for (ptrdiff_t start = 0; start < units; start += PIECE) {
      const ptrdiff_t count = MIN(PIECE, units - start), numbers = MIN(2 * PIECE, kc - 2 * start);
      for (ptrdiff_t r = 0; r < used; r++) {
        lines[r * PIECE + count - 1] = 0;
        __builtin_memcpy(lines + r * PIECE, x + r * step + 2 * start, (size_t)numbers * sizeof(bf16));
      }
      transpose_32(used, count, lines, PIECE, y + start * width, width);
    }
    return;
  }
#define JOIN_PAIRS(loop) \
  for (ptrdiff_t p = 0; p < pairs; p++) { \
    const bf16 *first = x + 2 * p * advance, *second = first + advance; \
    loop for (ptrdiff_t r = 0; r < used; r++) \
      y[p * width + r] = (uint32_t)first[r * step] | (uint32_t)second[r * step] << 16; \
  }
  if (step == 1) { JOIN_PAIRS(VECTOR_LOOP) } else { JOIN_PAIRS(SCALAR_LOOP) }
#undef JOIN_PAIRS
  if (pairs < units)
    for (ptrdiff_t r = 0; r < used; r++) y[pairs * width + r] = x[r * step + 2 * pairs * advance];
}

PACK_BLOCKS(pairs, bf16, pairs)
BLOCKS_OF_TILES(pairs)
