// Convolutions of 3x3 with stride 1 by Winograd's method F(4x4, 3x3) (Lavin and Gray, "Fast algorithms for convolutional neural
// networks", 2016): 36 products instead of 144 for a tile of 4x4 target pixels, and as many for the gradient of the weights.
//
// Polynomials in two variables are multiplied by way of their values at 6x6 places: source and weights are taken to these values, where a
// convolution is 36 matrix products, and the target is interpolated from them. The places along an axis are 0, +-sqrt(1/2), +-sqrt(2) and
// infinity: with the customary 0, +-1, +-2 rounding errors are twice as large. In one dimension, with a = sqrt(1/2) and b = sqrt(2):
//
//   source          weights                target
//   1  0 -5/2  0  1  0    1    0    0     1  1  1  1  1  0
//   0 -2a -2   a  1  0   -2/3 -2a/3 -1/3   0  a -a  b -b  0
//   0  2a -2  -a  1  0   -2/3  2a/3 -1/3   0 1/2 1/2 2 2  0
//   0 -b/2 -1/2 b  1  0   1/6  b/6  1/3   0 a/2 -a/2 2b -2b 1
//   0  b/2 -1/2 -b 1  0   1/6 -b/6  1/3
//   0  1  0 -5/2  0  1    0    0    1
//
// The gradient of the weights takes the transposed matrices: target to values by that of the third, values to weights by that of the second.
// Functions go along one axis; `v` and `y` are vectors `step` apart.

#define WINOGRAD_A 0.70710678118654752440f
#define WINOGRAD_B 1.41421356237309504880f

INLINE void winograd_source_line(const tile_f32 *d, ptrdiff_t s, tile_f32 *v) {
  const tile_f32 ea = d[4 * s] - 2.0f * d[2 * s], oa = WINOGRAD_A * (d[3 * s] - 2.0f * d[s]);
  const tile_f32 eb = d[4 * s] - 0.5f * d[2 * s], ob = WINOGRAD_B * (d[3 * s] - 0.5f * d[s]);
  v[0] = d[0] + d[4 * s] - 2.5f * d[2 * s];
  v[1] = ea + oa; v[2] = ea - oa; v[3] = eb + ob; v[4] = eb - ob;
  v[5] = d[s] + d[5 * s] - 2.5f * d[3 * s];
}
INLINE void winograd_weights_line(const tile_f32 *g, ptrdiff_t s, tile_f32 *u) {
  const tile_f32 ea = -2.0f / 3 * g[0] - 1.0f / 3 * g[2 * s], oa = -2.0f / 3 * WINOGRAD_A * g[s];
  const tile_f32 eb = 1.0f / 6 * g[0] + 1.0f / 3 * g[2 * s], ob = 1.0f / 6 * WINOGRAD_B * g[s];
  u[0] = g[0]; u[1] = ea + oa; u[2] = ea - oa; u[3] = eb + ob; u[4] = eb - ob; u[5] = g[2 * s];
}
INLINE void winograd_target_line(const tile_f32 *m, ptrdiff_t s, tile_f32 *y) {
  const tile_f32 ea = m[s] + m[2 * s], oa = WINOGRAD_A * (m[s] - m[2 * s]);
  const tile_f32 eb = m[3 * s] + m[4 * s], ob = WINOGRAD_B * (m[3 * s] - m[4 * s]);
  y[0] = m[0] + ea + eb; y[1] = oa + ob; y[2] = 0.5f * ea + 2.0f * eb; y[3] = 0.5f * oa + 2.0f * ob + m[5 * s];
}
INLINE void winograd_target_values_line(const tile_f32 *y, ptrdiff_t s, tile_f32 *w) {
  const tile_f32 ea = y[0] + 0.5f * y[2 * s], oa = WINOGRAD_A * (y[s] + 0.5f * y[3 * s]);
  const tile_f32 eb = y[0] + 2.0f * y[2 * s], ob = WINOGRAD_B * (y[s] + 2.0f * y[3 * s]);
  w[0] = y[0]; w[1] = ea + oa; w[2] = ea - oa; w[3] = eb + ob; w[4] = eb - ob; w[5] = y[3 * s];
}
INLINE void winograd_weight_gradient_line(const tile_f32 *m, ptrdiff_t s, tile_f32 *g) {
  const tile_f32 ea = m[s] + m[2 * s], oa = m[s] - m[2 * s], eb = m[3 * s] + m[4 * s], ob = m[3 * s] - m[4 * s];
  g[0] = m[0] - 2.0f / 3 * ea + 1.0f / 6 * eb;
  g[1] = 1.0f / 6 * WINOGRAD_B * ob - 2.0f / 3 * WINOGRAD_A * oa;
  g[2] = 1.0f / 3 * eb - 1.0f / 3 * ea + m[5 * s];
}

