// Cross-entropy of one line of logits with one right class, and its gradient softmax - target, straight from the logits: the
// logarithms of all probabilities are never written. With smoothing s the target is s / n for every class and 1 - s more for the
// right one.

// A line that fits a block is widened once and padded to whole vectors, as in softmax.h.
#define CROSS_ENTROPY(T, F) \
  static void JOIN(short_statistics, T)(ptrdiff_t n, const T *x, ptrdiff_t sx, F *max_out, F *sum_out) { \
    F block[BLOCK], e[BLOCK]; \
    cast_##T##_##F(n, x, sx, block, 1); \
    const ptrdiff_t padded = (n + SOFTMAX_PAD - 1) / SOFTMAX_PAD * SOFTMAX_PAD; \
    SCALAR_LOOP for (ptrdiff_t j = n; j < padded; j++) block[j] = -(F)__builtin_inff(); \
    const F max = JOIN(block_max, F)(block, n); \
    SOFTMAX_LOOP_##F for (ptrdiff_t j = 0; j < padded; j++) e[j] = JOIN(row_exp, F)(block[j] - max); \
    *max_out = max; *sum_out = JOIN(block_sum, F)(e, n); \
  } \
  /* The sum of x - max over the line. */ \
  static double JOIN(sum_below_max, T)(ptrdiff_t n, const T *x, ptrdiff_t sx, F max) { \
    F buffer[BLOCK], d[BLOCK]; \
    double sum = 0; \
    for (ptrdiff_t i = 0; i < n; i += BLOCK) { \
      const ptrdiff_t count = MIN(BLOCK, n - i); \
      const F *block = BLOCK_OF(T, F, x + i * sx, sx, count, buffer); \
      VECTOR_LOOP for (ptrdiff_t j = 0; j < count; j++) d[j] = block[j] - max; \
      sum += JOIN(block_sum, F)(d, count); \
    } \
    return sum; \
  } \
  static void JOIN(cross_entropy, T)( \
      ptrdiff_t n, const void *xv, ptrdiff_t sx, ptrdiff_t label, double smoothing, void *loss, void *statistics) { \
    const T *x = xv; F *kept = statistics, right, result; \
    if (n <= BLOCK) JOIN(short_statistics, T)(n, x, sx, &kept[0], &kept[1]); \
    else JOIN(softmax_statistics, T)(n, x, sx, NULL, &kept[0], &kept[1]); \
    cast_##T##_##F(1, x + label * sx, 1, &right, 1); \
    double y = log((double)kept[1]) - (1 - smoothing) * (double)(right - kept[0]); \
    if (smoothing > 0) y -= smoothing / (double)n * JOIN(sum_below_max, T)(n, x, sx, kept[0]); \
    result = (F)y; \
    cast_##F##_##T(1, &result, 1, loss, 1); \
  } \
  static void JOIN(cross_entropy_gradient, T)( \
      ptrdiff_t n, const void *xv, ptrdiff_t sx, ptrdiff_t label, double smoothing, const void *statistics, double scale, \
      void *yv, ptrdiff_t sy) { \
    const T *x = xv; T *y = yv; const F *kept = statistics; \
    const F max = kept[0], factor = (F)(scale / (double)kept[1]), shift = (F)(scale * smoothing / (double)n); \
    F buffer[BLOCK], out[BLOCK]; \
    for (ptrdiff_t i = 0; i < n; i += BLOCK) { \
      const ptrdiff_t count = MIN(BLOCK, n - i); \
      const F *block = BLOCK_OF(T, F, x + i * sx, sx, count, buffer); \
      SOFTMAX_LOOP_##F for (ptrdiff_t j = 0; j < count; j++) out[j] = JOIN(row_exp, F)(block[j] - max) * factor - shift; \
      if (label >= i && label < i + count) out[label - i] -= (F)(scale * (1 - smoothing)); \
      cast_##F##_##T(count, out, 1, y + i * sy, sy); \
    } \
  }
CROSS_ENTROPY(f32, f32) CROSS_ENTROPY(f64, f64) CROSS_ENTROPY(f16, f32) CROSS_ENTROPY(bf16, f32)
