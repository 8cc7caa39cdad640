// The matrix product: packing, the register tile, the loop over tiles, and the unpacked form for small products.
//
// An element of C is one chain of additions over k in increasing order, whatever tile or block it falls into; so the results do
// not depend on how a caller cuts m and n.

typedef f32 tile_f32 __attribute__((vector_size(APUS_VECTOR_BYTES)));
typedef f64 tile_f64 __attribute__((vector_size(APUS_VECTOR_BYTES)));

// Tiles: rows MR, vectors per row NV. Accumulators, NV vectors of B and one broadcast of A must fit the registers.
enum {
  LANES_f32 = APUS_VECTOR_BYTES / 4, LANES_f64 = APUS_VECTOR_BYTES / 8,
  MR = APUS_GEMM_ROWS, NV = APUS_GEMM_VECTORS,
  NR_f32 = NV * LANES_f32, NR_f64 = NV * LANES_f64,
  TURNS = MR * NV > 12 ? 4 : 8,
  ROWS_2 = (2 * MR + 2) / 3, ROWS_1 = (MR + 2) / 3  // heights of tiles at the lower edge, beside MR and 1
};

// ------------------------------------------------------------------------------------------ kinds of panels

// Packing and tile are written for a kind P of panels: packed_P is what a panel holds of one row or column for UNIT_P neighbours in k,
// line_P a vector of these, sum_P what they are summed in and tile_P a vector of sums.
#define UNITS(P, kc) (((kc) + UNIT_##P - 1) / UNIT_##P)
#define PANELS_OF_FLOATS(F) \
  typedef F packed_##F, sum_##F; \
  typedef tile_##F line_##F; \
  enum { UNIT_##F = 1 }; \
  INLINE line_##F JOIN(spread, F)(F x) { return x - (line_##F){0}; } \
  INLINE tile_##F JOIN(add_product, F)(tile_##F sum, line_##F x, line_##F y) { return sum + x * y; }
PANELS_OF_FLOATS(f32)
PANELS_OF_FLOATS(f64)

// ------------------------------------------------------------------------------------------ packing

INLINE void pack_transpose_f32(ptrdiff_t rows, ptrdiff_t columns, const f32 *x, ptrdiff_t sx, f32 *y, ptrdiff_t sy) {
  transpose_32(rows, columns, (const void *)x, sx, (void *)y, sy);
}
INLINE void pack_transpose_f64(ptrdiff_t rows, ptrdiff_t columns, const f64 *x, ptrdiff_t sx, f64 *y, ptrdiff_t sy) {
  for (ptrdiff_t i = 0; i < columns; i++)
    SCALAR_LOOP for (ptrdiff_t j = 0; j < rows; j++) y[i * sy + j] = x[j * sx + i];
}

// Whole panels whose lines lie along the width: some lines at a time, so that what is left of a cache line or a page by one panel
// is still there for the next.
#define PACK_LINES(F) \
  INLINE void JOIN(pack_lines, F)(ptrdiff_t kc, const ptrdiff_t width, ptrdiff_t panels, const F *x, ptrdiff_t advance, F *y) { \
    for (ptrdiff_t start = 0; start < kc; start += 8) { \
      const ptrdiff_t end = MIN(start + 8, kc); \
      for (ptrdiff_t p = 0; p < panels; p++) \
        for (ptrdiff_t k = start; k < end; k++) \
          __builtin_memcpy(y + (p * kc + k) * width, x + k * advance + p * width, (size_t)width * sizeof(F)); \
    } \
  }
PACK_LINES(f32)
PACK_LINES(f64)

// One panel: y[k * width + r] = x[r * step + k * advance] for r < used, zeros for the rest of the width.
#define PACK_PANEL(F) \
  INLINE void JOIN(pack_panel, F)( \
      ptrdiff_t kc, ptrdiff_t width, ptrdiff_t used, const F *x, ptrdiff_t step, ptrdiff_t advance, F *y) { \
    if (used < width) \
      for (ptrdiff_t k = 0; k < kc; k++) \
        for (ptrdiff_t r = used; r < width; r++) y[k * width + r] = 0; \
    if (step == 1 && used == width) { \
      for (ptrdiff_t k = 0; k < kc; k++) __builtin_memcpy(y + k * width, x + k * advance, (size_t)width * sizeof(F)); \
    } else if (advance == 1) { \
      JOIN(pack_transpose, F)(used, kc, x, step, y, width); \
    } else { \
      for (ptrdiff_t k = 0; k < kc; k++) \
        SCALAR_LOOP for (ptrdiff_t r = 0; r < used; r++) y[k * width + r] = x[r * step + k * advance]; \
    } \
  } \
  static void JOIN(pack_a, F)( \
      ptrdiff_t mc, ptrdiff_t kc, const void *av, ptrdiff_t row_stride, ptrdiff_t column_stride, void *packed) { \
    const F *a = av; F *y = packed; \
    ptrdiff_t i = 0; \
    if (row_stride == 1) { i = mc / MR * MR; JOIN(pack_lines, F)(kc, MR, i / MR, a, column_stride, y); y += i * kc; } \
    for (; i < mc; i += MR, y += MR * kc) \
      JOIN(pack_panel, F)(kc, MR, MIN(MR, mc - i), a + i * row_stride, row_stride, column_stride, y); \
  } \
  static void JOIN(pack_b, F)( \
      ptrdiff_t kc, ptrdiff_t nc, const void *bv, ptrdiff_t row_stride, ptrdiff_t column_stride, void *packed) { \
    const F *b = bv; F *y = packed; \
    ptrdiff_t j = 0; \
    if (column_stride == 1) { \
      j = nc / NR_##F * NR_##F; \
      JOIN(pack_lines, F)(kc, NR_##F, j / NR_##F, b, row_stride, y); \
      y += j * kc; \
    } \
    for (; j < nc; j += NR_##F, y += NR_##F * kc) \
      JOIN(pack_panel, F)(kc, NR_##F, MIN(NR_##F, nc - j), b + j * column_stride, column_stride, row_stride, y); \
  }
PACK_PANEL(f32)
PACK_PANEL(f64)

// Half types become float32 on the way into the panel: the product itself is float32's. Lines that lie along k are widened a piece at a
// time into a buffer that stays in L1, and turned from there.
enum { PIECE = 64, WIDEST = NR_f32 > MR ? NR_f32 : MR };

#define PACK_HALF(T) \
  INLINE void JOIN(pack_panel, T)( \
      ptrdiff_t kc, ptrdiff_t width, ptrdiff_t used, const T *x, ptrdiff_t step, ptrdiff_t advance, f32 *y) { \
    if (used < width) \
      for (ptrdiff_t k = 0; k < kc; k++) \
        for (ptrdiff_t r = used; r < width; r++) y[k * width + r] = 0; \
    if (step == 1 && used == width) { \
      for (ptrdiff_t k = 0; k < kc; k++) \
        VECTOR_LOOP for (ptrdiff_t r = 0; r < width; r++) y[k * width + r] = load_##T(x[r + k * advance]); \
    } else if (advance == 1) { \
      f32 lines[WIDEST * PIECE]; \
      for (ptrdiff_t start = 0; start < kc; start += PIECE) { \
        const ptrdiff_t count = MIN(PIECE, kc - start); \
        for (ptrdiff_t r = 0; r < used; r++) { \
          const T *line = x + r * step + start; \
          VECTOR_LOOP for (ptrdiff_t k = 0; k < count; k++) lines[r * PIECE + k] = load_##T(line[k]); \
        } \
        pack_transpose_f32(used, count, lines, PIECE, y + start * width, width); \
      } \
    } else { \
      for (ptrdiff_t k = 0; k < kc; k++) \
        SCALAR_LOOP for (ptrdiff_t r = 0; r < used; r++) y[k * width + r] = load_##T(x[r * step + k * advance]); \
    } \
  }
// Blocks of elements T as panels of kind P, panel by panel.
#define PACK_BLOCKS(name, T, P) \
  static void JOIN(pack_a, name)( \
      ptrdiff_t mc, ptrdiff_t kc, const void *av, ptrdiff_t row_stride, ptrdiff_t column_stride, void *packed) { \
    const T *a = av; packed_##P *y = packed; \
    for (ptrdiff_t i = 0; i < mc; i += MR, y += MR * UNITS(P, kc)) \
      JOIN(pack_panel, name)(kc, MR, MIN(MR, mc - i), a + i * row_stride, row_stride, column_stride, y); \
  } \
  static void JOIN(pack_b, name)( \
      ptrdiff_t kc, ptrdiff_t nc, const void *bv, ptrdiff_t row_stride, ptrdiff_t column_stride, void *packed) { \
    const T *b = bv; packed_##P *y = packed; \
    for (ptrdiff_t j = 0; j < nc; j += NR_##P, y += NR_##P * UNITS(P, kc)) \
      JOIN(pack_panel, name)(kc, NR_##P, MIN(NR_##P, nc - j), b + j * column_stride, column_stride, row_stride, y); \
  }
PACK_HALF(f16)
PACK_HALF(bf16)
PACK_BLOCKS(f16, f16, f32)
PACK_BLOCKS(bf16, bf16, f32)

// ------------------------------------------------------------------------------------------ the register tile

#define UNROLL _Pragma("clang loop unroll(full)")
#define EACH_POINTER(rows) UNROLL for (int g = 0; g < (rows + 2) / 3; g++)
#define EACH_VECTOR(rows, vectors) UNROLL for (int r = 0; r < rows; r++) UNROLL for (int v = 0; v < vectors; v++)

// Rows in memory: a pointer for three of them, of which the compiler is not to make one for each. An address has room for one register
// times 1 or 2, and with twelve pointers the loop over k would have to keep sums elsewhere than in registers.
#define OPAQUE(pointer) if (a_step == 1) __asm__("" : "+r"(pointer))

// One unit of k. Of these TURNS are unrolled: where a core is shared with another thread, it is instructions that are scarce.
#define TILE_TURN(P, turn) { \
    line_##P row[NV]; \
    UNROLL for (int v = 0; v < vectors; v++) __builtin_memcpy(&row[v], b + turn * NR_##P + v * LANES_##P, sizeof row[v]); \
    UNROLL for (int r = 0; r < rows; r++) { \
      const line_##P x = JOIN(spread, P)(at[r / 3][r % 3 * a_row + turn * a_step]); \
      UNROLL for (int v = 0; v < vectors; v++) sums[r][v] = JOIN(add_product, P)(sums[r][v], x, row[v]); \
    } \
  }
// c = A B, or c += A B, plus bias, for the first `rows` rows and `vectors` vectors of a tile. A's units lie a_row and a_step apart.
// What is const is known where this is inlined; tiles at the edges of C come in a few sizes of their own: a batch of 128 rows is ten tiles of 12 rows and one of 8.
#define TILE(P) \
  INLINE void JOIN(gemm_part, P)( \
      const int rows, const int vectors, const ptrdiff_t a_row, const ptrdiff_t a_step, ptrdiff_t units, const packed_##P *a, \
      const packed_##P *b, sum_##P *c, ptrdiff_t ldc, bool accumulate, const sum_##P *bias) { \
    tile_##P sums[MR][NV]; \
    EACH_VECTOR(rows, vectors) sums[r][v] = (tile_##P){0}; \
    if (accumulate) { \
      UNROLL for (int r = 0; r < rows; r++) { \
        __builtin_prefetch(c + r * ldc); \
        __builtin_prefetch(c + r * ldc + vectors * LANES_##P - 1); \
      } \
    } \
    const packed_##P *at[(MR + 2) / 3]; \
    EACH_POINTER(rows) { at[g] = a + 3 * g * a_row; OPAQUE(at[g]); } \
    ptrdiff_t k = 0; \
    for (; k + TURNS <= units; k += TURNS, b += TURNS * NR_##P) { \
      UNROLL for (int turn = 0; turn < TURNS; turn++) TILE_TURN(P, turn) \
      EACH_POINTER(rows) { at[g] += TURNS * a_step; OPAQUE(at[g]); } \
    } \
    for (; k < units; k++, b += NR_##P) { \
      TILE_TURN(P, 0) \
      EACH_POINTER(rows) at[g] += a_step; \
    } \
    if (accumulate) { \
      EACH_VECTOR(rows, vectors) { \
        tile_##P old; \
        __builtin_memcpy(&old, c + r * ldc + v * LANES_##P, sizeof old); \
        sums[r][v] = old + sums[r][v]; \
      } \
    } \
    if (bias) { \
      EACH_VECTOR(rows, vectors) { \
        tile_##P more; \
        __builtin_memcpy(&more, bias + v * LANES_##P, sizeof more); \
        sums[r][v] = sums[r][v] + more; \
      } \
    } \
    EACH_VECTOR(rows, vectors) __builtin_memcpy(c + r * ldc + v * LANES_##P, &sums[r][v], sizeof sums[r][v]); \
  } \
  typedef void (*gemm_tile_##P##_kernel)( \
      ptrdiff_t, const packed_##P *, ptrdiff_t, const packed_##P *, sum_##P *, ptrdiff_t, bool, const sum_##P *);

// Packed A: a panel. Direct A: rows of a matrix in memory, lda units apart.
#define TILE_SIZE(P, name, rows, vectors, a_row, a_step) \
  static __attribute__((noinline)) void JOIN(name, P)( \
      ptrdiff_t units, const packed_##P *a, ptrdiff_t lda, const packed_##P *b, sum_##P *c, ptrdiff_t ldc, bool accumulate, \
      const sum_##P *bias) { \
    (void)lda; \
    JOIN(gemm_part, P)(rows, vectors, a_row, a_step, units, a, b, c, ldc, accumulate, bias); \
  }
#define TILE_SIZES(P, form, a_row, a_step) \
  TILE_SIZE(P, form##_tile, MR, NV, a_row, a_step) TILE_SIZE(P, form##_tile_narrow, MR, 1, a_row, a_step) \
  TILE_SIZE(P, form##_low, ROWS_2, NV, a_row, a_step) TILE_SIZE(P, form##_low_narrow, ROWS_2, 1, a_row, a_step) \
  TILE_SIZE(P, form##_lower, ROWS_1, NV, a_row, a_step) TILE_SIZE(P, form##_lower_narrow, ROWS_1, 1, a_row, a_step) \
  TILE_SIZE(P, form##_line, 1, NV, a_row, a_step) TILE_SIZE(P, form##_line_narrow, 1, 1, a_row, a_step)
#define TILE_NAMES(P, form) { \
    {JOIN(form##_line, P), JOIN(form##_lower, P), JOIN(form##_low, P), JOIN(form##_tile, P)}, \
    {JOIN(form##_line_narrow, P), JOIN(form##_lower_narrow, P), JOIN(form##_low_narrow, P), JOIN(form##_tile_narrow, P)}}

#define BLOCKS_OF_TILES(P) \
  TILE(P) \
  TILE_SIZES(P, gemm, 1, MR) \
  TILE_SIZES(P, gemm_direct, lda, 1) \
  /* A tile that hangs over the edge: the smallest size that covers it, where it fits in place, else by way of a buffer. Panels are \
     padded with zeros; of a matrix in memory the rows above are computed once more. */ \
  static __attribute__((noinline)) void JOIN(gemm_edge, P)( \
      bool is_direct, ptrdiff_t rows, ptrdiff_t columns, ptrdiff_t units, const packed_##P *a, ptrdiff_t lda, \
      const packed_##P *b, sum_##P *c, ptrdiff_t ldc, bool accumulate, const sum_##P *bias) { \
    static const JOIN(JOIN(gemm_tile, P), kernel) sizes[2][2][4] = {TILE_NAMES(P, gemm), TILE_NAMES(P, gemm_direct)}; \
    const int is_narrow = columns <= LANES_##P; \
    const int size = rows == 1 ? 0 : rows <= ROWS_1 ? 1 : rows <= ROWS_2 ? 2 : 3; \
    const JOIN(JOIN(gemm_tile, P), kernel) tile = sizes[is_direct][is_narrow][size]; \
    const ptrdiff_t width = is_narrow ? LANES_##P : NR_##P, height = size == 0 ? 1 : size == 1 ? ROWS_1 : size == 2 ? ROWS_2 : MR; \
    if (rows == height && columns == width) return tile(units, a, lda, b, c, ldc, accumulate, bias); \
    sum_##P buffer[MR * NR_##P], padded[NR_##P] = {0}; \
    const ptrdiff_t above = is_direct ? height - rows : 0; \
    sum_##P *used = buffer + above * NR_##P; \
    if (bias) { VECTOR_LOOP for (ptrdiff_t j = 0; j < columns; j++) padded[j] = bias[j]; } \
    if (accumulate) \
      for (ptrdiff_t r = 0; r < rows; r++) { \
        VECTOR_LOOP for (ptrdiff_t j = 0; j < columns; j++) used[r * NR_##P + j] = c[r * ldc + j]; \
      } \
    tile(units, a - above * lda, lda, b, buffer, NR_##P, accumulate, bias ? padded : NULL); \
    for (ptrdiff_t r = 0; r < rows; r++) { \
      VECTOR_LOOP for (ptrdiff_t j = 0; j < columns; j++) c[r * ldc + j] = used[r * NR_##P + j]; \
    } \
  } \
  /* The panel of B stays in L1 while the rows of A stream past from L2. */ \
  static void JOIN(gemm_block, P)( \
      ptrdiff_t mc, ptrdiff_t nc, ptrdiff_t kc, const void *packed_a, const void *packed_b, void *cv, ptrdiff_t ldc, \
      bool accumulate, const void *biasv) { \
    const packed_##P *a = packed_a, *b = packed_b; const sum_##P *bias = biasv; sum_##P *c = cv; \
    const ptrdiff_t units = UNITS(P, kc); \
    for (ptrdiff_t j = 0; j < nc; j += NR_##P) \
      for (ptrdiff_t i = 0; i < mc; i += MR) { \
        const packed_##P *pa = a + i * units, *pb = b + j * units; const sum_##P *pbias = bias ? bias + j : NULL; \
        if (i + MR <= mc && j + NR_##P <= nc) \
          JOIN(gemm_tile, P)(units, pa, 0, pb, c + i * ldc + j, ldc, accumulate, pbias); \
        else \
          JOIN(gemm_edge, P)( \
              false, MIN(MR, mc - i), MIN(NR_##P, nc - j), units, pa, 0, pb, c + i * ldc + j, ldc, accumulate, pbias); \
      } \
  } \
  static void JOIN(gemm_rows, P)( \
      ptrdiff_t mc, ptrdiff_t nc, ptrdiff_t kc, const void *av, ptrdiff_t row_stride, const void *packed_b, void *cv, \
      ptrdiff_t ldc, bool accumulate, const void *biasv) { \
    const packed_##P *a = av, *b = packed_b; const sum_##P *bias = biasv; sum_##P *c = cv; \
    const ptrdiff_t units = kc / UNIT_##P, lda = row_stride / UNIT_##P; \
    for (ptrdiff_t j = 0; j < nc; j += NR_##P) \
      for (ptrdiff_t i = 0; i < mc; i += MR) { \
        const packed_##P *pa = a + i * lda, *pb = b + j * units; const sum_##P *pbias = bias ? bias + j : NULL; \
        if (i + MR <= mc && j + NR_##P <= nc) \
          JOIN(gemm_direct_tile, P)(units, pa, lda, pb, c + i * ldc + j, ldc, accumulate, pbias); \
        else \
          JOIN(gemm_edge, P)( \
              true, MIN(MR, mc - i), MIN(NR_##P, nc - j), units, pa, lda, pb, c + i * ldc + j, ldc, accumulate, pbias); \
      } \
  }
BLOCKS_OF_TILES(f32)
BLOCKS_OF_TILES(f64)

// ------------------------------------------------------------------------------------------ small products

// Columns of B contiguous: ROWS x W elements of C in registers, one walk over k.
#define SMALL_TILE(F, ROWS, W) \
  typedef F JOIN(small_##ROWS##_##W, F) __attribute__((ext_vector_type(W))); \
  INLINE void JOIN(small_tile_##ROWS##_##W, F)( \
      ptrdiff_t k, const F *a, ptrdiff_t a_row, ptrdiff_t a_column, const F *b, ptrdiff_t b_row, F *c, ptrdiff_t ldc) { \
    JOIN(small_##ROWS##_##W, F) sums[ROWS], row; \
    UNROLL for (int r = 0; r < ROWS; r++) sums[r] = 0; \
    for (ptrdiff_t p = 0; p < k; p++) { \
      __builtin_memcpy(&row, b + p * b_row, sizeof row); \
      UNROLL for (int r = 0; r < ROWS; r++) sums[r] += a[r * a_row + p * a_column] * row; \
    } \
    UNROLL for (int r = 0; r < ROWS; r++) __builtin_memcpy(c + r * ldc, &sums[r], sizeof row); \
  }
#define SMALL_TILES(F) \
  SMALL_TILE(F, 1, 64) SMALL_TILE(F, 4, 16) SMALL_TILE(F, 4, 8) SMALL_TILE(F, 4, 4) SMALL_TILE(F, 1, 16) SMALL_TILE(F, 1, 8) SMALL_TILE(F, 1, 4)
SMALL_TILES(f32)
SMALL_TILES(f64)

// A few rows of C: the widest tiles first, single elements last. Every element is one chain over k in either case.
#define SMALL_ROWS(F, ROWS) \
  INLINE void JOIN(small_rows_##ROWS, F)( \
      ptrdiff_t n, ptrdiff_t k, const F *a, ptrdiff_t a_row, ptrdiff_t a_column, const F *b, ptrdiff_t b_row, F *c, \
      ptrdiff_t ldc) { \
    ptrdiff_t j = 0; \
    if (ROWS == 1) { for (; j + 64 <= n; j += 64) JOIN(small_tile_1_64, F)(k, a, a_row, a_column, b + j, b_row, c + j, ldc); } \
    for (; j + 16 <= n; j += 16) JOIN(small_tile_##ROWS##_16, F)(k, a, a_row, a_column, b + j, b_row, c + j, ldc); \
    if (j + 8 <= n) { JOIN(small_tile_##ROWS##_8, F)(k, a, a_row, a_column, b + j, b_row, c + j, ldc); j += 8; } \
    if (j + 4 <= n) { JOIN(small_tile_##ROWS##_4, F)(k, a, a_row, a_column, b + j, b_row, c + j, ldc); j += 4; } \
    for (; j < n; j++) { \
      F sums[ROWS] = {0}; \
      SCALAR_LOOP for (ptrdiff_t p = 0; p < k; p++) { \
        const F x = b[p * b_row + j]; \
        UNROLL for (int r = 0; r < ROWS; r++) sums[r] += a[r * a_row + p * a_column] * x; \
      } \
      UNROLL for (int r = 0; r < ROWS; r++) c[r * ldc + j] = sums[r]; \
    } \
  }
SMALL_ROWS(f32, 4) SMALL_ROWS(f32, 1) SMALL_ROWS(f64, 4) SMALL_ROWS(f64, 1)

// Both inner axes contiguous (A B^T): dot products, in four times eight lanes. One column of B after the other, so that a large B is one
// stream from memory: several at a time come at half the speed where a processor fetches ahead along one line.
#define SMALL_DOTS(T, F) \
  INLINE F JOIN(small_dot, T)(ptrdiff_t k, const T *a, const T *b) { \
    narrow_##F lanes[4], x, y; \
    UNROLL for (int u = 0; u < 4; u++) lanes[u] = 0; \
    ptrdiff_t p = 0; \
    for (; p + 4 * NARROW <= k; p += 4 * NARROW) \
      UNROLL for (int u = 0; u < 4; u++) { \
        JOIN(load_narrow, T)(a + p + u * NARROW, &x); \
        JOIN(load_narrow, T)(b + p + u * NARROW, &y); \
        lanes[u] += x * y; \
      } \
    for (; p + NARROW <= k; p += NARROW) { \
      JOIN(load_narrow, T)(a + p, &x); \
      JOIN(load_narrow, T)(b + p, &y); \
      lanes[0] += x * y; \
    } \
    F sum = 0; \
    SCALAR_LOOP for (; p < k; p++) sum += load_##T(a[p]) * load_##T(b[p]); \
    const narrow_##F all = (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]); \
    FOLD_8(sum, all, sum); \
    return sum; \
  } \
  INLINE void JOIN(small_dots, T)( \
      ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, const T *a, ptrdiff_t a_row, const T *b, ptrdiff_t b_column, T *c, ptrdiff_t ldc) { \
    for (ptrdiff_t j = 0; j < n; j++) \
      for (ptrdiff_t i = 0; i < m; i++) \
        c[i * ldc + j] = F##_to_##T(JOIN(small_dot, T)(k, a + i * a_row, b + j * b_column)); \
  }
SMALL_DOTS(f32, f32) SMALL_DOTS(f64, f64) SMALL_DOTS(f16, f32) SMALL_DOTS(bf16, f32)

// The form is chosen by the strides (and k) alone, so an element does not depend on m and n.
#define SMALL_FLOAT_GEMM(F) \
  static void JOIN(small_gemm, F)( \
      ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, const void *av, ptrdiff_t a_row, ptrdiff_t a_column, const void *bv, \
      ptrdiff_t b_row, ptrdiff_t b_column, void *cv, ptrdiff_t ldc) { \
    const F *a = av, *b = bv; F *c = cv; \
    if (b_column == 1) { \
      ptrdiff_t i = 0; \
      for (; i + 4 <= m; i += 4) JOIN(small_rows_4, F)(n, k, a + i * a_row, a_row, a_column, b, b_row, c + i * ldc, ldc); \
      for (; i < m; i++) JOIN(small_rows_1, F)(n, k, a + i * a_row, a_row, a_column, b, b_row, c + i * ldc, ldc); \
    } else if (a_column == 1 && b_row == 1 && k >= NARROW) { \
      JOIN(small_dots, F)(m, n, k, a, a_row, b, b_column, c, ldc); \
    } else { \
      for (ptrdiff_t i = 0; i < m; i++) \
        for (ptrdiff_t j = 0; j < n; j++) { \
          F sum = 0; \
          SCALAR_LOOP for (ptrdiff_t p = 0; p < k; p++) sum += a[i * a_row + p * a_column] * b[p * b_row + j * b_column]; \
          c[i * ldc + j] = sum; \
        } \
    } \
  }
SMALL_FLOAT_GEMM(f32)
SMALL_FLOAT_GEMM(f64)

// The other dtypes, and halves in other layouts: a row of C at a time in a buffer of accumulators: row += A[i, k] * B[k, :].
#define SMALL_GEMM(name, T, A, narrow, plus, times) \
  static void JOIN(name, T)( \
      ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, const void *av, ptrdiff_t a_row, ptrdiff_t a_column, const void *bv, \
      ptrdiff_t b_row, ptrdiff_t b_column, void *cv, ptrdiff_t ldc) { \
    const T *a = av, *b = bv; T *c = cv; \
    A row[CHUNK]; \
    for (ptrdiff_t i = 0; i < m; i++) \
      for (ptrdiff_t start = 0; start < n; start += CHUNK) { \
        const ptrdiff_t count = MIN(CHUNK, n - start); \
        for (ptrdiff_t j = 0; j < count; j++) row[j] = 0; \
        for (ptrdiff_t p = 0; p < k; p++) { \
          const A x = (A)load_##T(a[i * a_row + p * a_column]); \
          const T *line = b + p * b_row + start * b_column; \
          if (b_column == 1) { \
            VECTOR_LOOP for (ptrdiff_t j = 0; j < count; j++) row[j] = row[j] plus x times (A)load_##T(line[j]); \
          } else { \
            SCALAR_LOOP for (ptrdiff_t j = 0; j < count; j++) row[j] = row[j] plus x times (A)load_##T(line[j * b_column]); \
          } \
        } \
        T *out = c + i * ldc + start; \
        VECTOR_LOOP for (ptrdiff_t j = 0; j < count; j++) out[j] = narrow(row[j]); \
      } \
  }
SMALL_GEMM(small_lines, f16, f32, f32_to_f16, +, *) SMALL_GEMM(small_lines, bf16, f32, f32_to_bf16, +, *)
SMALL_GEMM(small_gemm, i64, uint64_t, (i64), +, *) SMALL_GEMM(small_gemm, i32, uint32_t, (i32), +, *)
SMALL_GEMM(small_gemm, i16, uint32_t, (i16), +, *) SMALL_GEMM(small_gemm, i8, uint32_t, (i8), +, *)
SMALL_GEMM(small_gemm, u8, uint32_t, (u8), +, *) SMALL_GEMM(small_gemm, b8, uint32_t, (u8), |, &)

#define SMALL_HALF_GEMM(T) \
  static void JOIN(small_gemm, T)( \
      ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, const void *a, ptrdiff_t a_row, ptrdiff_t a_column, const void *b, \
      ptrdiff_t b_row, ptrdiff_t b_column, void *c, ptrdiff_t ldc) { \
    if (b_column != 1 && a_column == 1 && b_row == 1 && k >= NARROW) \
      JOIN(small_dots, T)(m, n, k, a, a_row, b, b_column, c, ldc); \
    else \
      JOIN(small_lines, T)(m, n, k, a, a_row, a_column, b, b_row, b_column, c, ldc); \
  }
SMALL_HALF_GEMM(f16) SMALL_HALF_GEMM(bf16)

// ------------------------------------------------------------------------------------------ table entries

// T is what is packed, P the kind of panels; `rows` is NULL where P is not T as it lies in memory.
#define GEMM_ENTRY(T, P, rows, blocks) GEMM_ENTRY_(T, P, rows, blocks)
#define GEMM_ENTRY_(T, P, rows_kernel, panels_m, panels_n, units) { \
    .mr = MR, .nr = NR_##P, .unit = UNIT_##P, .unit_size = sizeof(packed_##P), \
    .mc = MR * (panels_m), .nc = NR_##P * (panels_n), .kc = UNIT_##P * (units), \
    .pack_a = JOIN(pack_a, T), .pack_b = JOIN(pack_b, T), .block = JOIN(gemm_block, P), .rows = rows_kernel }
