// Element-wise functions of one variable. A line of a list below is an operation: its name and its expression in x; the
// macros turn lists into loops. float16 and bfloat16 go through a float buffer and the float kernel, chunk by chunk.

// ------------------------------------------------------------------------------------------ loops

#define UNARY_NAME(op, T) unary_##op##_##T

// Three forms: contiguous, a constant spread out, anything else.
#define UNARY_LOOPS(op, T, R, expression) \
  static void UNARY_NAME(op, T)(ptrdiff_t n, const void *xv, ptrdiff_t sx, void *yv, ptrdiff_t sy) { \
    const T *xs = xv; R *ys = yv; \
    if (sx == 1 && sy == 1) { \
      VECTOR_LOOP for (ptrdiff_t i = 0; i < n; i++) { const T x = xs[i]; ys[i] = (R)(expression); } \
    } else if (sx == 0 && sy == 1 && n > 0) { \
      const T x = xs[0]; const R y = (R)(expression); \
      VECTOR_LOOP for (ptrdiff_t i = 0; i < n; i++) ys[i] = y; \
    } else { \
      SCALAR_LOOP for (ptrdiff_t i = 0; i < n; i++) { const T x = xs[i * sx]; ys[i * sy] = (R)(expression); } \
    } \
  }

// One loop for functions that call libm anyway.
#define UNARY_SCALAR(op, T, R, expression) \
  static void UNARY_NAME(op, T)(ptrdiff_t n, const void *xv, ptrdiff_t sx, void *yv, ptrdiff_t sy) { \
    const T *xs = xv; R *ys = yv; \
    SCALAR_LOOP for (ptrdiff_t i = 0; i < n; i++) { const T x = xs[i * sx]; ys[i * sy] = (R)(expression); } \
  }

// Gathers chunks into a buffer, runs the contiguous kernel on it in place and spreads the results.
static void unary_in_chunks_f32(
    apus_unary_kernel kernel, ptrdiff_t n, const float *x, ptrdiff_t sx, float *y, ptrdiff_t sy) {
  float buffer[CHUNK];
  for (ptrdiff_t i = 0; i < n; i += CHUNK) {
    ptrdiff_t count = MIN(CHUNK, n - i);
    copy_32(count, x + i * sx, sx, buffer, 1);
    kernel(count, buffer, 1, buffer, 1);
    copy_32(count, buffer, 1, y + i * sy, sy);
  }
}

// A function with a vector form that is long: the loop exists once, other strides go through a buffer.
#define UNARY_LONG(op, expression) \
  static void UNARY_NAME(op, f32)(ptrdiff_t n, const void *xv, ptrdiff_t sx, void *yv, ptrdiff_t sy) { \
    const float *xs = xv; float *ys = yv; \
    if (sx == 1 && sy == 1) { \
      VECTOR_LOOP_BY_TWO for (ptrdiff_t i = 0; i < n; i++) { const float x = xs[i]; ys[i] = (expression); } \
    } else { \
      unary_in_chunks_f32(UNARY_NAME(op, f32), n, xs, sx, ys, sy); \
    } \
  }

// float16 and bfloat16: `kernel` is the float kernel; predicates write their bytes straight to y.
static void unary_half(
    apus_cast_kernel widen, apus_unary_kernel kernel, apus_cast_kernel narrow, ptrdiff_t n, const uint16_t *x, ptrdiff_t sx,
    uint16_t *y, ptrdiff_t sy) {
  float buffer[CHUNK];
  for (ptrdiff_t i = 0; i < n; i += CHUNK) {
    ptrdiff_t count = MIN(CHUNK, n - i);
    widen(count, x + i * sx, sx, buffer, 1);
    kernel(count, buffer, 1, buffer, 1);
    narrow(count, buffer, 1, y + i * sy, sy);
  }
}
static void predicate_half(
    apus_cast_kernel widen, apus_unary_kernel kernel, ptrdiff_t n, const uint16_t *x, ptrdiff_t sx, uint8_t *y, ptrdiff_t sy) {
  float buffer[CHUNK];
  for (ptrdiff_t i = 0; i < n; i += CHUNK) {
    ptrdiff_t count = MIN(CHUNK, n - i);
    widen(count, x + i * sx, sx, buffer, 1);
    kernel(count, buffer, 1, y + i * sy, sy);
  }
}

