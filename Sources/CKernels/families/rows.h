// Loops over rows of a matrix: what factorizations spend their time in beside matrix products. Scalars are doubles for both dtypes.

// Sums run in 64 bytes of lanes on every instruction set, so that results differ between them only by fused multiply-adds.
typedef f32 row_lanes_f32 __attribute__((vector_size(64), aligned(4)));
typedef f64 row_lanes_f64 __attribute__((vector_size(64), aligned(8)));
enum { ROW_LANES_f32 = 16, ROW_LANES_f64 = 8 };

#define ROW_KERNELS(F) \
  INLINE F JOIN(row_sum, F)(const row_lanes_##F *v) { \
    F sum = 0; \
    for (int i = 0; i < ROW_LANES_##F; i++) sum += (*v)[i]; \
    return sum; \
  } \
  static double JOIN(row_dot, F)(ptrdiff_t n, const void *xv, const void *yv) { \
    const F *x = xv, *y = yv; \
    row_lanes_##F sums[2] = {{0}, {0}}, a[2], b[2]; \
    ptrdiff_t i = 0; \
    for (; i + 2 * ROW_LANES_##F <= n; i += 2 * ROW_LANES_##F) { \
      __builtin_memcpy(a, x + i, sizeof a); \
      __builtin_memcpy(b, y + i, sizeof b); \
      sums[0] += a[0] * b[0]; \
      sums[1] += a[1] * b[1]; \
    } \
    F rest = 0; \
    for (; i < n; i++) rest += x[i] * y[i]; \
    sums[0] += sums[1]; \
    return JOIN(row_sum, F)(&sums[0]) + rest; \
  } \
  static void JOIN(row_axpy, F)(ptrdiff_t n, double a, const void *xv, void *yv) { \
    const F *x = xv, s = (F)a; F *y = yv; \
    VECTOR_LOOP for (ptrdiff_t i = 0; i < n; i++) y[i] += s * x[i]; \
  } \
  static void JOIN(row_rotate, F)(ptrdiff_t n, double cosine, double sine, void *xv, void *yv) { \
    F *x = xv, *y = yv; \
    const F c = (F)cosine, s = (F)sine; \
    VECTOR_LOOP for (ptrdiff_t i = 0; i < n; i++) { \
      const F t = x[i]; \
      x[i] = c * t - s * y[i]; \
      y[i] = s * t + c * y[i]; \
    } \
  } \
  static double JOIN(row_update, F)( \
      ptrdiff_t n, double a, const void *xv, double b, const void *yv, const void *zv, void *rv) { \
    const F *x = xv, *y = yv, *z = zv, p = (F)a, q = (F)b; F *r = rv; \
    row_lanes_##F sum = {0}, u, v, w, t; \
    ptrdiff_t i = 0; \
    for (; i + ROW_LANES_##F <= n; i += ROW_LANES_##F) { \
      __builtin_memcpy(&u, x + i, sizeof u); \
      __builtin_memcpy(&v, y + i, sizeof v); \
      __builtin_memcpy(&w, z + i, sizeof w); \
      __builtin_memcpy(&t, r + i, sizeof t); \
      t += p * u + q * v; \
      sum += t * w; \
      __builtin_memcpy(r + i, &t, sizeof t); \
    } \
    F rest = 0; \
    for (; i < n; i++) { \
      r[i] += p * x[i] + q * y[i]; \
      rest += r[i] * z[i]; \
    } \
    return JOIN(row_sum, F)(&sum) + rest; \
  }
ROW_KERNELS(f32) ROW_KERNELS(f64)

#define ROWS_ENTRY(F) \
  {.dot = JOIN(row_dot, F), .axpy = JOIN(row_axpy, F), .rotate = JOIN(row_rotate, F), .update = JOIN(row_update, F)}