// `from` x `from` vectors to `to` x `to`, by columns and then by rows.
#define WINOGRAD_SQUARE(name, line, from, to) \
  INLINE void name(const tile_f32 x[from][from], tile_f32 y[to][to]) { \
    tile_f32 half[from][to]; \
    UNROLL for (int j = 0; j < from; j++) line(&x[0][j], from, half[j]); \
    UNROLL for (int i = 0; i < to; i++) line(&half[0][i], to, y[i]); \
  }
WINOGRAD_SQUARE(winograd_source_tile, winograd_source_line, 6, 6)
WINOGRAD_SQUARE(winograd_weights_tile, winograd_weights_line, 3, 6)
WINOGRAD_SQUARE(winograd_target_tile, winograd_target_line, 6, 4)
WINOGRAD_SQUARE(winograd_target_values_tile, winograd_target_values_line, 4, 6)
WINOGRAD_SQUARE(winograd_weight_gradient_tile, winograd_weight_gradient_line, 6, 3)

// The pixels of a tile whose first is at (row, column) of an image: `size` x `size` addresses, `outside` for those outside.
static void winograd_pixels(
    const apus_winograd_image *m, ptrdiff_t image, ptrdiff_t row, ptrdiff_t column, int size, const float *base,
    const float *outside, const float **x) {
  base += image * m->image;
  for (int i = 0; i < size; i++)
    for (int j = 0; j < size; j++) {
      const ptrdiff_t r = row + i, c = column + j;
      const bool inside = (size_t)r < (size_t)m->height && (size_t)c < (size_t)m->width;
      x[i * size + j] = inside ? base + r * m->row + c * m->pixel : outside;
    }
}

static void winograd_source_pixels(
    const apus_winograd_grid *g, ptrdiff_t tile, const float *x, const float *zeros, const float **pixels) {
  const ptrdiff_t row = tile / g->columns % g->rows * 4 + g->offset[0], column = tile % g->columns * 4 + g->offset[1];
  winograd_pixels(&g->source, tile / (g->rows * g->columns), row, column, 6, x, zeros, pixels);
}

// Tile by tile: image, row and column of its first target pixel.
#define WINOGRAD_TILES(g, first, count) \
  for (ptrdiff_t i = 0, tile = first, image, row, column; \
       i < count && (image = tile / ((g)->rows * (g)->columns), row = tile / (g)->columns % (g)->rows * 4, \
                     column = tile % (g)->columns * 4, true); \
       i++, tile++)
#define WINOGRAD_CHANNELS(channels) for (ptrdiff_t c = 0; c < channels; c += LANES_f32)
// n x n vectors, one after the other in `from` or `to`, which an expression in p says.
#define WINOGRAD_LOAD(n, x, from) UNROLL for (int p = 0; p < n * n; p++) __builtin_memcpy(&x[p / n][p % n], from, sizeof x[0][0])
#define WINOGRAD_STORE(n, x, to) UNROLL for (int p = 0; p < n * n; p++) __builtin_memcpy(to, &x[p / n][p % n], sizeof x[0][0])

