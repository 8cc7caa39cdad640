// Pooling windows over one image. Two memory layouts, and so two loops: along a row of outputs of one channel (planes), or
// over the channels of one output (channels last). Vectors have 64, 32 or 16 bytes whatever the instruction set: rows are
// often shorter than a register, and clang splits what is wider.

// ------------------------------------------------------------------------------------------ windows

// The taps of a window that lie in the input: positions first, first + dilation, ...
typedef struct { ptrdiff_t first, count; } pool_taps;

INLINE pool_taps pool_taps_of(const apus_pool_window *w, int axis, ptrdiff_t output) {
  const ptrdiff_t start = output * w->stride[axis] - w->padding[axis], d = w->dilation[axis], n = w->input[axis];
  const ptrdiff_t skip = start < 0 ? (d - 1 - start) / d : 0;
  const ptrdiff_t end = start + (w->kernel[axis] - 1) * d < n ? w->kernel[axis] : start < n ? (n - start + d - 1) / d : 0;
  return (pool_taps){start + skip * d, end > skip ? end - skip : 0};
}

// The outputs along the last axis whose windows lie in the input as a whole.
typedef struct { ptrdiff_t begin, end; } pool_span;

INLINE pool_span pool_interior(const apus_pool_window *w) {
  const ptrdiff_t s = w->stride[2], p = w->padding[2], last = w->input[2] - 1 - (w->kernel[2] - 1) * w->dilation[2] + p;
  const ptrdiff_t begin = MIN((p + s - 1) / s, w->output[2]);
  const ptrdiff_t end = last < 0 ? begin : MIN(last / s + 1, w->output[2]);
  return (pool_span){begin, end < begin ? begin : end};
}

// What a window's sum is divided by along one axis.
INLINE ptrdiff_t pool_extent(const apus_pool_window *w, int axis, ptrdiff_t output, pool_taps taps) {
  if (!w->count_padding) return taps.count;
  const ptrdiff_t start = output * w->stride[axis] - w->padding[axis], end = w->input[axis] + w->padding[axis];
  return MIN(start + w->kernel[axis], end) - start;
}

// The windows of a row of outputs along the two outer axes, and the steps from tap to tap in elements.
typedef struct {
  pool_taps z, y;
  ptrdiff_t origin;  // of the first tap's row
  ptrdiff_t step_z, step_y, step_x;
  ptrdiff_t extent;  // what sums are divided by, as far as these axes go
} pool_row;

INLINE pool_row pool_row_of(const apus_pool_window *w, ptrdiff_t row, ptrdiff_t pixel) {
  const ptrdiff_t oz = row / w->output[1], oy = row % w->output[1], line = w->input[2] * pixel, plane = w->input[1] * line;
  const pool_taps z = pool_taps_of(w, 0, oz), y = pool_taps_of(w, 1, oy);
  return (pool_row){
      z, y, z.first * plane + y.first * line, w->dilation[0] * plane, w->dilation[1] * line, w->dilation[2] * pixel,
      pool_extent(w, 0, oz, z) * pool_extent(w, 1, oy, y)};
}

#define POOL_ROWS for (ptrdiff_t row = first_row; row < first_row + rows; row++)
// Every tap of a window; `at` is its distance from the image's first element.
#define POOL_TAPS(r, nz, ny, nx, origin) \
  for (ptrdiff_t tz = 0, oz_ = (origin); tz < (nz); tz++, oz_ += (r).step_z) \
    for (ptrdiff_t ty = 0, oy_ = oz_; ty < (ny); ty++, oy_ += (r).step_y) \
      for (ptrdiff_t tx = 0, at = oy_; tx < (nx); tx++, at += (r).step_x)

// ------------------------------------------------------------------------------------------ vectors

// L elements that lie S = 1 or 2 apart; nothing behind the last is read. Of two overlapping loads the first gives the even
// places of the lower half, the second, one short of L on, the odd places that are the upper half.
#define POOL_EVEN_2 0, 3
#define POOL_EVEN_4 0, 2, 5, 7
#define POOL_EVEN_8 0, 2, 4, 6, 9, 11, 13, 15
#define POOL_EVEN_16 0, 2, 4, 6, 8, 10, 12, 14, 17, 19, 21, 23, 25, 27, 29, 31
#define POOL_LOW_2 0, 2
#define POOL_HIGH_2 1, 3
#define POOL_LOW_4 0, 4, 1, 5
#define POOL_HIGH_4 2, 6, 3, 7
#define POOL_LOW_8 0, 8, 1, 9, 2, 10, 3, 11
#define POOL_HIGH_8 4, 12, 5, 13, 6, 14, 7, 15
#define POOL_LOW_16 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23
#define POOL_HIGH_16 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31
#define POOL_IOTA_2 0, 1
#define POOL_IOTA_4 0, 1, 2, 3
#define POOL_IOTA_8 0, 1, 2, 3, 4, 5, 6, 7
#define POOL_IOTA_16 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15

