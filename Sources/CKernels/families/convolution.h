// Convolution on channels-last images: matrix products whose rows are read where they lie.
//
// A target pixel is the sum over the taps of the kernel of (source pixel) x (matrix of that tap). Instead of copying source pixels into
// a matrix (im2col), the kernels take a list of pointers, a pointer for each tap and target pixel; pixels outside the source point at
// zeros. Stride, padding, dilation and the phases of a strided gradient are all in the list, and the loops know nothing of them.

// ------------------------------------------------------------------------------------------ which pixels

typedef struct { ptrdiff_t at[4]; } conv_place;

INLINE conv_place conv_place_of(const apus_conv_grid *g, ptrdiff_t pixel) {
  conv_place p;
  for (int axis = 3; axis > 0; axis--) { p.at[axis] = pixel % g->count[axis]; pixel /= g->count[axis]; }
  p.at[0] = pixel;
  return p;
}
INLINE void conv_advance(const apus_conv_grid *g, conv_place *p) {
  for (int axis = 3; axis > 0; axis--) {
    if (++p->at[axis] < g->count[axis]) return;
    p->at[axis] = 0;
  }
  p->at[0]++;
}

// Pixels that are located at a time: two vectors of addresses, or more of narrower ones.
enum { CONV_PANEL = 16 };

// Up to CONV_PANEL neighbouring target pixels in the source: coordinates before the tap's offset, and the address there.
typedef struct { i64 depth[CONV_PANEL], row[CONV_PANEL], column[CONV_PANEL], address[CONV_PANEL]; } conv_pixels;

static void conv_locate(const apus_conv_grid *g, conv_place *place, ptrdiff_t count, const void *source, conv_pixels *p) {
  // Pixels past the end lie at a depth that no tap reaches.
  for (ptrdiff_t r = count; r < CONV_PANEL; r++) { p->depth[r] = INT32_MIN; p->row[r] = p->column[r] = p->address[r] = 0; }
  for (ptrdiff_t r = 0; r < count;) {
    const ptrdiff_t run = MIN(count - r, g->count[3] - place->at[3]);
    const i64 d = place->at[1] * g->step[0], h = place->at[2] * g->step[1], w = place->at[3] * g->step[2];
    const i64 start = (i64)(intptr_t)source + place->at[0] * g->source[0] + d * g->source[1] + h * g->source[2] + w * g->source[3];
    const i64 step = g->step[2], stride = step * g->source[3];
    for (ptrdiff_t k = 0; k < run; k++) {
      p->depth[r + k] = d; p->row[r + k] = h; p->column[r + k] = w + k * step; p->address[r + k] = start + k * stride;
    }
    r += run;
    place->at[3] += run - 1;
    conv_advance(g, place);
  }
}

static void conv_sources(
    const apus_conv_grid *g, ptrdiff_t first, ptrdiff_t count, ptrdiff_t panel, ptrdiff_t taps, const ptrdiff_t *offsets,
    const void *source, const void *zeros, const void **x) {
  conv_place place = conv_place_of(g, first);
  const i64 depth = g->size[0], height = g->size[1], width = g->size[2], outside = (i64)(intptr_t)zeros;
  for (ptrdiff_t start = 0; start < count; start += panel, x += taps * panel) {
    for (ptrdiff_t piece = 0; piece < panel; piece += CONV_PANEL) {
      const ptrdiff_t length = MIN(CONV_PANEL, panel - piece);
      conv_pixels p;
      conv_locate(g, &place, MIN(length, count - start - piece), source, &p);
      for (ptrdiff_t t = 0; t < taps; t++) {
        const i64 d = offsets[3 * t], h = offsets[3 * t + 1], w = offsets[3 * t + 2];
        const i64 delta = d * g->source[1] + h * g->source[2] + w * g->source[3];
        i64 found[CONV_PANEL];
        VECTOR_LOOP for (ptrdiff_t r = 0; r < CONV_PANEL; r++) {
          const bool inside = ((uint64_t)(p.depth[r] + d) < (uint64_t)depth) & ((uint64_t)(p.row[r] + h) < (uint64_t)height) &
                              ((uint64_t)(p.column[r] + w) < (uint64_t)width);
          found[r] = inside ? p.address[r] + delta : outside;
        }
        // Lengths that are known here are a few instructions instead of a call.
        const void **to = x + t * panel + piece;
        if (length == CONV_PANEL) __builtin_memcpy(to, found, sizeof found);
        else if (length == MR) __builtin_memcpy(to, found, MR * sizeof *found);
        else __builtin_memcpy(to, found, (size_t)length * sizeof *found);
      }
    }
  }
}

