// Attention by blocks (Dao et al., "FlashAttention", 2022): what stands between its matrix products, and the two products that the
// packed form of gemm.h does not cover.
//
// Scores are kept transposed, in panels: row k is a key, lane c a query, s[k * NR + c], with NR the width of the product's tile. So the
// maximum and the sum over the keys run down the lanes of vector registers, and a panel of weights is, as it stands, a packed
// operand B of the product with the values.

// Never above 0 but by rounding; what would be subnormal is 0.
INLINE f32 attention_exp_f32(f32 x) {
  const f32 clamped = x < -87.0f ? -87.0f : x;
  int32_t k;
  const f32 r = reduce_ln2(clamped, &k);
  const f32 y = (expm1_reduced(r) + 1.0f) * power_of_2(k);
  return x < -87.0f ? 0.0f : y;
}
INLINE f64 attention_exp_f64(f64 x) { return exp(x); }
INLINE f32 attention_log_f32(f32 x) { return v_log(x); }
INLINE f64 attention_log_f64(f64 x) { return log(x); }

#define EACH_LANE(F) for (int c = 0; c < NR_##F; c++)

// ------------------------------------------------------------------------------------------ scores to weights

#define ATTENTION(F) \
  /* Adds the mask and takes out the keys that a query may not see. */ \
  INLINE void JOIN(attention_mask, F)(ptrdiff_t rows, F *s, const apus_attention_panel *panel) { \
    const F *bias = panel->bias; \
    if (bias) { VECTOR_LOOP for (ptrdiff_t i = 0; i < panel->keys * NR_##F; i++) s[i] += bias[i]; } \
    for (ptrdiff_t k = panel->diagonal < 0 ? 0 : panel->diagonal + 1; k < panel->keys; k++) { \
      const ptrdiff_t hidden = MIN(k - panel->diagonal, NR_##F); \
      for (ptrdiff_t c = 0; c < hidden; c++) s[k * NR_##F + c] = -(F)V_INFINITY; \
    } \
    for (ptrdiff_t i = panel->keys * NR_##F; i < rows * NR_##F; i++) s[i] = -(F)V_INFINITY; \
  } \
  /* Zeros for what dropout takes out. */ \
  INLINE void JOIN(attention_dropout, F)(const apus_attention_panel *panel, F *x) { \
    if (!panel->draws) return; \
    const float *draws = panel->draws, dropped = panel->dropped; \
    const F kept = (F)panel->kept_scale; \
    VECTOR_LOOP for (ptrdiff_t i = 0; i < panel->keys * NR_##F; i++) x[i] *= draws[i] >= dropped ? kept : 0; \
  } \
  INLINE void JOIN(attention_max, F)(ptrdiff_t rows, const F *s, F *max) { \
    tile_##F m[NV], x[NV]; \
    __builtin_memcpy(m, max, sizeof m); \
    for (ptrdiff_t k = 0; k < rows; k++) { \
      __builtin_memcpy(x, s + k * NR_##F, sizeof x); \
      UNROLL for (int v = 0; v < NV; v++) m[v] = __builtin_elementwise_max(m[v], x[v]); \
    } \
    __builtin_memcpy(max, m, sizeof m); \
  } \
  /* total[c] += sum of lane c; even and odd keys apart. */ \
  INLINE void JOIN(attention_sum, F)(ptrdiff_t rows, const F *s, F *total) { \
    tile_##F sums[2][NV], x[2][NV]; \
    UNROLL for (int v = 0; v < NV; v++) sums[0][v] = sums[1][v] = (tile_##F){0}; \
    for (ptrdiff_t k = 0; k < rows; k += 2) { \
      __builtin_memcpy(x, s + k * NR_##F, sizeof x); \
      UNROLL for (int v = 0; v < NV; v++) { sums[0][v] += x[0][v]; sums[1][v] += x[1][v]; } \
    } \
    __builtin_memcpy(x[0], total, sizeof x[0]); \
    UNROLL for (int v = 0; v < NV; v++) x[0][v] += sums[0][v] + sums[1][v]; \
    __builtin_memcpy(total, x[0], sizeof x[0]); \
  } \
  static void JOIN(attention_weights, F)( \
      ptrdiff_t rows, void *sv, const apus_attention_panel *panel, void *maxv, void *sumv, ptrdiff_t out_rows, void *outv) { \
    F *s = sv, *max = maxv, *sum = sumv, *out = outv, shift[NR_##F], factor[NR_##F]; \
    JOIN(attention_mask, F)(rows, s, panel); \
    EACH_LANE(F) factor[c] = max[c]; \
    JOIN(attention_max, F)(rows, s, max); \
    bool grew = false; \
    EACH_LANE(F) { \
      /* Where nothing has been seen yet, exp(-inf - 0) is 0 and not the NaN of exp(-inf + inf). */ \
      shift[c] = max[c] == -(F)V_INFINITY ? 0 : max[c]; \
      factor[c] = JOIN(attention_exp, F)(factor[c] - shift[c]); \
      grew |= factor[c] != 1; \
      sum[c] *= factor[c]; \
    } \
    for (ptrdiff_t k = 0; k < rows; k++) { \
      F *row = s + k * NR_##F; \
      SOFTMAX_LOOP_##F EACH_LANE(F) row[c] = JOIN(attention_exp, F)(row[c] - shift[c]); \
    } \
    JOIN(attention_sum, F)(rows, s, sum); \
    JOIN(attention_dropout, F)(panel, s); \
    if (grew) { \
      for (ptrdiff_t r = 0; r < out_rows; r++) { VECTOR_LOOP EACH_LANE(F) out[r * NR_##F + c] *= factor[c]; } \
    } \
  } \
  static void JOIN(attention_finish, F)( \
      ptrdiff_t out_rows, void *outv, const void *maxv, const void *sumv, void *log_sumv) { \
    const F *max = maxv, *sum = sumv; \
    F *out = outv, *log_sum = log_sumv, inverse[NR_##F]; \
    EACH_LANE(F) { \
      inverse[c] = sum[c] == 0 ? 0 : 1 / sum[c]; \
      log_sum[c] = sum[c] == 0 ? (F)V_INFINITY : max[c] + JOIN(attention_log, F)(sum[c]); \
    } \
    for (ptrdiff_t r = 0; r < out_rows; r++) { VECTOR_LOOP EACH_LANE(F) out[r * NR_##F + c] *= inverse[c]; } \
  } \
  static void JOIN(attention_dots, F)(ptrdiff_t rows, const void *av, const void *bv, void *dotsv) { \
    const F *a = av, *b = bv; F *dots = dotsv; \
    EACH_LANE(F) dots[c] = 0; \
    for (ptrdiff_t r = 0; r < rows; r++) { VECTOR_LOOP EACH_LANE(F) dots[c] += a[r * NR_##F + c] * b[r * NR_##F + c]; } \
  } \
  static void JOIN(attention_gradients, F)( \
      ptrdiff_t rows, void *sv, void *dpv, const apus_attention_panel *panel, const void *log_sumv, const void *dotsv) { \
    F *s = sv, *dp = dpv; \
    const F *log_sum = log_sumv, *dots = dotsv; \
    JOIN(attention_mask, F)(rows, s, panel); \
    JOIN(attention_dropout, F)(panel, dp); \
    for (ptrdiff_t k = 0; k < rows; k++) { \
      F *row = s + k * NR_##F, *drow = dp + k * NR_##F; \
      SOFTMAX_LOOP_##F EACH_LANE(F) { \
        const F p = JOIN(attention_exp, F)(row[c] - log_sum[c]); \
        row[c] = p; \
        drow[c] = p * (drow[c] - dots[c]); \
      } \
    } \
    JOIN(attention_dropout, F)(panel, s); \
  }
ATTENTION(f32)
ATTENTION(f64)

// ------------------------------------------------------------------------------------------ products

#define ATTENTION_PRODUCTS(F) \
  static void JOIN(attention_product, F)( \
      ptrdiff_t rows, ptrdiff_t kc, const void *av, ptrdiff_t a_panel, const void *b, void *cv, bool accumulate) { \
    const F *a = av; F *c = cv; \
    for (ptrdiff_t i = 0; i < rows; i += MR, a += a_panel) \
      JOIN(gemm_tile, F)(kc, a, 0, b, c + i * NR_##F, NR_##F, accumulate, NULL); \
  } \
  /* A is a panel of weights, whose rows lie NR apart. */ \
  TILE_SIZE(F, attention_outer_tile, MR, NV, NR_##F, 1) \
  static void JOIN(attention_outer, F)( \
      ptrdiff_t rows, ptrdiff_t columns, ptrdiff_t kc, const void *av, const void *bv, void *cv) { \
    const F *a = av, *b = bv; F *c = cv; \
    for (ptrdiff_t j = 0; j < columns; j += NR_##F) \
      for (ptrdiff_t i = 0; i < rows; i += MR) \
        JOIN(attention_outer_tile, F)(kc, a + i * NR_##F, 0, b + j * kc, c + i * columns + j, columns, true, NULL); \
  }
ATTENTION_PRODUCTS(f32)
ATTENTION_PRODUCTS(f64)

#define ATTENTION_ENTRY(F) { \
    .weights = JOIN(attention_weights, F), .finish = JOIN(attention_finish, F), .dots = JOIN(attention_dots, F), \
    .gradients = JOIN(attention_gradients, F), .product = JOIN(attention_product, F), .outer = JOIN(attention_outer, F) }