// I is the integer as wide as T: comparisons of vectors make it, so it is what indices are selected in.
#define POOL_VECTORS(T, I, L) \
  typedef T JOIN(pool_##T, L) __attribute__((ext_vector_type(L))); \
  typedef I JOIN(pool_index_##T, L) __attribute__((ext_vector_type(L))); \
  typedef i32 JOIN(pool_stored_##T, L) __attribute__((ext_vector_type(L))); \
  INLINE void JOIN(pool_load_##T, L)(const T *x, ptrdiff_t S, JOIN(pool_##T, L) *v) { \
    JOIN(pool_##T, L) upper; \
    __builtin_memcpy(v, x, sizeof *v); \
    if (S == 1) return; \
    __builtin_memcpy(&upper, x + L - 1, sizeof upper); \
    *v = __builtin_shufflevector(*v, upper, POOL_EVEN_##L); \
  } \
  /* y[0] = a[0], y[1] = b[0], y[2] = a[1], ... */ \
  INLINE void JOIN(pool_interleave_##T, L)(const JOIN(pool_##T, L) *a, const JOIN(pool_##T, L) *b, T *y) { \
    const JOIN(pool_##T, L) low = __builtin_shufflevector(*a, *b, POOL_LOW_##L); \
    const JOIN(pool_##T, L) high = __builtin_shufflevector(*a, *b, POOL_HIGH_##L); \
    __builtin_memcpy(y, &low, sizeof low); \
    __builtin_memcpy(y + L, &high, sizeof high); \
  }
POOL_VECTORS(f32, i32, 16) POOL_VECTORS(f32, i32, 8) POOL_VECTORS(f32, i32, 4)
POOL_VECTORS(f64, i64, 8) POOL_VECTORS(f64, i64, 4) POOL_VECTORS(f64, i64, 2)

// ------------------------------------------------------------------------------------------ maxima

// The maximum of one window. A tap wins that is greater or NaN: of equal ones the first stays, and NaN stays.
#define MAX_POOL_ONE(T) \
  INLINE void JOIN(max_pool_one, T)( \
      const pool_row *r, ptrdiff_t nx, ptrdiff_t origin, const T *x, T *y, i32 *index, ptrdiff_t pixel) { \
    T best = x[origin]; ptrdiff_t found = origin; \
    POOL_TAPS(*r, r->z.count, r->y.count, nx, origin) { \
      const T v = x[at]; \
      if ((v > best) | (v != v)) { best = v; found = at; } \
    } \
    *y = best; \
    if (index) *index = (i32)(found / pixel); \
  }
MAX_POOL_ONE(f32) MAX_POOL_ONE(f64)

// L windows beside each other, S apart. Sizes that the caller gives as constants unroll.
#define MAX_POOL_BLOCK(T, L) \
  INLINE void JOIN(max_pool_block_##T, L)( \
      const pool_row *r, ptrdiff_t S, ptrdiff_t nz, ptrdiff_t ny, ptrdiff_t nx, ptrdiff_t origin, const T *x, T *y, i32 *index) { \
    const JOIN(pool_index_##T, L) steps = (JOIN(pool_index_##T, L)){POOL_IOTA_##L} * (JOIN(pool_index_##T, L))(S); \
    JOIN(pool_##T, L) best, v; \
    JOIN(pool_load_##T, L)(x + origin, S, &best); \
    JOIN(pool_index_##T, L) found = steps + (JOIN(pool_index_##T, L))(origin); \
    POOL_TAPS(*r, nz, ny, nx, origin) { \
      JOIN(pool_load_##T, L)(x + at, S, &v); \
      const JOIN(pool_index_##T, L) wins = (v > best) | (v != v); \
      best = wins ? v : best; \
      if (index) found = wins ? steps + (JOIN(pool_index_##T, L))(at) : found; \
    } \
    __builtin_memcpy(y, &best, sizeof best); \
    if (index) { \
      const JOIN(pool_stored_##T, L) stored = __builtin_convertvector(found, JOIN(pool_stored_##T, L)); \
      __builtin_memcpy(index, &stored, sizeof stored); \
    } \
  }
MAX_POOL_BLOCK(f32, 16) MAX_POOL_BLOCK(f32, 8) MAX_POOL_BLOCK(f32, 4)
MAX_POOL_BLOCK(f64, 8) MAX_POOL_BLOCK(f64, 4) MAX_POOL_BLOCK(f64, 2)

// The row's windows in `span`, in vectors as wide as they fit. The last vector ends where the span does: what it computes again
// comes out the same.
#define POOL_STEP(L, compute) \
  while (o < span.end && span.end - span.begin >= L) { \
    if (o + L > span.end) o = span.end - L; \
    compute; \
    o += L; \
  }
#define MAX_POOL_STEP(T, L, S, nz, ny, nx) \
  POOL_STEP(L, JOIN(max_pool_block_##T, L)(&r, S, nz, ny, nx, r.origin + o * S - p, x, y + o, index ? index + o : NULL))
#define MAX_POOL_SPAN(T, L0, L1, L2, S, nz, ny, nx) \
  { MAX_POOL_STEP(T, L0, S, nz, ny, nx) MAX_POOL_STEP(T, L1, S, nz, ny, nx) MAX_POOL_STEP(T, L2, S, nz, ny, nx) }

// Lines along the width: rows of outputs of one plane. `index` is NULL or a constant question to the compiler.
#define MAX_POOL_PLANE(T, L0, L1, L2) \
  INLINE void JOIN(max_pool_plane, T)( \
      const apus_pool_window *w, ptrdiff_t first_row, ptrdiff_t rows, const T *x, T *y, i32 *index) { \
    const pool_span span = pool_interior(w); \
    const ptrdiff_t s = w->stride[2], p = w->padding[2], n = w->output[2], k = w->kernel[2]; \
    POOL_ROWS { \
      const pool_row r = pool_row_of(w, row, 1); \
      ptrdiff_t o = 0; \
      for (; o < n; o++) { \
        if (o == span.begin && s <= 2) { \
          const bool flat = r.z.count == 1 && r.step_x == 1; \
          if (flat && s == 2 && k == 2 && r.y.count == 2) MAX_POOL_SPAN(T, L0, L1, L2, 2, 1, 2, 2) \
          else if (flat && s == 2 && k == 3 && r.y.count == 3) MAX_POOL_SPAN(T, L0, L1, L2, 2, 1, 3, 3) \
          else if (s == 2) MAX_POOL_SPAN(T, L0, L1, L2, 2, r.z.count, r.y.count, k) \
          else MAX_POOL_SPAN(T, L0, L1, L2, 1, r.z.count, r.y.count, k) \
          if (o == n) break; \
        } \
        const pool_taps t = pool_taps_of(w, 2, o); \
        JOIN(max_pool_one, T)(&r, t.count, r.origin + t.first, x, y + o, index ? index + o : NULL, 1); \
      } \
      y += n; \
      if (index) index += n; \
    } \
  }
MAX_POOL_PLANE(f32, 16, 8, 4) MAX_POOL_PLANE(f64, 8, 4, 2)

// Channels side by side: for each output `U` vectors of channels at once, which share the loops over the taps.
#define MAX_POOL_CHANNEL_BLOCK(T, L, U) \
  INLINE void JOIN(JOIN(max_pool_channel_block_##T, L), U)( \
      const pool_row *r, const pool_row *places, ptrdiff_t nx, ptrdiff_t origin, ptrdiff_t place, const T *x, T *y, i32 *index) { \
    JOIN(pool_##T, L) best[U], v; \
    JOIN(pool_index_##T, L) found[U], wins; \
    for (int u = 0; u < U; u++) { \
      JOIN(pool_load_##T, L)(x + origin + u * L, 1, &best[u]); \
      found[u] = (JOIN(pool_index_##T, L))(place); \
    } \
    POOL_TAPS(*r, r->z.count, r->y.count, nx, origin) { \
      const ptrdiff_t here = place + tz * places->step_z + ty * places->step_y + tx * places->step_x; \
      for (int u = 0; u < U; u++) { \
        JOIN(pool_load_##T, L)(x + at + u * L, 1, &v); \
        wins = (v > best[u]) | (v != v); \
        best[u] = wins ? v : best[u]; \
        if (index) found[u] = wins ? (JOIN(pool_index_##T, L))(here) : found[u]; \
      } \
    } \
    __builtin_memcpy(y, best, sizeof best); \
    if (index) \
      for (int u = 0; u < U; u++) { \
        const JOIN(pool_stored_##T, L) stored = __builtin_convertvector(found[u], JOIN(pool_stored_##T, L)); \
        __builtin_memcpy(index + u * L, &stored, sizeof stored); \
      } \
  }
#define MAX_POOL_CHANNEL_BLOCKS(T, L0, L1, L2) \
  MAX_POOL_CHANNEL_BLOCK(T, L0, 4) MAX_POOL_CHANNEL_BLOCK(T, L0, 1) \
  MAX_POOL_CHANNEL_BLOCK(T, L1, 1) MAX_POOL_CHANNEL_BLOCK(T, L2, 1)
MAX_POOL_CHANNEL_BLOCKS(f32, 16, 8, 4) MAX_POOL_CHANNEL_BLOCKS(f64, 8, 4, 2)

#define MAX_POOL_CHANNEL_STEP(T, L, U) \
  for (; c + U * L <= channels; c += U * L) \
    JOIN(JOIN(max_pool_channel_block_##T, L), U)(&r, &places, t.count, origin + c, place, x, y + c, index ? index + c : NULL);
#define MAX_POOL_CHANNELS(T, L0, L1, L2) \
  INLINE void JOIN(max_pool_channels, T)( \
      const apus_pool_window *w, ptrdiff_t first_row, ptrdiff_t rows, ptrdiff_t pixel, ptrdiff_t channels, const T *x, T *y, \
      i32 *index) { \
    POOL_ROWS { \
      const pool_row r = pool_row_of(w, row, pixel), places = pool_row_of(w, row, 1); \
      for (ptrdiff_t o = 0; o < w->output[2]; o++) { \
        const pool_taps t = pool_taps_of(w, 2, o); \
        const ptrdiff_t place = places.origin + t.first, origin = place * pixel; \
        ptrdiff_t c = 0; \
        MAX_POOL_CHANNEL_STEP(T, L0, 4) MAX_POOL_CHANNEL_STEP(T, L0, 1) \
        MAX_POOL_CHANNEL_STEP(T, L1, 1) MAX_POOL_CHANNEL_STEP(T, L2, 1) \
        for (; c < channels; c++) \
          JOIN(max_pool_one, T)(&r, t.count, origin + c, x, y + c, index ? index + c : NULL, pixel); \
        y += pixel; \
        if (index) index += pixel; \
      } \
    } \
  }
MAX_POOL_CHANNELS(f32, 16, 8, 4) MAX_POOL_CHANNELS(f64, 8, 4, 2)

#define MAX_POOL(T) \
  static void JOIN(max_pool, T)( \
      const apus_pool_window *w, ptrdiff_t first_row, ptrdiff_t rows, ptrdiff_t pixel, ptrdiff_t channels, const void *x, void *y, \
      i32 *index) { \
    if (pixel > 1 && index) JOIN(max_pool_channels, T)(w, first_row, rows, pixel, channels, x, y, index); \
    else if (pixel > 1) JOIN(max_pool_channels, T)(w, first_row, rows, pixel, channels, x, y, NULL); \
    else if (index) JOIN(max_pool_plane, T)(w, first_row, rows, x, y, index); \
    else JOIN(max_pool_plane, T)(w, first_row, rows, x, y, NULL); \
  }
MAX_POOL(f32) MAX_POOL(f64)

// ------------------------------------------------------------------------------------------ gradients of maxima

// dx = 0 over the channels of every pixel.
#define POOL_CLEAR(T) \
  INLINE void JOIN(pool_clear, T)(const apus_pool_window *w, ptrdiff_t pixel, ptrdiff_t channels, T *dx) { \
    const ptrdiff_t pixels = w->input[0] * w->input[1] * w->input[2]; \
    if (pixel == channels) { __builtin_memset(dx, 0, (size_t)(pixels * pixel) * sizeof(T)); return; } \
    for (ptrdiff_t i = 0; i < pixels; i++) __builtin_memset(dx + i * pixel, 0, (size_t)channels * sizeof(T)); \
  }
POOL_CLEAR(f32) POOL_CLEAR(f64)

// The taps of 2x2 windows that lie beside each other are written as whole rows, each either dy or 0.
#define MAX_POOL_2X2_STEP(T, L) \
  for (; o + L <= n; o += L) { \
    JOIN(pool_##T, L) g; JOIN(pool_stored_##T, L) stored; \
    __builtin_memcpy(&g, dy + o, sizeof g); \
    __builtin_memcpy(&stored, index + o, sizeof stored); \
    const JOIN(pool_index_##T, L) found = __builtin_convertvector(stored, JOIN(pool_index_##T, L)) - \
        ((JOIN(pool_index_##T, L)){POOL_IOTA_##L} + (JOIN(pool_index_##T, L))(o)) * 2 - \
        (JOIN(pool_index_##T, L))(2 * row * width); \
    const JOIN(pool_##T, L) zero = {0}; \
    JOIN(pool_##T, L) even = found == 0 ? g : zero, odd = found == 1 ? g : zero; \
    JOIN(pool_interleave_##T, L)(&even, &odd, upper + 2 * o); \
    even = found == (JOIN(pool_index_##T, L))(width) ? g : zero; \
    odd = found == (JOIN(pool_index_##T, L))(width + 1) ? g : zero; \
    JOIN(pool_interleave_##T, L)(&even, &odd, lower + 2 * o); \
  }
#define MAX_POOL_BACKWARD_2X2(T, L0, L1, L2) \
  INLINE void JOIN(max_pool_backward_2x2, T)(const apus_pool_window *w, const T *dy, const i32 *index, T *dx) { \
    const ptrdiff_t n = w->output[2], width = w->input[2], height = w->input[1]; \
    for (ptrdiff_t row = 0; row < w->output[1]; row++, dy += n, index += n) { \
      T *upper = dx + 2 * row * width, *lower = upper + width; \
      ptrdiff_t o = 0; \
      MAX_POOL_2X2_STEP(T, L0) MAX_POOL_2X2_STEP(T, L1) MAX_POOL_2X2_STEP(T, L2) \
      for (; o < n; o++) { \
        const ptrdiff_t found = index[o] - 2 * (row * width + o); \
        upper[2 * o] = found == 0 ? dy[o] : 0; upper[2 * o + 1] = found == 1 ? dy[o] : 0; \
        lower[2 * o] = found == width ? dy[o] : 0; lower[2 * o + 1] = found == width + 1 ? dy[o] : 0; \
      } \
      for (ptrdiff_t i = 2 * n; i < width; i++) upper[i] = lower[i] = 0; \
    } \
    __builtin_memset(dx + 2 * w->output[1] * width, 0, (size_t)((height - 2 * w->output[1]) * width) * sizeof(T)); \
  }
MAX_POOL_BACKWARD_2X2(f32, 16, 8, 4) MAX_POOL_BACKWARD_2X2(f64, 8, 4, 2)

INLINE bool pool_is_2x2(const apus_pool_window *w) {
  bool flat = w->input[0] == 1 && w->kernel[0] == 1 && w->padding[0] == 0;
  for (int axis = 1; axis < 3; axis++)
    flat &= w->kernel[axis] == 2 && w->stride[axis] == 2 && w->padding[axis] == 0 && w->dilation[axis] == 1 &&
            2 * w->output[axis] <= w->input[axis];
  return flat;
}

// Whether the windows cover the input, each element once.
INLINE bool pool_is_cut(const apus_pool_window *w) {
  bool cut = true;
  for (int axis = 0; axis < 3; axis++)
    cut &= w->kernel[axis] == w->stride[axis] && w->padding[axis] == 0 && (w->dilation[axis] == 1 || w->kernel[axis] == 1) &&
           w->output[axis] * w->stride[axis] == w->input[axis];
  return cut;
}

#define MAX_POOL_BACKWARD(T) \
  static void JOIN(max_pool_backward, T)( \
      const apus_pool_window *w, ptrdiff_t pixel, ptrdiff_t channels, const void *dyv, const i32 *index, void *dxv) { \
    const T *dy = dyv; T *dx = dxv; \
    if (pixel == 1 && pool_is_2x2(w)) { JOIN(max_pool_backward_2x2, T)(w, dy, index, dx); return; } \
    const ptrdiff_t taps = w->kernel[0] * w->kernel[1] * w->kernel[2], outputs = w->output[0] * w->output[1] * w->output[2]; \
    /* Where every element has one window it is written once, instead of cleared and added to. */ \
    const bool cut = pixel > 1 && channels >= 4 && taps <= 16 && pool_is_cut(w); \
    if (!cut) JOIN(pool_clear, T)(w, pixel, channels, dx); \
    if (pixel == 1) { \
      SCALAR_LOOP for (ptrdiff_t o = 0; o < outputs; o++) dx[index[o]] += dy[o]; \
      return; \
    } \
    if (channels < 4 || taps > 16) { \
      for (ptrdiff_t o = 0; o < outputs; o++, dy += pixel, index += pixel) \
        SCALAR_LOOP for (ptrdiff_t c = 0; c < channels; c++) dx[index[c] * pixel + c] += dy[c]; \
      return; \
    } \
    for (ptrdiff_t row = 0; row < w->output[0] * w->output[1]; row++) { \
      const pool_row r = pool_row_of(w, row, pixel); \
      for (ptrdiff_t o = 0; o < w->output[2]; o++, dy += pixel, index += pixel) { \
        const pool_taps t = pool_taps_of(w, 2, o); \
        POOL_TAPS(r, r.z.count, r.y.count, t.count, r.origin + t.first * pixel) { \
          const i32 place = (i32)(at / pixel); \
          T *d = dx + at; \
          if (cut) { VECTOR_LOOP for (ptrdiff_t c = 0; c < channels; c++) d[c] = index[c] == place ? dy[c] : 0; } \
          else { VECTOR_LOOP for (ptrdiff_t c = 0; c < channels; c++) d[c] += index[c] == place ? dy[c] : 0; } \
        } \
      } \
    } \
  }
MAX_POOL_BACKWARD(f32) MAX_POOL_BACKWARD(f64)

// ------------------------------------------------------------------------------------------ averages

#define AVG_POOL_BLOCK(T, L) \
  INLINE void JOIN(avg_pool_block_##T, L)( \
      const pool_row *r, ptrdiff_t S, ptrdiff_t nz, ptrdiff_t ny, ptrdiff_t nx, ptrdiff_t origin, T divisor, const T *x, T *y) { \
    JOIN(pool_##T, L) sum = {0}, v; \
    POOL_TAPS(*r, nz, ny, nx, origin) { JOIN(pool_load_##T, L)(x + at, S, &v); sum += v; } \
    sum /= (JOIN(pool_##T, L))(divisor); \
    __builtin_memcpy(y, &sum, sizeof sum); \
  }
AVG_POOL_BLOCK(f32, 16) AVG_POOL_BLOCK(f32, 8) AVG_POOL_BLOCK(f32, 4)
AVG_POOL_BLOCK(f64, 8) AVG_POOL_BLOCK(f64, 4) AVG_POOL_BLOCK(f64, 2)

#define AVG_POOL_STEP(T, L, S, nz, ny, nx) \
  POOL_STEP(L, JOIN(avg_pool_block_##T, L)(&r, S, nz, ny, nx, r.origin + o * S - p, full, x, y + o))
#define AVG_POOL_SPAN(T, L0, L1, L2, S, nz, ny, nx) \
  { AVG_POOL_STEP(T, L0, S, nz, ny, nx) AVG_POOL_STEP(T, L1, S, nz, ny, nx) AVG_POOL_STEP(T, L2, S, nz, ny, nx) }
#define POOL_DIVISOR(T, r, extent_x) (w->divisor != 0 ? (T)w->divisor : (T)((r).extent * (extent_x)))

#define AVG_POOL_PLANE(T, L0, L1, L2) \
  INLINE void JOIN(avg_pool_plane, T)(const apus_pool_window *w, ptrdiff_t first_row, ptrdiff_t rows, const T *x, T *y) { \
    const pool_span span = pool_interior(w); \
    const ptrdiff_t s = w->stride[2], p = w->padding[2], n = w->output[2], k = w->kernel[2]; \
    POOL_ROWS { \
      const pool_row r = pool_row_of(w, row, 1); \
      const T full = POOL_DIVISOR(T, r, k); \
      ptrdiff_t o = 0; \
      for (; o < n; o++) { \
        if (o == span.begin && s <= 2) { \
          if (s == 2 && k == 2 && r.z.count == 1 && r.y.count == 2) AVG_POOL_SPAN(T, L0, L1, L2, 2, 1, 2, 2) \
          else if (s == 2) AVG_POOL_SPAN(T, L0, L1, L2, 2, r.z.count, r.y.count, k) \
          else AVG_POOL_SPAN(T, L0, L1, L2, 1, r.z.count, r.y.count, k) \
          if (o == n) break; \
        } \
        const pool_taps t = pool_taps_of(w, 2, o); \
        T sum = 0; \
        POOL_TAPS(r, r.z.count, r.y.count, t.count, r.origin + t.first) sum += x[at]; \
        y[o] = sum / POOL_DIVISOR(T, r, pool_extent(w, 2, o, t)); \
      } \
      y += n; \
    } \
  }
AVG_POOL_PLANE(f32, 16, 8, 4) AVG_POOL_PLANE(f64, 8, 4, 2)

#define AVG_POOL_CHANNEL_BLOCK(T, L, U) \
  INLINE void JOIN(JOIN(avg_pool_channel_block_##T, L), U)( \
      const pool_row *r, ptrdiff_t nx, ptrdiff_t origin, T divisor, const T *x, T *y) { \
    JOIN(pool_##T, L) sum[U], v; \
    for (int u = 0; u < U; u++) sum[u] = (JOIN(pool_##T, L))(0); \
    POOL_TAPS(*r, r->z.count, r->y.count, nx, origin) \
      for (int u = 0; u < U; u++) { \
        JOIN(pool_load_##T, L)(x + at + u * L, 1, &v); \
        sum[u] += v; \
      } \
    for (int u = 0; u < U; u++) sum[u] /= (JOIN(pool_##T, L))(divisor); \
    __builtin_memcpy(y, sum, sizeof sum); \
  }
#define AVG_POOL_CHANNEL_BLOCKS(T, L0, L1, L2) \
  AVG_POOL_CHANNEL_BLOCK(T, L0, 4) AVG_POOL_CHANNEL_BLOCK(T, L0, 1) \
  AVG_POOL_CHANNEL_BLOCK(T, L1, 1) AVG_POOL_CHANNEL_BLOCK(T, L2, 1)
AVG_POOL_CHANNEL_BLOCKS(f32, 16, 8, 4) AVG_POOL_CHANNEL_BLOCKS(f64, 8, 4, 2)

#define AVG_POOL_CHANNEL_STEP(T, L, U) \
  for (; c + U * L <= channels; c += U * L) \
    JOIN(JOIN(avg_pool_channel_block_##T, L), U)(&r, t.count, origin + c, divisor, x, y + c);
#define AVG_POOL_CHANNELS(T, L0, L1, L2) \
  INLINE void JOIN(avg_pool_channels, T)( \
      const apus_pool_window *w, ptrdiff_t first_row, ptrdiff_t rows, ptrdiff_t pixel, ptrdiff_t channels, const T *x, T *y) { \
    POOL_ROWS { \
      const pool_row r = pool_row_of(w, row, pixel); \
      for (ptrdiff_t o = 0; o < w->output[2]; o++, y += pixel) { \
        const pool_taps t = pool_taps_of(w, 2, o); \
        const ptrdiff_t origin = r.origin + t.first * pixel; \
        const T divisor = POOL_DIVISOR(T, r, pool_extent(w, 2, o, t)); \
        ptrdiff_t c = 0; \
        AVG_POOL_CHANNEL_STEP(T, L0, 4) AVG_POOL_CHANNEL_STEP(T, L0, 1) \
        AVG_POOL_CHANNEL_STEP(T, L1, 1) AVG_POOL_CHANNEL_STEP(T, L2, 1) \
        for (; c < channels; c++) { \
          T sum = 0; \
          POOL_TAPS(r, r.z.count, r.y.count, t.count, origin + c) sum += x[at]; \
          y[c] = sum / divisor; \
        } \
      } \
    } \
  }
AVG_POOL_CHANNELS(f32, 16, 8, 4) AVG_POOL_CHANNELS(f64, 8, 4, 2)

#define AVG_POOL(T) \
  static void JOIN(avg_pool, T)( \
      const apus_pool_window *w, ptrdiff_t first_row, ptrdiff_t rows, ptrdiff_t pixel, ptrdiff_t channels, const void *x, \
      void *y) { \
    if (pixel > 1) JOIN(avg_pool_channels, T)(w, first_row, rows, pixel, channels, x, y); \
    else JOIN(avg_pool_plane, T)(w, first_row, rows, x, y); \
  }
AVG_POOL(f32) AVG_POOL(f64)

// ------------------------------------------------------------------------------------------ gradients of averages

// Whole windows side by side, in one row after the other: each number is written twice, in two rows.
#define AVG_POOL_2X2_STEP(T, L) \
  for (; o + L <= n; o += L) { \
    JOIN(pool_##T, L) g; \
    __builtin_memcpy(&g, dy + o, sizeof g); \
    g /= (JOIN(pool_##T, L))(divisor); \
    JOIN(pool_interleave_##T, L)(&g, &g, upper + 2 * o); \
    JOIN(pool_interleave_##T, L)(&g, &g, lower + 2 * o); \
  }
#define AVG_POOL_BACKWARD_2X2(T, L0, L1, L2) \
  INLINE void JOIN(avg_pool_backward_2x2, T)(const apus_pool_window *w, const T *dy, T *dx) { \
    const ptrdiff_t n = w->output[2], width = w->input[2], rest = w->input[1] - 2 * w->output[1]; \
    const T divisor = w->divisor != 0 ? (T)w->divisor : 4; \
    for (ptrdiff_t row = 0; row < w->output[1]; row++, dy += n, dx += 2 * width) { \
      T *upper = dx, *lower = dx + width; \
      ptrdiff_t o = 0; \
      AVG_POOL_2X2_STEP(T, L0) AVG_POOL_2X2_STEP(T, L1) AVG_POOL_2X2_STEP(T, L2) \
      for (; o < n; o++) upper[2 * o] = upper[2 * o + 1] = lower[2 * o] = lower[2 * o + 1] = dy[o] / divisor; \
      for (ptrdiff_t i = 2 * n; i < width; i++) upper[i] = lower[i] = 0; \
    } \
    __builtin_memset(dx, 0, (size_t)(rest * width) * sizeof(T)); \
  }
AVG_POOL_BACKWARD_2X2(f32, 16, 8, 4) AVG_POOL_BACKWARD_2X2(f64, 8, 4, 2)

// One row of outputs of a plane. Inside, the same taps and the same divisor for all; with windows a pixel apart a tap is a row.
#define AVG_POOL_BACKWARD_ROW(T) \
  INLINE void JOIN(avg_pool_backward_row, T)(const apus_pool_window *w, const pool_row *r, pool_span span, const T *dy, T *dx) { \
    const ptrdiff_t s = w->stride[2], p = w->padding[2], k = w->kernel[2], n = w->output[2]; \
    const T full = POOL_DIVISOR(T, *r, k); \
    for (ptrdiff_t o = 0; o < n; o++) { \
      if (o == span.begin && s == 1) { \
        POOL_TAPS(*r, r->z.count, r->y.count, k, r->origin + o - p) { \
          T *d = dx + at - o; \
          VECTOR_LOOP for (ptrdiff_t i = span.begin; i < span.end; i++) d[i] += dy[i] / full; \
        } \
        o = span.end; \
        if (o == n) break; \
      } \
      const bool inside = o >= span.begin && o < span.end; \
      const pool_taps t = inside ? (pool_taps){o * s - p, k} : pool_taps_of(w, 2, o); \
      const T g = dy[o] / (inside ? full : POOL_DIVISOR(T, *r, pool_extent(w, 2, o, t))); \
      POOL_TAPS(*r, r->z.count, r->y.count, t.count, r->origin + t.first) dx[at] += g; \
    } \
  }
AVG_POOL_BACKWARD_ROW(f32) AVG_POOL_BACKWARD_ROW(f64)

#define AVG_POOL_BACKWARD(T) \
  static void JOIN(avg_pool_backward, T)( \
      const apus_pool_window *w, ptrdiff_t pixel, ptrdiff_t channels, const void *dyv, void *dxv) { \
    const T *dy = dyv; T *dx = dxv; \
    if (pixel == 1 && pool_is_2x2(w)) { JOIN(avg_pool_backward_2x2, T)(w, dy, dx); return; } \
    JOIN(pool_clear, T)(w, pixel, channels, dx); \
    const pool_span span = pool_interior(w); \
    for (ptrdiff_t row = 0; row < w->output[0] * w->output[1]; row++) { \
      const pool_row r = pool_row_of(w, row, pixel); \
      if (pixel == 1) { JOIN(avg_pool_backward_row, T)(w, &r, span, dy, dx); dy += w->output[2]; continue; } \
      for (ptrdiff_t o = 0; o < w->output[2]; o++, dy += pixel) { \
        const pool_taps t = pool_taps_of(w, 2, o); \
        const T scale = 1 / POOL_DIVISOR(T, r, pool_extent(w, 2, o, t)); \
        POOL_TAPS(r, r.z.count, r.y.count, t.count, r.origin + t.first * pixel) { \
          T *d = dx + at; \
          VECTOR_LOOP for (ptrdiff_t c = 0; c < channels; c++) d[c] += dy[c] * scale; \
        } \
      } \
    } \
  }
AVG_POOL_BACKWARD(f32) AVG_POOL_BACKWARD(f64)

// ------------------------------------------------------------------------------------------ sparse rows

// A row of the result is a sum of few rows of x, each times a number. Rows of one element are the last axis: a scalar loop.
#define SPARSE_ROWS(T) \
  static void JOIN(sparse_rows, T)( \
      ptrdiff_t first, ptrdiff_t rows, ptrdiff_t width, const i32 *starts, const i32 *columns, const double *weights, \
      const void *xv, void *yv) { \
    const T *x = xv; T *y = yv; \
    for (ptrdiff_t row = first; row < first + rows; row++, y += width) { \
      const i32 begin = starts[row], end = starts[row + 1]; \
      if (width == 1) { \
        T sum = 0; \
        for (i32 t = begin; t < end; t++) sum += (T)weights[t] * x[columns[t]]; \
        *y = sum; \
        continue; \
      } \
      if (begin == end) { __builtin_memset(y, 0, (size_t)width * sizeof(T)); continue; } \
      const T w0 = (T)weights[begin], *x0 = x + columns[begin] * width; \
      VECTOR_LOOP for (ptrdiff_t i = 0; i < width; i++) y[i] = w0 * x0[i]; \
      for (i32 t = begin + 1; t < end; t++) { \
        const T wt = (T)weights[t], *xt = x + columns[t] * width; \
        VECTOR_LOOP for (ptrdiff_t i = 0; i < width; i++) y[i] += wt * xt[i]; \
      } \
    } \
  }
SPARSE_ROWS(f32) SPARSE_ROWS(f64)