// ------------------------------------------------------------------------------------------ float32 and float64

// op, float expression, double expression. Written so that NaN passes: every comparison with NaN is false.
#define SIMPLE_FLOAT_UNARY(X) \
  X(neg, -x, -x) \
  X(abs, __builtin_fabsf(x), __builtin_fabs(x)) \
  X(sign, x > 0 ? 1.0f : x < 0 ? -1.0f : x, x > 0 ? 1.0 : x < 0 ? -1.0 : x) \
  X(square, x * x, x * x) \
  X(reciprocal, 1.0f / x, 1.0 / x) \
  X(sqrt, __builtin_elementwise_sqrt(x), __builtin_elementwise_sqrt(x)) \
  X(rsqrt, 1.0f / __builtin_elementwise_sqrt(x), 1.0 / __builtin_elementwise_sqrt(x)) \
  X(relu, x <= 0 ? 0.0f : x, x <= 0 ? 0.0 : x)

// Rounding has an instruction everywhere but on the x86 baseline (SSE2), where these are calls.
#define ROUNDING_UNARY(X) \
  X(floor, __builtin_elementwise_floor(x), __builtin_elementwise_floor(x)) \
  X(ceil, __builtin_elementwise_ceil(x), __builtin_elementwise_ceil(x)) \
  X(round, __builtin_elementwise_rint(x), __builtin_elementwise_rint(x)) \
  X(trunc, __builtin_elementwise_trunc(x), __builtin_elementwise_trunc(x))

#define FLOAT_PREDICATES(X) \
  X(logical_not, x == 0) \
  X(isnan, x != x) \
  X(isinf, x == __builtin_inff() || x == -__builtin_inff()) \
  X(isfinite, x - x == 0)

// Functions with a vector form of our own in float (vmath.h). The second expression is the double one.
#define VECTOR_MATH_UNARY(X) \
  X(exp, v_exp(x), exp(x)) \
  X(expm1, v_expm1(x), expm1(x)) \
  X(log, v_log(x), log(x)) \
  X(log1p, v_log1p(x), log1p(x)) \
  X(tanh, v_tanh(x), tanh(x)) \
  X(erf, v_erf(x), erf(x)) \
  X(erfc, v_erfc(x), erfc(x)) \
  X(sigmoid, v_sigmoid(x), sigmoid_f64(x)) \
  X(log_sigmoid, v_log_sigmoid(x), log_sigmoid_f64(x)) \
  X(gelu, v_gelu(x), gelu_f64(x)) \
  X(gelu_slope, v_gelu_slope(x), gelu_slope_f64(x))

#define LIBM_UNARY(X) \
  X(exp2, exp2f(x), exp2(x)) \
  X(log2, log2f(x), log2(x)) \
  X(log10, log10f(x), log10(x)) \
  X(tan, tanf(x), tan(x)) \
  X(asin, asinf(x), asin(x)) \
  X(acos, acosf(x), acos(x)) \
  X(atan, atanf(x), atan(x)) \
  X(sinh, sinhf(x), sinh(x)) \
  X(cosh, coshf(x), cosh(x)) \
  X(asinh, asinhf(x), asinh(x)) \
  X(acosh, acoshf(x), acosh(x)) \
  X(atanh, atanhf(x), atanh(x)) \
  X(erfinv, (float)erfinv_f64(x, 2), erfinv_f64(x, 3))

// 1 / (1 + e^-x) without overflow: e^-|x| never exceeds 1, and for negative x the quotient e^x / (1 + e^x) keeps its digits.
INLINE double sigmoid_f64(double x) {
  double e = exp(-__builtin_fabs(x));
  return (x < 0 ? e : 1.0) / (1.0 + e);
}
INLINE double log_sigmoid_f64(double x) { return (x > 0 ? 0.0 : x) - log1p(exp(-__builtin_fabs(x))); }