static void winograd_source(
    const apus_winograd_grid *g, ptrdiff_t first, ptrdiff_t count, ptrdiff_t channels, const float *x, const float *zeros, float *v,
    ptrdiff_t step) {
  const float *pixels[36], *next[36];
  tile_f32 d[6][6], values[6][6];
  winograd_source_pixels(g, first, x, zeros, next);
  for (ptrdiff_t i = 0; i < count; i++) {
    __builtin_memcpy(pixels, next, sizeof pixels);
    if (i + 1 < count) winograd_source_pixels(g, first + i + 1, x, zeros, next);
    float *to = v + i * channels;
    WINOGRAD_CHANNELS(channels) {
      WINOGRAD_LOAD(6, d, pixels[p] + c);
      // The pixels of the next tile that are not this one's come from afar.
      if (c % 16 == 0) UNROLL for (int p = 0; p < 36; p++) if (p % 6 > 1) __builtin_prefetch(next[p] + c);
      winograd_source_tile(d, values);
      WINOGRAD_STORE(6, values, to + p * step + c);
    }
  }
}

static void winograd_weights(ptrdiff_t count, const float *w, float *u, ptrdiff_t step) {
  tile_f32 g[3][3], values[6][6];
  for (ptrdiff_t k = 0; k < count; k += LANES_f32) {
    WINOGRAD_LOAD(3, g, w + p * count + k);
    winograd_weights_tile(g, values);
    WINOGRAD_STORE(6, values, u + p * step + k);
  }
}

// Whether what has been added to `check`, numbers minus themselves, was finite.
INLINE bool winograd_is_finite(tile_f32 check) {
  float sum = 0;
  for (int l = 0; l < LANES_f32; l++) sum += check[l];
  return sum == 0;
}

static bool winograd_target(
    const apus_winograd_grid *g, ptrdiff_t first, ptrdiff_t count, ptrdiff_t channels, const float *m, ptrdiff_t step,
    const apus_conv_ending *end, float *y) {
  const float *pixels[16];
  const conv_ending_f32 ending = conv_ending_of_f32(end, 0);
  tile_f32 values[6][6], result[4][4], check = {0};
  WINOGRAD_TILES(g, first, count) {
    winograd_pixels(&g->target, image, row, column, 4, y, NULL, pixels);
    const float *from = m + i * channels;
    WINOGRAD_CHANNELS(channels) {
      WINOGRAD_LOAD(6, values, from + p * step + c);
      winograd_target_tile(values, result);
      UNROLL for (int p = 0; p < 16; p++) {
        if (!pixels[p]) continue;
        float *to = (float *)pixels[p] + c;
        const tile_f32 sum = result[p / 4][p % 4], z = conv_ended_f32(&ending, c, to, sum);
        check += sum - sum;
        __builtin_memcpy(to, &z, sizeof z);
      }
    }
  }
  return winograd_is_finite(check);
}

static void winograd_target_values(
    const apus_winograd_grid *g, ptrdiff_t first, ptrdiff_t count, ptrdiff_t channels, const float *dy, const float *zeros, float *w,
    ptrdiff_t step, ptrdiff_t place, ptrdiff_t lines) {
  const float *pixels[16];
  tile_f32 d[4][4], values[6][6];
  WINOGRAD_TILES(g, first, count) {
    winograd_pixels(&g->target, image, row, column, 4, dy, zeros, pixels);
    WINOGRAD_CHANNELS(channels) {
      const ptrdiff_t block = c / NR_f32 * NR_f32, width = CONV_WIDTH(f32, channels - block);
      float *to = w + block * lines + (place + i) * width + c - block;
      WINOGRAD_LOAD(4, d, pixels[p] + c);
      winograd_target_values_tile(d, values);
      WINOGRAD_STORE(6, values, to + p * step);
    }
  }
}

static bool winograd_weight_gradient(ptrdiff_t count, const float *u, ptrdiff_t step, float *w, ptrdiff_t tap) {
  tile_f32 values[6][6], g[3][3], check = {0};
  for (ptrdiff_t k = 0; k < count; k += LANES_f32) {
    WINOGRAD_LOAD(6, values, u + p * step + k);
    winograd_weight_gradient_tile(values, g);
    UNROLL for (int p = 0; p < 9; p++) check += g[p / 3][p % 3] - g[p / 3][p % 3];
    WINOGRAD_STORE(3, g, w + p * tap + k);
  }
  return winograd_is_finite(check);
}

#define WINOGRAD_ENTRY { \
    .source = winograd_source, .weights = winograd_weights, .target = winograd_target, .target_values = winograd_target_values, \
    .weight_gradient = winograd_weight_gradient }
