// Normalization: statistics of rows, planes and columns, the normalized numbers, and the gradients (apus_norm_kernels).
//
// Statistics are found in two passes over memory that is in cache the second time: a sum gives a centre c, a float near the mean;
// then sum(x - c) and sum((x - c)^2) give mean and variance without cancellation, however far the mean is from 0. (Columns do with
// the mean of a few rows for a centre, and one pass.) Blocks are
// summed in floats and added up in double. From there on x enters as x - c, which is exact for x near c; what the mean is more
// than c comes in through constants.

// v = the vector (or number) at p; and back.
#define NORM_GET(V, v, p) V v; __builtin_memcpy(&v, p, sizeof v);
#define NORM_PUT(p, v) __builtin_memcpy(p, &v, sizeof v)
#define NORM_TERMS_moments(V) NORM_GET(V, x, p + i) const V d = x - center; a += d; b += d * d;
#define NORM_TERMS_products(V) NORM_GET(V, g, p + i) NORM_GET(V, x, q + i) a += g; b += g * (x - center);
#define NORM_TERMS_weighted(V) \
  NORM_GET(V, dy, p + i) NORM_GET(V, x, q + i) NORM_GET(V, scale, w + i) const V g = dy * scale; a += g; b += g * (x - center);

// Adds the sums of two terms over n contiguous elements to sums[0] and sums[1], in an order that depends on n alone.
#define NORM_SUMS(name, F) \
  static void JOIN(norm_##name, F)(ptrdiff_t n, const F *p, const F *q, const F *w, F center, double *sums) { \
    (void)q; (void)w; \
    for (ptrdiff_t i = 0; i < n;) { \
      const ptrdiff_t end = MIN(n, i + BLOCK); \
      F first = 0, second = 0; \
      if (end - i >= WIDE_##F) { \
        wide_##F a = (wide_##F)(F)0, b = (wide_##F)(F)0; \
        for (; i + WIDE_##F <= end; i += WIDE_##F) { NORM_TERMS_##name(wide_##F) } \
        FOLD_##F(sum, a, first) FOLD_##F(sum, b, second) \
      } \
      if (end - i >= NARROW) { \
        narrow_##F a = (narrow_##F)(F)0, b = (narrow_##F)(F)0; \
        for (; i + NARROW <= end; i += NARROW) { NORM_TERMS_##name(narrow_##F) } \
        { FOLD_8(sum, a, first); } { FOLD_8(sum, b, second); } \
      } \
      F a = 0, b = 0; \
      SCALAR_LOOP for (; i < end; i++) { NORM_TERMS_##name(F) } \
      sums[0] += first + a; sums[1] += second + b; \
    } \
  }

// Rounding may leave a sum of squares below 0; NaN stays.
INLINE double norm_not_negative(double x) { return x < 0 ? 0 : x; }

#define NORM_LINES(F) \
  NORM_SUMS(moments, F) NORM_SUMS(products, F) NORM_SUMS(weighted, F) \
  /* Mean and sum of squared deviations of n contiguous numbers. */ \
  static void JOIN(norm_line_moments, F)(ptrdiff_t n, const F *x, double *mean, double *m2) { \
    F total = 0; \
    JOIN(inner_sum, F)(n, x, 1, &total); \
    const F center = (F)(total / (F)n); \
    double s[2] = {0, 0}; \
    JOIN(norm_moments, F)(n, x, 0, 0, center, s); \
    *mean = center + s[0] / n; *m2 = norm_not_negative(s[1] - s[0] * s[0] / n); \
  } \
  static void JOIN(norm_line, F)(ptrdiff_t n, const void *xv, double mean, double scale, double shift, void *yv) { \
    const F *x = xv; F *y = yv; \
    const F center = (F)mean, s = (F)scale, t = (F)(shift + (center - mean) * scale); \
    VECTOR_LOOP for (ptrdiff_t i = 0; i < n; i++) y[i] = (x[i] - center) * s + t; \
  } \
  static void JOIN(norm_line_gradient, F)( \
      ptrdiff_t n, const F *dy, const F *x, double mean, double a, double b, double c, F *dx) { \
    const F center = (F)mean, fa = (F)a, fb = (F)b, fc = (F)(c + (center - mean) * b); \
    VECTOR_LOOP for (ptrdiff_t i = 0; i < n; i++) dx[i] = fa * dy[i] + (fb * (x[i] - center) + fc); \
  }
NORM_LINES(f32) NORM_LINES(f64)

// Joins the statistics of n more numbers, with mean and m2 of their own, to those of `count`.
INLINE void norm_join(double count, double *mean, double *m2, double n, double other_mean, double other_m2) {
  const double share = n / (count + n), delta = other_mean - *mean;
  *mean += delta * share;
  *m2 += other_m2 + delta * delta * count * share;
}

// ------------------------------------------------------------------------------------------ rows

#define NORM_ROWS(F) \
  static void JOIN(norm_rows, F)( \
      ptrdiff_t rows, ptrdiff_t n, const void *xv, const void *wv, const void *bv, double eps, bool centered, void *yv, \
      double *mean, double *variance) { \
    const F *w = wv, *b = bv; \
    for (ptrdiff_t r = 0; r < rows; r++) { \
      const F *x = (const F *)xv + r * n; \
      F *y = (F *)yv + r * n; \
      double s[2] = {0, 0}; \
      if (centered) JOIN(norm_line_moments, F)(n, x, &s[0], &s[1]); \
      else JOIN(norm_moments, F)(n, x, 0, 0, 0, s); \
      mean[r] = centered ? s[0] : 0; variance[r] = s[1] / n; \
      const double rstd = 1 / sqrt(variance[r] + eps); \
      const F center = (F)mean[r], scale = (F)rstd, shift = (F)((center - mean[r]) * rstd); \
      VECTOR_LOOP for (ptrdiff_t i = 0; i < n; i++) y[i] = ((x[i] - center) * scale + shift) * w[i] + b[i]; \
    } \
  } \
  static void JOIN(norm_rows_gradient, F)( \
      ptrdiff_t rows, ptrdiff_t n, const void *dyv, const void *xv, const void *wv, double eps, bool centered, \
      const double *mean, const double *variance, void *dxv, void *dwv, void *dbv) { \
    const F *w = wv; \
    F *dw = dwv, *db = dbv; \
    for (ptrdiff_t r = 0; r < rows; r++) { \
      const F *dy = (const F *)dyv + r * n, *x = (const F *)xv + r * n; \
      F *dx = (F *)dxv + r * n; \
      const double rstd = 1 / sqrt(variance[r] + eps); \
      const F center = (F)mean[r]; \
      const double rest = (center - mean[r]) * rstd; \
      double s[2] = {0, 0}; \
      JOIN(norm_weighted, F)(n, dy, x, w, center, s); \
      /* z = (x - center) rstd + rest; dx = rstd (g - mean g - z mean(g z)) */ \
      const double gz = (s[1] * rstd + s[0] * rest) / n, g_mean = centered ? s[0] / n : 0; \
      const F scale = (F)rstd, shift = (F)rest; \
      const F slope = (F)(-rstd * rstd * gz), offset = (F)(-rstd * (g_mean + rest * gz)); \
      if (centered) { \
        VECTOR_LOOP for (ptrdiff_t i = 0; i < n; i++) { \
          const F d = x[i] - center, g = dy[i]; \
          dx[i] = scale * (g * w[i]) + (slope * d + offset); \
          dw[i] += g * (d * scale + shift); \
          db[i] += g; \
        } \
      } else { \
        VECTOR_LOOP for (ptrdiff_t i = 0; i < n; i++) { \
          const F d = x[i], g = dy[i]; \
          dx[i] = scale * (g * w[i]) + slope * d; \
          dw[i] += g * (d * scale); \
        } \
      } \
    } \
  }
NORM_ROWS(f32) NORM_ROWS(f64)

// ------------------------------------------------------------------------------------------ planes

// Elements whose statistics are taken at a time: in cache for the second pass.
enum { NORM_BLOCK = 4096 };

#define NORM_PLANES(F) \
  static void JOIN(norm_planes, F)( \
      ptrdiff_t planes, ptrdiff_t stride, ptrdiff_t n, const void *xv, const void *wv, const void *bv, ptrdiff_t step, \
      double eps, void *yv, double *mean_out, double *variance_out) { \
    const F *x = xv, *w = wv, *b = bv; \
    F *y = yv; \
    /* Planes without gaps are one line for the statistics. */ \
    const ptrdiff_t lines = stride == n ? 1 : planes, length = stride == n ? planes * n : n; \
    double count = 0, mean = 0, m2 = 0; \
    for (ptrdiff_t p = 0; p < lines; p++) { \
      for (ptrdiff_t i = 0; i < length; i += NORM_BLOCK) { \
        const ptrdiff_t k = MIN(NORM_BLOCK, length - i); \
        double block_mean, block_m2; \
        JOIN(norm_line_moments, F)(k, x + p * stride + i, &block_mean, &block_m2); \
        norm_join(count, &mean, &m2, k, block_mean, block_m2); \
        count += k; \
      } \
    } \
    *mean_out = mean; *variance_out = m2 / count; \
    const double rstd = 1 / sqrt(*variance_out + eps); \
    for (ptrdiff_t p = 0; p < planes; p++) \
      JOIN(norm_line, F)(n, x + p * stride, mean, w[p * step] * rstd, b[p * step], y + p * stride); \
  } \
  static void JOIN(norm_planes_gradient, F)( \
      ptrdiff_t planes, ptrdiff_t stride, ptrdiff_t n, const void *dyv, const void *xv, const void *wv, ptrdiff_t step, \
      double eps, double mean, double variance, void *dxv, double *dw, double *db) { \
    const F *dy = dyv, *x = xv, *w = wv; \
    F *dx = dxv; \
    const F center = (F)mean; \
    const double rstd = 1 / sqrt(variance + eps), total = (double)planes * n; \
    double g = 0, gz = 0; \
    for (ptrdiff_t p = 0; p < planes; p++) { \
      double s[2] = {0, 0}; \
      JOIN(norm_products, F)(n, dy + p * stride, x + p * stride, 0, center, s); \
      db[p] = s[0]; dw[p] = (s[1] + s[0] * (center - mean)) * rstd; \
      g += w[p * step] * db[p]; gz += w[p * step] * dw[p]; \
    } \
    for (ptrdiff_t p = 0; p < planes; p++) \
      JOIN(norm_line_gradient, F)( \
          n, dy + p * stride, x + p * stride, mean, rstd * w[p * step], -rstd * rstd * gz / total, -rstd * g / total, \
          dx + p * stride); \
  }
NORM_PLANES(f32) NORM_PLANES(f64)

// ------------------------------------------------------------------------------------------ columns

// Columns are taken in bands whose constants and sums stay in L1, and in these by vectors, in registers for some rows at a time.
enum { NORM_ROWS_AT_ONCE = 16 };
#define NORM_BANDS(columns) \
  for (ptrdiff_t first = 0, width = MIN(CHUNK, columns); first < (columns); first += width, width = MIN(CHUNK, (columns) - first))
#define NORM_COLUMN_LOOP VECTOR_LOOP for (ptrdiff_t j = 0; j < width; j++)
#define NORM_ROW(pointer, r) ((pointer) + (r) * columns + first)

// Calls STEP(F, V) for the columns j of a band, some rows r0 ..< r1 at a time: by wide vectors, narrow ones, and the rest one by one.
#define NORM_BY_VECTORS(F, STEP) \
  for (ptrdiff_t r0 = 0; r0 < rows; r0 += NORM_ROWS_AT_ONCE) { \
    const ptrdiff_t r1 = MIN(rows, r0 + NORM_ROWS_AT_ONCE); \
    ptrdiff_t j = 0; \
    for (; j + WIDE_##F <= width; j += WIDE_##F) { STEP(F, wide_##F) } \
    for (; j + NARROW <= width; j += NARROW) { STEP(F, narrow_##F) } \
    for (; j < width; j++) { STEP(F, F) } \
  }

#define NORM_STEP_moments(F, V) \
  NORM_GET(V, c, center + j) NORM_GET(V, sum, a + j) NORM_GET(V, squares, b + j) \
  for (ptrdiff_t r = r0; r < r1; r++) { \
    NORM_GET(V, v, NORM_ROW((const F *)xv, r) + j) \
    const V d = v - c; \
    sum += d; squares += d * d; \
  } \
  NORM_PUT(a + j, sum); NORM_PUT(b + j, squares);
#define NORM_STEP_scale(F, V) \
  NORM_GET(V, c, center + j) NORM_GET(V, scale, s + j) NORM_GET(V, offset, t + j) \
  for (ptrdiff_t r = r0; r < r1; r++) { \
    NORM_GET(V, v, NORM_ROW((const F *)xv, r) + j) \
    v = (v - c) * scale + offset; \
    NORM_PUT(NORM_ROW((F *)yv, r) + j, v); \
  }
#define NORM_STEP_sums(F, V) \
  NORM_GET(V, c, center + j) NORM_GET(V, sum, a + j) NORM_GET(V, products, b + j) \
  for (ptrdiff_t r = r0; r < r1; r++) { \
    NORM_GET(V, v, NORM_ROW((const F *)xv, r) + j) NORM_GET(V, dy, NORM_ROW((const F *)dyv, r) + j) \
    sum += dy; products += dy * (v - c); \
  } \
  NORM_PUT(a + j, sum); NORM_PUT(b + j, products);
#define NORM_STEP_gradient(F, V) \
  NORM_GET(V, center_j, center + j) NORM_GET(V, pa, fa + j) NORM_GET(V, pb, fb + j) NORM_GET(V, pc, fc + j) \
  for (ptrdiff_t r = r0; r < r1; r++) { \
    NORM_GET(V, v, NORM_ROW((const F *)xv, r) + j) NORM_GET(V, dy, NORM_ROW((const F *)dyv, r) + j) \
    v = pa * dy + (pb * (v - center_j) + pc); \
    NORM_PUT(NORM_ROW((F *)dxv, r) + j, v); \
  }

#define NORM_COLUMNS(F) \
  static void JOIN(norm_columns_moments, F)(ptrdiff_t rows, ptrdiff_t columns, const void *xv, double *mean, double *m2) { \
    /* The mean of some rows is a centre near enough: what it is off, they are off themselves, and add to the variance. */ \
    const ptrdiff_t some = MIN(rows, 8); \
    NORM_BANDS(columns) { \
      F center[CHUNK] = {0}, a[CHUNK] = {0}, b[CHUNK] = {0}; \
      for (ptrdiff_t r = 0; r < some; r++) { \
        const F *x = NORM_ROW((const F *)xv, r); \
        NORM_COLUMN_LOOP center[j] += x[j]; \
      } \
      NORM_COLUMN_LOOP center[j] /= (F)some; \
      NORM_BY_VECTORS(F, NORM_STEP_moments) \
      for (ptrdiff_t j = 0; j < width; j++) { \
        mean[first + j] = center[j] + (double)a[j] / rows; \
        m2[first + j] = norm_not_negative(b[j] - (double)a[j] * a[j] / rows); \
      } \
    } \
  } \
  static void JOIN(norm_columns, F)( \
      ptrdiff_t rows, ptrdiff_t columns, const void *xv, const double *mean, const double *scale, const double *shift, \
      void *yv) { \
    NORM_BANDS(columns) { \
      F center[CHUNK], s[CHUNK], t[CHUNK]; \
      for (ptrdiff_t j = 0; j < width; j++) { \
        const double m = mean[first + j], k = scale[first + j]; \
        center[j] = (F)m; s[j] = (F)k; t[j] = (F)(shift[first + j] + (center[j] - m) * k); \
      } \
      NORM_BY_VECTORS(F, NORM_STEP_scale) \
    } \
  } \
  static void JOIN(norm_columns_sums, F)( \
      ptrdiff_t rows, ptrdiff_t columns, const void *dyv, const void *xv, const double *mean, double *g, double *gd) { \
    NORM_BANDS(columns) { \
      F center[CHUNK], a[CHUNK] = {0}, b[CHUNK] = {0}; \
      for (ptrdiff_t j = 0; j < width; j++) center[j] = (F)mean[first + j]; \
      NORM_BY_VECTORS(F, NORM_STEP_sums) \
      for (ptrdiff_t j = 0; j < width; j++) { \
        g[first + j] = a[j]; gd[first + j] = b[j] + a[j] * (center[j] - mean[first + j]); \
      } \
    } \
  } \
  static void JOIN(norm_columns_gradient, F)( \
      ptrdiff_t rows, ptrdiff_t columns, const void *dyv, const void *xv, const double *mean, const double *a, \
      const double *b, const double *c, void *dxv) { \
    NORM_BANDS(columns) { \
      F center[CHUNK], fa[CHUNK], fb[CHUNK], fc[CHUNK]; \
      for (ptrdiff_t j = 0; j < width; j++) { \
        const double m = mean[first + j], slope = b[first + j]; \
        center[j] = (F)m; fa[j] = (F)a[first + j]; fb[j] = (F)slope; fc[j] = (F)(c[first + j] + (center[j] - m) * slope); \
      } \
      NORM_BY_VECTORS(F, NORM_STEP_gradient) \
    } \
  }
NORM_COLUMNS(f32) NORM_COLUMNS(f64)

static void norm_join_columns(
    ptrdiff_t columns, double count, double *mean, double *m2, double n, const double *other_mean, const double *other_m2) {
  VECTOR_LOOP for (ptrdiff_t j = 0; j < columns; j++) norm_join(count, &mean[j], &m2[j], n, other_mean[j], other_m2[j]);
}

#define NORM_ENTRY(F) { \
    JOIN(norm_rows, F), JOIN(norm_rows_gradient, F), JOIN(norm_planes, F), JOIN(norm_planes_gradient, F), \
    JOIN(norm_columns_moments, F), norm_join_columns, JOIN(norm_columns, F), JOIN(norm_columns_sums, F), \
    JOIN(norm_columns_gradient, F), JOIN(norm_line, F) }