// x Phi(x) and its derivative, Phi(x) + x phi(x). Beyond 40 nothing is left of the tail but infinity times 0.
INLINE double gelu_f64(double x) {
  const double b = x < -40 ? -40 : x;
  return 0.5 * b * erfc(b * -0.707106781186547524401);
}
INLINE double gelu_slope_f64(double x) {
  const double high = x > 40 ? 40 : x, b = high < -40 ? -40 : high;
  return 0.5 * erfc(b * -0.707106781186547524401) + b * (0.398942280401432677940 * exp(-0.5 * b * b));
}

// Winitzki's closed approximation (good to 0.2 %) improved by Halley steps on erf(y) = x, each of which triples the digits.
// Toward 1 the residual is formed with erfc, where 1 - |x| is exact.
static double erfinv_f64(double x, int steps) {
  double a = __builtin_fabs(x);
  if (!(a < 1)) return a == 1 ? x * __builtin_inf() : x * 0 / 0.0;
  double l = log1p(-a * a), t = 2 / (3.14159265358979324 * 0.147) + l / 2;
  double y = sqrt(sqrt(t * t - l / 0.147) - t);
  if (!(y > 1e-3)) y = a * 0.886226925452758014;  // the root of a difference has no digits left; erf y = 2 y / sqrt(pi)
  for (int i = 0; i < steps; i++) {
    double residual = a < 0.5 ? erf(y) - a : (1 - a) - erfc(y);
    double step = residual * 0.886226925452758014 * exp(y * y);
    y -= step / (1 + y * step);
  }
  return x < 0 ? -y : x == 0 ? x : y;
}

#define X(op, f, d) UNARY_LOOPS(op, f32, f32, f) UNARY_LOOPS(op, f64, f64, d)
SIMPLE_FLOAT_UNARY(X)
#if APUS_HARDWARE_ROUNDING
ROUNDING_UNARY(X)
#endif
#undef X
#if !APUS_HARDWARE_ROUNDING
#define X(op, f, d) UNARY_SCALAR(op, f32, f32, f) UNARY_SCALAR(op, f64, f64, d)
ROUNDING_UNARY(X)
#undef X
#endif
#define X(op, expression) UNARY_LOOPS(op, f32, u8, expression) UNARY_LOOPS(op, f64, u8, expression)
FLOAT_PREDICATES(X)
#undef X
#define X(op, f, d) UNARY_LONG(op, f) UNARY_SCALAR(op, f64, f64, d)
VECTOR_MATH_UNARY(X)
#undef X
#define X(op, f, d) UNARY_SCALAR(op, f32, f32, f) UNARY_SCALAR(op, f64, f64, d)
LIBM_UNARY(X)
UNARY_SCALAR(sin, f64, f64, sin(x))
UNARY_SCALAR(cos, f64, f64, cos(x))
#undef X

// sin and cos: the vector form is exact in its reduction up to V_TRIG_LIMIT; a chunk that holds a larger argument has it
// repaired by libm. The copy of the chunk is what makes this work in place.
#define UNARY_TRIG(op, vector, libm) \
  static void UNARY_NAME(op, f32)(ptrdiff_t n, const void *xv, ptrdiff_t sx, void *yv, ptrdiff_t sy) { \
    const float *xs = xv; float *ys = yv; \
    float x[CHUNK], y[CHUNK]; \
    for (ptrdiff_t start = 0; start < n; start += CHUNK) { \
      ptrdiff_t count = MIN(CHUNK, n - start); \
      copy_32(count, xs + start * sx, sx, x, 1); \
      float *out = sy == 1 ? ys + start : y; \
      uint32_t large = 0; \
      VECTOR_LOOP for (ptrdiff_t i = 0; i < count; i++) { \
        out[i] = vector(x[i]); \
        large |= __builtin_fabsf(x[i]) > V_TRIG_LIMIT; \
      } \
      if (large) \
        for (ptrdiff_t i = 0; i < count; i++) \
          if (__builtin_fabsf(x[i]) > V_TRIG_LIMIT) out[i] = libm(x[i]); \
      if (sy != 1) copy_32(count, y, 1, ys + start * sy, sy); \
    } \
  }