static void conv_targets(const apus_conv_grid *g, ptrdiff_t first, ptrdiff_t count, void *target, void **y) {
  conv_place place = conv_place_of(g, first);
  for (ptrdiff_t r = 0; r < count;) {
    const ptrdiff_t run = MIN(count - r, g->count[3] - place.at[3]);
    char *start = (char *)target + place.at[0] * g->target[0] + place.at[1] * g->target[1] + place.at[2] * g->target[2] +
                  place.at[3] * g->target[3];
    for (ptrdiff_t k = 0; k < run; k++) y[r + k] = start + k * g->target[3];
    r += run;
    place.at[3] += run - 1;
    conv_advance(g, &place);
  }
}

// ------------------------------------------------------------------------------------------ packing

// Columns in blocks of NR, the last of LANES where that suffices; in a block [tap][depth][column], columns past n are 0.
#define CONV_WIDTH(F, left) ((left) <= LANES_##F ? LANES_##F : NR_##F)

// Few columns would leave most lanes empty: there the lanes run along the depth, and the weights lie as [tap][column][depth].
enum { CONV_NARROW = 4 };

#define CONV_PACK(F) \
  static void JOIN(conv_pack_narrow, F)( \
      ptrdiff_t taps, ptrdiff_t depth, ptrdiff_t n, const F *w, const ptrdiff_t *tap_offsets, ptrdiff_t depth_stride, \
      ptrdiff_t column_stride, F *y) { \
    for (ptrdiff_t t = 0; t < taps; t++) \
      for (ptrdiff_t j = 0; j < n; j++, y += depth) { \
        const F *from = w + tap_offsets[t] + j * column_stride; \
        SCALAR_LOOP for (ptrdiff_t k = 0; k < depth; k++) y[k] = from[k * depth_stride]; \
      } \
  } \
  static void JOIN(conv_pack, F)( \
      bool is_narrow, ptrdiff_t taps, ptrdiff_t depth, ptrdiff_t n, const void *wv, const ptrdiff_t *tap_offsets, \
      ptrdiff_t depth_stride, ptrdiff_t column_stride, void *packed) { \
    F *y = packed; \
    if (is_narrow) { \
      JOIN(conv_pack_narrow, F)(taps, depth, n, wv, tap_offsets, depth_stride, column_stride, y); \
      return; \
    } \
    bool consecutive = taps > 1; \
    for (ptrdiff_t t = 1; t < taps; t++) consecutive &= tap_offsets[t] == tap_offsets[t - 1] + 1; \
    for (ptrdiff_t j = 0; j < n; j += NR_##F) { \
      const F *w = (const F *)wv + j * column_stride; \
      const ptrdiff_t width = CONV_WIDTH(F, n - j), used = MIN(width, n - j); \
      if (used < width) __builtin_memset(y, 0, (size_t)(taps * depth * width) * sizeof(F)); \
      if (consecutive && column_stride != 1) { \
        for (ptrdiff_t k = 0; k < depth; k++) \
          JOIN(pack_transpose, F)( \
              used, taps, w + k * depth_stride + tap_offsets[0], column_stride, y + k * width, depth * width); \
      } else { \
        for (ptrdiff_t t = 0; t < taps; t++) \
          JOIN(pack_panel, F)( \
              depth, width, used, w + tap_offsets[t], column_stride, depth_stride, y + t * depth * width); \
      } \
      y += taps * depth * width; \
    } \
  } \
  static void JOIN(conv_pack_lines, F)(ptrdiff_t count, ptrdiff_t n, void *const *lines, void *packed) { \
    F *y = packed; \
    for (ptrdiff_t j = 0; j < n; j += NR_##F) { \
      const ptrdiff_t width = CONV_WIDTH(F, n - j), used = MIN(width, n - j); \
      if (used == width && width == NR_##F) { \
        for (ptrdiff_t p = 0; p < count; p++, y += NR_##F) __builtin_memcpy(y, (const F *)lines[p] + j, NR_##F * sizeof(F)); \
        continue; \
      } \
      for (ptrdiff_t p = 0; p < count; p++, y += width) \
        for (ptrdiff_t c = 0; c < width; c++) y[c] = c < used ? ((const F *)lines[p])[j + c] : 0; \
    } \
  }
CONV_PACK(f32)
CONV_PACK(f64)

// ------------------------------------------------------------------------------------------ endings

// The ending of the columns from j on; `residual` is an offset from the target's bytes to those of what is added, 0 for nothing.
#define CONV_ENDING(F) \
  typedef struct { const F *scale, *bias; ptrdiff_t residual; bool is_rectified; } JOIN(conv_ending, F); \
  INLINE JOIN(conv_ending, F) JOIN(conv_ending_of, F)(const apus_conv_ending *e, ptrdiff_t j) { \
    if (!e) return (JOIN(conv_ending, F)){NULL, NULL, 0, false}; \
    const F *scale = e->scale, *bias = e->bias; \
    return (JOIN(conv_ending, F)){ \
        scale ? scale + j : NULL, bias ? bias + j : NULL, \
        e->residual ? (intptr_t)e->residual - (intptr_t)e->target : 0, e->is_rectified}; \
  } \
  INLINE bool JOIN(conv_has_ending, F)(const JOIN(conv_ending, F) *e) { \
    return e->scale || e->bias || e->residual || e->is_rectified; \
  } \
  /* A vector of columns from j on that goes to y. */ \
  INLINE tile_##F JOIN(conv_ended, F)(const JOIN(conv_ending, F) *e, ptrdiff_t j, const F *y, tile_##F sum) { \
    tile_##F v; \
    if (e->scale) { __builtin_memcpy(&v, e->scale + j, sizeof v); sum *= v; } \
    if (e->bias) { __builtin_memcpy(&v, e->bias + j, sizeof v); sum += v; } \
    if (e->residual) { __builtin_memcpy(&v, (const char *)y + e->residual, sizeof v); sum += v; } \
    /* Everything but what is <= 0, so NaN stays. */ \
    const __typeof__(sum <= 0) kept = ~(sum <= 0) & (__typeof__(sum <= 0))sum; \
    return e->is_rectified ? (tile_##F)kept : sum; \
  } \
  INLINE F JOIN(conv_ended_one, F)(const JOIN(conv_ending, F) *e, ptrdiff_t j, const F *y, F sum) { \
    if (e->scale) sum *= e->scale[j]; \
    if (e->bias) sum += e->bias[j]; \
    if (e->residual) sum += *(const F *)((const char *)y + e->residual); \
    return e->is_rectified && sum <= 0 ? 0 : sum; \
  } \
  static void JOIN(conv_end_line, F)(const JOIN(conv_ending, F) *e, ptrdiff_t columns, const F *sums, F *y) { \
    ptrdiff_t j = 0; \
    for (; j + LANES_##F <= columns; j += LANES_##F) { \
      tile_##F sum; \
      __builtin_memcpy(&sum, sums + j, sizeof sum); \
      sum = JOIN(conv_ended, F)(e, j, y + j, sum); \
      __builtin_memcpy(y + j, &sum, sizeof sum); \
    } \
    for (; j < columns; j++) y[j] = JOIN(conv_ended_one, F)(e, j, y + j, sums[j]); \
  }
CONV_ENDING(f32)
CONV_ENDING(f64)

// ------------------------------------------------------------------------------------------ pixels x weights

// Numbers of a cache line.
enum { CONV_LINE_f32 = 16, CONV_LINE_f64 = 8 };

// Adds what channel k of the pixels gives, whose weights are at w.
#define CONV_TILE_STEP(F, R, V, k, w) { \
    tile_##F line[V]; \
    UNROLL for (int v = 0; v < V; v++) __builtin_memcpy(&line[v], (w) + v * LANES_##F, sizeof line[v]); \
    UNROLL for (int r = 0; r < R; r++) { \
      const tile_##F a = pixel[r][k] - (tile_##F){0}; \
      UNROLL for (int v = 0; v < V; v++) sums[r][v] += a * line[v]; \
    } \
  }
// The first R of a panel's pixels, V vectors of columns. An element is one chain over (tap, depth), then comes the ending.
// What `ahead` points at, the pixels of the next panel, is asked for meanwhile: with one tap they come from afar.
#define CONV_TILE(F, R, V) \
  static __attribute__((noinline)) void JOIN(conv_tile_##R##_##V, F)( \
      ptrdiff_t rows, ptrdiff_t columns, ptrdiff_t taps, ptrdiff_t depth, const F *const *x, const F *const *ahead, const F *w, \
      F *const *y, const JOIN(conv_ending, F) *ending) { \
    tile_##F sums[R][V]; \
    UNROLL for (int r = 0; r < R; r++) UNROLL for (int v = 0; v < V; v++) sums[r][v] = (tile_##F){0}; \
    for (ptrdiff_t t = 0; t < taps; t++, x += MR) { \
      const F *pixel[R]; \
      UNROLL for (int r = 0; r < R; r++) pixel[r] = x[r]; \
      ptrdiff_t k = 0; \
      for (; k + 4 <= depth; k += 4, w += 4 * V * LANES_##F) { \
        if (ahead && k % CONV_LINE_##F == 0) UNROLL for (int r = 0; r < R; r++) __builtin_prefetch(ahead[r] + k, 0, 2); \
        UNROLL for (int i = 0; i < 4; i++) CONV_TILE_STEP(F, R, V, k + i, w + i * V * LANES_##F) \
      } \
      for (; k < depth; k++, w += V * LANES_##F) CONV_TILE_STEP(F, R, V, k, w) \
    } \
    if (columns == V * LANES_##F && !JOIN(conv_has_ending, F)(ending)) { \
      UNROLL for (int r = 0; r < R; r++) \
        if (r < rows) UNROLL for (int v = 0; v < V; v++) __builtin_memcpy(y[r] + v * LANES_##F, &sums[r][v], sizeof sums[r][v]); \
      return; \
    } \
    F buffer[R][V * LANES_##F]; \
    __builtin_memcpy(buffer, sums, sizeof buffer); \
    for (ptrdiff_t r = 0; r < rows; r++) JOIN(conv_end_line, F)(ending, columns, buffer[r], y[r]); \
  }
#define CONV_TILES(F) \
  CONV_TILE(F, ROWS_1, 1) CONV_TILE(F, ROWS_2, 1) CONV_TILE(F, MR, 1) \
  CONV_TILE(F, ROWS_1, NV) CONV_TILE(F, ROWS_2, NV) CONV_TILE(F, MR, NV) \
  /* By width, one vector or NV, and height. */ \
  static __typeof__(JOIN(conv_tile_MR_NV, F)) *const JOIN(conv_tiles, F)[2][3] = { \
      {JOIN(conv_tile_ROWS_1_1, F), JOIN(conv_tile_ROWS_2_1, F), JOIN(conv_tile_MR_1, F)}, \
      {JOIN(conv_tile_ROWS_1_NV, F), JOIN(conv_tile_ROWS_2_NV, F), JOIN(conv_tile_MR_NV, F)}};
CONV_TILES(f32)
CONV_TILES(f64)

// Two pixels, N columns, lanes along the depth.
enum { CONV_PAIR = 2 };
#define CONV_NARROW_TILE(F, N) \
  static __attribute__((noinline)) void JOIN(conv_narrow_##N, F)( \
      ptrdiff_t rows, ptrdiff_t taps, ptrdiff_t depth, const F *const *x, const F *w, void *const *y, \
      const JOIN(conv_ending, F) *ending) { \
    tile_##F sums[CONV_PAIR][N], a, b[N]; \
    F tails[CONV_PAIR][N] = {{0}}; \
    UNROLL for (int r = 0; r < CONV_PAIR; r++) UNROLL for (int j = 0; j < N; j++) sums[r][j] = (tile_##F){0}; \
    for (ptrdiff_t t = 0; t < taps; t++, x += MR, w += N * depth) { \
      ptrdiff_t k = 0; \
      for (; k + LANES_##F <= depth; k += LANES_##F) { \
        UNROLL for (int j = 0; j < N; j++) __builtin_memcpy(&b[j], w + j * depth + k, sizeof b[j]); \
        UNROLL for (int r = 0; r < CONV_PAIR; r++) { \
          __builtin_memcpy(&a, x[r] + k, sizeof a); \
          UNROLL for (int j = 0; j < N; j++) sums[r][j] += a * b[j]; \
        } \
      } \
      SCALAR_LOOP for (; k < depth; k++) \
        UNROLL for (int r = 0; r < CONV_PAIR; r++) UNROLL for (int j = 0; j < N; j++) tails[r][j] += x[r][k] * w[j * depth + k]; \
    } \
    for (ptrdiff_t r = 0; r < rows; r++) \
      for (int j = 0; j < N; j++) { \
        F lanes[LANES_##F], sum = tails[r][j]; \
        __builtin_memcpy(lanes, &sums[r][j], sizeof lanes); \
        UNROLL for (int half = LANES_##F / 2; half > 0; half /= 2) \
          UNROLL for (int i = 0; i < half; i++) lanes[i] += lanes[i + half]; \
        sum += lanes[0]; \
        F *to = (F *)y[r] + j; \
        *to = JOIN(conv_ended_one, F)(ending, j, to, sum); \
      } \
  }
#define CONV_NARROW_CASE(F, N) \
  case N: JOIN(conv_narrow_##N, F)(MIN(CONV_PAIR, rows - i), taps, depth, pixels, packed, y + i, ending); break;

#define CONV_MULTIPLY(F) \
  CONV_NARROW_TILE(F, 1) CONV_NARROW_TILE(F, 2) CONV_NARROW_TILE(F, 3) CONV_NARROW_TILE(F, 4) \
  static void JOIN(conv_multiply_narrow, F)( \
      ptrdiff_t rows, ptrdiff_t n, ptrdiff_t taps, ptrdiff_t depth, const F *const *x, const F *packed, void *const *y, \
      const JOIN(conv_ending, F) *ending) { \
    for (ptrdiff_t i = 0; i < rows; i += CONV_PAIR) { \
      const F *const *pixels = x + i / MR * MR * taps + i % MR; \
      switch (n) { CONV_NARROW_CASE(F, 1) CONV_NARROW_CASE(F, 2) CONV_NARROW_CASE(F, 3) CONV_NARROW_CASE(F, 4) } \
    } \
  } \
  /* A block of weights stays in the cache while the panels of pixels pass. */ \
  static void JOIN(conv_multiply, F)( \
      bool is_narrow, ptrdiff_t rows, ptrdiff_t n, ptrdiff_t taps, ptrdiff_t depth, const void *const *x, const void *packed, \
      void *const *y, const apus_conv_ending *end) { \
    const F *w = packed; \
    if (is_narrow) { \
      const JOIN(conv_ending, F) ending = JOIN(conv_ending_of, F)(end, 0); \
      JOIN(conv_multiply_narrow, F)(rows, n, taps, depth, (const F *const *)x, w, y, &ending); \
      return; \
    } \
    for (ptrdiff_t j = 0; j < n; j += NR_##F) { \
      const ptrdiff_t width = CONV_WIDTH(F, n - j), columns = MIN(width, n - j); \
      const JOIN(conv_ending, F) ending = JOIN(conv_ending_of, F)(end, j); \
      for (ptrdiff_t i = 0; i < rows; i += MR) { \
        F *line[MR]; \
        for (ptrdiff_t r = 0; r < MR && i + r < rows; r++) line[r] = (F *)y[i + r] + j; \
        const ptrdiff_t height = rows - i <= ROWS_1 ? 0 : rows - i <= ROWS_2 ? 1 : 2; \
        JOIN(conv_tiles, F)[width == NR_##F][height]( \
            MIN(MR, rows - i), columns, taps, depth, (const F *const *)x + i * taps, \
            taps == 1 && j == 0 && i + MR < rows ? (const F *const *)x + i + MR : NULL, w, line, &ending); \
      } \
      w += taps * depth * width; \
    } \
  }
CONV_MULTIPLY(f32)
CONV_MULTIPLY(f64)

// ------------------------------------------------------------------------------------------ pixels x pixels

// c[i][j] += sum over pixels of x_p[i] y_p[j]: R rows of c, V vectors of columns. `line` says which packed line belongs to a pixel.
#define CONV_SUM_TILE(F, R, V) \
  static __attribute__((noinline)) void JOIN(conv_sum_##R##_##V, F)( \
      ptrdiff_t count, ptrdiff_t columns, const F *const *x, ptrdiff_t i, const int32_t *line, const F *packed, F *c, \
      ptrdiff_t ldc) { \
    tile_##F sums[R][V]; \
    UNROLL for (int r = 0; r < R; r++) UNROLL for (int v = 0; v < V; v++) sums[r][v] = (tile_##F){0}; \
    for (ptrdiff_t p = 0; p < count; p++) { \
      const F *pixel = x[p] + i, *other = packed + (ptrdiff_t)line[p] * (V * LANES_##F); \
      tile_##F row[V]; \
      UNROLL for (int v = 0; v < V; v++) __builtin_memcpy(&row[v], other + v * LANES_##F, sizeof row[v]); \
      UNROLL for (int r = 0; r < R; r++) { \
        const tile_##F a = pixel[r] - (tile_##F){0}; \
        UNROLL for (int v = 0; v < V; v++) sums[r][v] += a * row[v]; \
      } \
    } \
    if (columns == V * LANES_##F) { \
      UNROLL for (int r = 0; r < R; r++) UNROLL for (int v = 0; v < V; v++) { \
        tile_##F old; \
        __builtin_memcpy(&old, c + r * ldc + v * LANES_##F, sizeof old); \
        old += sums[r][v]; \
        __builtin_memcpy(c + r * ldc + v * LANES_##F, &old, sizeof old); \
      } \
      return; \
    } \
    F buffer[R][V * LANES_##F]; \
    __builtin_memcpy(buffer, sums, sizeof buffer); \
    for (ptrdiff_t r = 0; r < R; r++) for (ptrdiff_t j = 0; j < columns; j++) c[r * ldc + j] += buffer[r][j]; \
  }

#define CONV_SUM_COLUMNS(F, V) \
  CONV_SUM_TILE(F, MR, V) CONV_SUM_TILE(F, 4, V) CONV_SUM_TILE(F, 1, V) \
  static void JOIN(conv_sum_##V, F)( \
      ptrdiff_t count, ptrdiff_t m, ptrdiff_t columns, const F *const *x, const int32_t *line, const F *packed, F *c, \
      ptrdiff_t ldc) { \
    ptrdiff_t i = 0; \
    for (; i + MR <= m; i += MR) JOIN(conv_sum_MR_##V, F)(count, columns, x, i, line, packed, c + i * ldc, ldc); \
    for (; i + 4 <= m; i += 4) JOIN(conv_sum_4_##V, F)(count, columns, x, i, line, packed, c + i * ldc, ldc); \
    for (; i < m; i++) JOIN(conv_sum_1_##V, F)(count, columns, x, i, line, packed, c + i * ldc, ldc); \
  }

#define CONV_ACCUMULATE(F) \
  CONV_SUM_COLUMNS(F, NV) CONV_SUM_COLUMNS(F, 1) \
  static void JOIN(conv_accumulate, F)( \
      ptrdiff_t count, ptrdiff_t lines, ptrdiff_t m, ptrdiff_t n, const void *const *x, const int32_t *line, const void *packed, \
      void *cv, ptrdiff_t ldc) { \
    const F *w = packed; F *c = cv; \
    for (ptrdiff_t j = 0; j < n; j += NR_##F) { \
      const ptrdiff_t width = CONV_WIDTH(F, n - j), columns = MIN(width, n - j); \
      (width == NR_##F ? JOIN(conv_sum_NV, F) : JOIN(conv_sum_1, F))( \
          count, m, columns, (const F *const *)x, line, w, c + j, ldc); \
      w += lines * width; \
    } \
  }
CONV_ACCUMULATE(f32)
CONV_ACCUMULATE(f64)

// ------------------------------------------------------------------------------------------ a channel by itself

// Panels of CONV_PANEL pixels, of which four at a time share the loads of the weights [tap][channel].
enum { CONV_TOGETHER = 4, CONV_AHEAD = 8 };

// V vectors of channels from c on, as long as they last.
#define CONV_DEPTHWISE_TILE(F, V) \
  for (; c + V * LANES_##F <= channels; c += V * LANES_##F) { \
    tile_##F sums[CONV_TOGETHER][V], a, b[V]; \
    UNROLL for (int r = 0; r < CONV_TOGETHER; r++) UNROLL for (int v = 0; v < V; v++) sums[r][v] = (tile_##F){0}; \
    for (ptrdiff_t t = 0; t < taps; t++) { \
      __builtin_memcpy(b, w + t * channels + c, sizeof b); \
      UNROLL for (int r = 0; r < CONV_TOGETHER; r++) UNROLL for (int v = 0; v < V; v++) { \
        __builtin_memcpy(&a, x[t * CONV_PANEL + r] + c + v * LANES_##F, sizeof a); \
        sums[r][v] += a * b[v]; \
      } \
    } \
    if (ahead) \
      UNROLL for (int r = 0; r < CONV_TOGETHER; r++) UNROLL for (int v = 0; v < V; v++) \
        __builtin_prefetch(ahead[r] + c + v * LANES_##F); \
    if (bias) { \
      __builtin_memcpy(b, bias + c, sizeof b); \
      UNROLL for (int r = 0; r < CONV_TOGETHER; r++) UNROLL for (int v = 0; v < V; v++) sums[r][v] += b[v]; \
    } \
    UNROLL for (int r = 0; r < CONV_TOGETHER; r++) \
      if (r < used) __builtin_memcpy(y[r] + c, sums[r], sizeof sums[r]); \
  }
#define CONV_DEPTHWISE(F) \
  INLINE void JOIN(conv_depthwise_four, F)( \
      ptrdiff_t used, ptrdiff_t channels, ptrdiff_t taps, const F *const *x, const F *const *ahead, const F *w, F *const *y, \
      const F *bias) { \
    ptrdiff_t c = 0; \
    CONV_DEPTHWISE_TILE(F, 2) CONV_DEPTHWISE_TILE(F, 1) \
    for (; c < channels; c++) \
      for (ptrdiff_t r = 0; r < used; r++) { \
        F sum = 0; \
        SCALAR_LOOP for (ptrdiff_t t = 0; t < taps; t++) sum += x[t * CONV_PANEL + r][c] * w[t * channels + c]; \
        y[r][c] = bias ? sum + bias[c] : sum; \
      } \
  } \
  static void JOIN(conv_depthwise, F)( \
      ptrdiff_t count, ptrdiff_t channels, ptrdiff_t taps, const void *const *x, const void *w, void *const *y, \
      const void *bias) { \
    for (ptrdiff_t i = 0; i < count; i += CONV_TOGETHER) { \
      const F *const *here = (const F *const *)x + i / CONV_PANEL * CONV_PANEL * taps + i % CONV_PANEL; \
      /* What the last tap will read next comes from afar: it is asked for in time. */ \
      const ptrdiff_t next = i + CONV_AHEAD < count ? i + CONV_AHEAD : i; \
      const ptrdiff_t place = next / CONV_PANEL * CONV_PANEL * taps + next % CONV_PANEL + (taps - 1) * CONV_PANEL; \
      const F *const *ahead = taps > 0 ? (const F *const *)x + place : NULL; \
      JOIN(conv_depthwise_four, F)( \
          MIN(CONV_TOGETHER, count - i), channels, taps, here, ahead, w, (F *const *)y + i, bias); \
    } \
  }

// c[i] += sum over pixels of x_p[i] y_p[i], for V vectors of channels from i on as long as they last.
#define CONV_DEPTHWISE_SUM(F, V) \
  for (; i + V * LANES_##F <= channels; i += V * LANES_##F) { \
    tile_##F sums[V], a, b; \
    UNROLL for (int v = 0; v < V; v++) sums[v] = (tile_##F){0}; \
    for (ptrdiff_t p = 0; p < count; p++) \
      UNROLL for (int v = 0; v < V; v++) { \
        __builtin_memcpy(&a, (const F *)x[p] + i + v * LANES_##F, sizeof a); \
        __builtin_memcpy(&b, (const F *)y[p] + i + v * LANES_##F, sizeof b); \
        sums[v] += a * b; \
      } \
    UNROLL for (int v = 0; v < V; v++) { \
      __builtin_memcpy(&a, c + i + v * LANES_##F, sizeof a); \
      a += sums[v]; \
      __builtin_memcpy(c + i + v * LANES_##F, &a, sizeof a); \
    } \
  }
#define CONV_DEPTHWISE_SUMS(F) \
  static void JOIN(conv_depthwise_sum, F)( \
      ptrdiff_t count, ptrdiff_t channels, const void *const *x, const void *const *y, void *cv) { \
    F *c = cv; \
    ptrdiff_t i = 0; \
    CONV_DEPTHWISE_SUM(F, 4) CONV_DEPTHWISE_SUM(F, 1) \
    for (; i < channels; i++) { \
      F sum = 0; \
      SCALAR_LOOP for (ptrdiff_t p = 0; p < count; p++) sum += ((const F *)x[p])[i] * ((const F *)y[p])[i]; \
      c[i] += sum; \
    } \
  }
CONV_DEPTHWISE(f32)
CONV_DEPTHWISE(f64)
CONV_DEPTHWISE_SUMS(f32)
CONV_DEPTHWISE_SUMS(f64)

// ------------------------------------------------------------------------------------------ table entries

#define CONV_ENTRY(F) { \
    .rows = MR, .columns = NR_##F, .lanes = LANES_##F, .step = ROWS_1, .together = CONV_PANEL, .narrow = CONV_NARROW, \
    .sources = conv_sources, .targets = conv_targets, .pack = JOIN(conv_pack, F), .pack_lines = JOIN(conv_pack_lines, F), \
    .multiply = JOIN(conv_multiply, F), .accumulate = JOIN(conv_accumulate, F), .depthwise = JOIN(conv_depthwise, F), \
    .depthwise_sum = JOIN(conv_depthwise_sum, F) }
