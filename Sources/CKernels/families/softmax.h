// Softmax and log-softmax of one line. Three passes: the maximum, the sum of exp(x - max), the results. A line of only -inf is
// NaN, as it should be: -inf - -inf.

// The double functions are calls, which no loop pragma can vectorise.
#define SOFTMAX_LOOP_f32 VECTOR_LOOP_BY_TWO
#define SOFTMAX_LOOP_f64
INLINE float row_exp_f32(float x) { return v_exp(x); }
INLINE double row_exp_f64(double x) { return exp(x); }

// Exponentials of a line that are kept from its sum to its results: half of the first-level cache. Of longer lines they are computed twice.
enum { SOFTMAX_KEPT = 4096 };

// The maximum of a line and the sum of exp(x - max); the terms of the sum go to `kept` unless it is NULL.
#define SOFTMAX_STATISTICS(T, F) \
  static void JOIN(softmax_statistics, T)(ptrdiff_t n, const T *x, ptrdiff_t sx, F *kept, F *max_out, F *sum_out) { \
    F buffer[BLOCK], max = -(F)__builtin_inff(); \
    for (ptrdiff_t i = 0; i < n; i += BLOCK) { \
      const ptrdiff_t count = MIN(BLOCK, n - i); \
      const F m = JOIN(block_max, F)(BLOCK_OF(T, F, x + i * sx, sx, count, buffer), count); \
      max = COMBINE_max(max, m); \
    } \
    double sum = 0; \
    for (ptrdiff_t i = 0; i < n; i += BLOCK) { \
      const ptrdiff_t count = MIN(BLOCK, n - i); \
      const F *block = BLOCK_OF(T, F, x + i * sx, sx, count, buffer); \
      F terms[BLOCK], *e = kept ? kept + i : terms; \
      SOFTMAX_LOOP_##F for (ptrdiff_t j = 0; j < count; j++) e[j] = JOIN(row_exp, F)(block[j] - max); \
      sum += JOIN(block_sum, F)(e, count); \
    } \
    *max_out = max; *sum_out = (F)sum; \
  }
SOFTMAX_STATISTICS(f32, f32) SOFTMAX_STATISTICS(f64, f64) SOFTMAX_STATISTICS(f16, f32) SOFTMAX_STATISTICS(bf16, f32)

// A line that fits a block is widened once and padded with -inf to whole vectors: a loop over 10 classes is one vector of 16.
enum { SOFTMAX_PAD = 16 };

#define SOFTMAX(name, T, F, scalar, expression) \
  static void JOIN(name##_short, T)(ptrdiff_t n, const T *xs, ptrdiff_t sx, T *y, ptrdiff_t sy) { \
    F block[BLOCK], e[BLOCK]; \
    cast_##T##_##F(n, xs, sx, block, 1); \
    const ptrdiff_t padded = (n + SOFTMAX_PAD - 1) / SOFTMAX_PAD * SOFTMAX_PAD; \
    SCALAR_LOOP for (ptrdiff_t j = n; j < padded; j++) block[j] = -(F)__builtin_inff(); \
    const F max = JOIN(block_max, F)(block, n); \
    SOFTMAX_LOOP_##F for (ptrdiff_t j = 0; j < padded; j++) e[j] = JOIN(row_exp, F)(block[j] - max); \
    const F sum = JOIN(block_sum, F)(e, n); \
    const F s = (F)(scalar); \
    SOFTMAX_LOOP_##F for (ptrdiff_t j = 0; j < padded; j++) { \
      const F x = block[j], p = e[j]; e[j] = (expression); (void)x; (void)p; \
    } \
    cast_##F##_##T(n, e, 1, y, sy); \
  } \
  static void JOIN(name, T)(ptrdiff_t n, const void *xv, ptrdiff_t sx, void *yv, ptrdiff_t sy) { \
    const T *x = xv; T *y = yv; \
    if (n <= BLOCK) { JOIN(name##_short, T)(n, x, sx, y, sy); return; } \
    F buffer[BLOCK], kept[SOFTMAX_KEPT], max, sum; \
    JOIN(softmax_statistics, T)(n, x, sx, n <= SOFTMAX_KEPT ? kept : NULL, &max, &sum); \
    const F s = (F)(scalar); \
    for (ptrdiff_t i = 0; i < n; i += BLOCK) { \
      const ptrdiff_t count = MIN(BLOCK, n - i); \
      const F *block = BLOCK_OF(T, F, x + i * sx, sx, count, buffer); \
      F out[BLOCK]; \
      if (n <= SOFTMAX_KEPT) { \
        VECTOR_LOOP for (ptrdiff_t j = 0; j < count; j++) { const F x = block[j], p = kept[i + j]; out[j] = (expression); (void)x; (void)p; } \
      } else { \
        SOFTMAX_LOOP_##F for (ptrdiff_t j = 0; j < count; j++) { \
          const F x = block[j], p = JOIN(row_exp, F)(x - max); out[j] = (expression); (void)p; \
        } \
      } \
      cast_##F##_##T(count, out, 1, y + i * sy, sy); \
    } \
  }
#define SOFTMAXES(T, F, log) \
  SOFTMAX(softmax, T, F, 1 / sum, p * s) \
  SOFTMAX(log_softmax, T, F, log(sum), (x - max) - s)
SOFTMAXES(f32, f32, v_log) SOFTMAXES(f64, f64, log) SOFTMAXES(f16, f32, v_log) SOFTMAXES(bf16, f32, v_log)

#define FLOATS_BY_DTYPE(name) { \
    [APUS_F32] = JOIN(name, f32), [APUS_F64] = JOIN(name, f64), [APUS_F16] = JOIN(name, f16), [APUS_BF16] = JOIN(name, bf16) }