UNARY_TRIG(sin, v_sin, sinf)
UNARY_TRIG(cos, v_cos, cosf)

// ------------------------------------------------------------------------------------------ float16, bfloat16

#define NUMERIC_FLOAT_UNARY(X) \
  SIMPLE_FLOAT_UNARY(X) ROUNDING_UNARY(X) VECTOR_MATH_UNARY(X) LIBM_UNARY(X) X(sin, , ) X(cos, , )

#define HALF(op, T) \
  static void UNARY_NAME(op, T)(ptrdiff_t n, const void *x, ptrdiff_t sx, void *y, ptrdiff_t sy) { \
    unary_half(cast_##T##_f32, UNARY_NAME(op, f32), cast_f32_##T, n, x, sx, y, sy); \
  }
#define X(op, f, d) HALF(op, f16) HALF(op, bf16)
NUMERIC_FLOAT_UNARY(X)
#undef X
#undef HALF

#define HALF(op, T) \
  static void UNARY_NAME(op, T)(ptrdiff_t n, const void *x, ptrdiff_t sx, void *y, ptrdiff_t sy) { \
    predicate_half(cast_##T##_f32, UNARY_NAME(op, f32), n, x, sx, y, sy); \
  }
#define X(op, expression) HALF(op, f16) HALF(op, bf16)
FLOAT_PREDICATES(X)
#undef X
#undef HALF

// ------------------------------------------------------------------------------------------ integers and bool

#define INT_UNARY(T, unused_dtype) \
  UNARY_LOOPS(neg, T, T, 0 - (wrap_##T)x) \
  UNARY_LOOPS(abs, T, T, x < 0 ? 0 - (wrap_##T)x : (wrap_##T)x) \
  UNARY_LOOPS(sign, T, T, (x > 0) - (x < 0)) \
  UNARY_LOOPS(square, T, T, (wrap_##T)x * (wrap_##T)x) \
  UNARY_LOOPS(relu, T, T, x > 0 ? x : 0) \
  UNARY_LOOPS(bitwise_not, T, T, ~x) \
  UNARY_LOOPS(logical_not, T, u8, x == 0)
INT_TYPES(INT_UNARY)
#undef INT_UNARY
UNARY_LOOPS(logical_not, b8, u8, x == 0)

// Nothing to do: the identity (rounding an integer; everything but "not" on bool).
static void unary_copy_i64(ptrdiff_t n, const void *x, ptrdiff_t sx, void *y, ptrdiff_t sy) { copy_64(n, x, sx, y, sy); }
#define unary_copy_i32 copy_32
#define unary_copy_i16 copy_16
#define unary_copy_i8 copy_8
#define unary_copy_u8 copy_8
#define unary_copy_b8 copy_8

// The predicates that are constant for integers.
INLINE void fill_bool(ptrdiff_t n, void *yv, ptrdiff_t sy, uint8_t value) {
  uint8_t *y = yv;
  if (sy == 1) {
    if (n > 0) __builtin_memset(y, value, (size_t)n);
  } else {
    SCALAR_LOOP for (ptrdiff_t i = 0; i < n; i++) y[i * sy] = value;
  }
}
static void unary_false(ptrdiff_t n, const void *x, ptrdiff_t sx, void *y, ptrdiff_t sy) {
  (void)x; (void)sx;
  fill_bool(n, y, sy, 0);
}
static void unary_true(ptrdiff_t n, const void *x, ptrdiff_t sx, void *y, ptrdiff_t sy) {
  (void)x; (void)sx;
  fill_bool(n, y, sy, 1);
}

// ------------------------------------------------------------------------------------------ table entries

#define UNARY_FLOAT_ENTRY(op) \
  [APUS_UNARY_##op] = { \
    [APUS_F32] = UNARY_NAME(op, f32), [APUS_F64] = UNARY_NAME(op, f64), \
    [APUS_F16] = UNARY_NAME(op, f16), [APUS_BF16] = UNARY_NAME(op, bf16) },
#define UNARY_ENTRY(op, on_bool) \
  [APUS_UNARY_##op] = { \
    [APUS_F32] = UNARY_NAME(op, f32), [APUS_F64] = UNARY_NAME(op, f64), \
    [APUS_F16] = UNARY_NAME(op, f16), [APUS_BF16] = UNARY_NAME(op, bf16), \
    [APUS_I64] = UNARY_NAME(op, i64), [APUS_I32] = UNARY_NAME(op, i32), [APUS_I16] = UNARY_NAME(op, i16), \
    [APUS_I8] = UNARY_NAME(op, i8), [APUS_U8] = UNARY_NAME(op, u8), [APUS_BOOL] = on_bool },
#define UNARY_ROUNDING_ENTRY(op) \
  [APUS_UNARY_##op] = { \
    [APUS_F32] = UNARY_NAME(op, f32), [APUS_F64] = UNARY_NAME(op, f64), \
    [APUS_F16] = UNARY_NAME(op, f16), [APUS_BF16] = UNARY_NAME(op, bf16), \
    [APUS_I64] = unary_copy_i64, [APUS_I32] = unary_copy_i32, [APUS_I16] = unary_copy_i16, \
    [APUS_I8] = unary_copy_i8, [APUS_U8] = unary_copy_u8, [APUS_BOOL] = unary_copy_b8 },
#define UNARY_PREDICATE_ENTRY(op, on_integers) \
  [APUS_UNARY_##op] = { \
    [APUS_F32] = UNARY_NAME(op, f32), [APUS_F64] = UNARY_NAME(op, f64), \
    [APUS_F16] = UNARY_NAME(op, f16), [APUS_BF16] = UNARY_NAME(op, bf16), \
    [APUS_I64] = on_integers, [APUS_I32] = on_integers, [APUS_I16] = on_integers, [APUS_I8] = on_integers, \
    [APUS_U8] = on_integers, [APUS_BOOL] = on_integers },

#define UNARY_MATH_ENTRY(op, f, d) UNARY_FLOAT_ENTRY(op)
#define UNARY_TABLE { \
  UNARY_ENTRY(neg, unary_copy_b8) UNARY_ENTRY(abs, unary_copy_b8) UNARY_ENTRY(sign, unary_copy_b8) \
  UNARY_ENTRY(square, unary_copy_b8) UNARY_ENTRY(relu, unary_copy_b8) \
  UNARY_FLOAT_ENTRY(reciprocal) UNARY_FLOAT_ENTRY(sqrt) UNARY_FLOAT_ENTRY(rsqrt) \
  VECTOR_MATH_UNARY(UNARY_MATH_ENTRY) LIBM_UNARY(UNARY_MATH_ENTRY) UNARY_FLOAT_ENTRY(sin) UNARY_FLOAT_ENTRY(cos) \
  UNARY_ROUNDING_ENTRY(floor) UNARY_ROUNDING_ENTRY(ceil) UNARY_ROUNDING_ENTRY(round) UNARY_ROUNDING_ENTRY(trunc) \
  [APUS_UNARY_bitwise_not] = { \
    [APUS_I64] = UNARY_NAME(bitwise_not, i64), [APUS_I32] = UNARY_NAME(bitwise_not, i32), \
    [APUS_I16] = UNARY_NAME(bitwise_not, i16), [APUS_I8] = UNARY_NAME(bitwise_not, i8), \
    [APUS_U8] = UNARY_NAME(bitwise_not, u8), [APUS_BOOL] = UNARY_NAME(logical_not, b8) }, \
  UNARY_ENTRY(logical_not, UNARY_NAME(logical_not, b8)) \
  UNARY_PREDICATE_ENTRY(isnan, unary_false) UNARY_PREDICATE_ENTRY(isinf, unary_false) \
  UNARY_PREDICATE_ENTRY(isfinite, unary_true) \
}
