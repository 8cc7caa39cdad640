// Element-wise functions of two variables, by the same scheme as unary.h: lists of expressions in a and b. The forms are
// contiguous, one side broadcast, and everything else.

#define BINARY_NAME(op, T) binary_##op##_##T

// W is the type to compute in; `load` and `store` convert.
#define BINARY_WIDENED(op, T, W, R, load, store, expression) \
  static void BINARY_NAME(op, T)( \
      ptrdiff_t n, const void *av, ptrdiff_t sa, const void *bv, ptrdiff_t sb, void *yv, ptrdiff_t sy) { \
    const T *as = av, *bs = bv; R *ys = yv; \
    if (n <= 0) return; \
    if (sa == 1 && sb == 1 && sy == 1) { \
      VECTOR_LOOP for (ptrdiff_t i = 0; i < n; i++) { const W a = load(as[i]), b = load(bs[i]); ys[i] = store(expression); } \
    } else if (sa == 1 && sb == 0 && sy == 1) { \
      const W b = load(*bs); \
      VECTOR_LOOP for (ptrdiff_t i = 0; i < n; i++) { const W a = load(as[i]); ys[i] = store(expression); } \
    } else if (sa == 0 && sb == 1 && sy == 1) { \
      const W a = load(*as); \
      VECTOR_LOOP for (ptrdiff_t i = 0; i < n; i++) { const W b = load(bs[i]); ys[i] = store(expression); } \
    } else { \
      SCALAR_LOOP for (ptrdiff_t i = 0; i < n; i++) { \
        const W a = load(as[i * sa]), b = load(bs[i * sb]); ys[i * sy] = store(expression); \
      } \
    } \
  }
#define BINARY_LOOPS(op, T, R, expression) BINARY_WIDENED(op, T, T, R, , (R), expression)

#define BINARY_SCALAR(op, T, R, expression) \
  static void BINARY_NAME(op, T)( \
      ptrdiff_t n, const void *av, ptrdiff_t sa, const void *bv, ptrdiff_t sb, void *yv, ptrdiff_t sy) { \
    const T *as = av, *bs = bv; R *ys = yv; \
    SCALAR_LOOP for (ptrdiff_t i = 0; i < n; i++) { \
      const T a = as[i * sa], b = bs[i * sb]; ys[i * sy] = (R)(expression); \
    } \
  }

// Widened operand i ... i+count: one element stands for all when its stride is 0.
INLINE ptrdiff_t widen_operand(
    apus_cast_kernel widen, ptrdiff_t i, ptrdiff_t count, const uint16_t *x, ptrdiff_t sx, float *buffer) {
  widen(sx == 0 ? 1 : count, x + i * sx, sx, buffer, 1);
  return sx == 0 ? 0 : 1;
}
static void binary_half(
    apus_cast_kernel widen, apus_binary_kernel kernel, apus_cast_kernel narrow, ptrdiff_t n, const uint16_t *a, ptrdiff_t sa,
    const uint16_t *b, ptrdiff_t sb, uint16_t *y, ptrdiff_t sy) {
  float p[CHUNK], q[CHUNK], r[CHUNK];
  for (ptrdiff_t i = 0; i < n; i += CHUNK) {
    ptrdiff_t count = MIN(CHUNK, n - i);
    ptrdiff_t sp = widen_operand(widen, i, count, a, sa, p), sq = widen_operand(widen, i, count, b, sb, q);
    kernel(count, p, sp, q, sq, r, 1);
    narrow(count, r, 1, y + i * sy, sy);
  }
}
static void comparison_half(
    apus_cast_kernel widen, apus_binary_kernel kernel, ptrdiff_t n, const uint16_t *a, ptrdiff_t sa, const uint16_t *b,
    ptrdiff_t sb, uint8_t *y, ptrdiff_t sy) {
  float p[CHUNK], q[CHUNK];
  for (ptrdiff_t i = 0; i < n; i += CHUNK) {
    ptrdiff_t count = MIN(CHUNK, n - i);
    ptrdiff_t sp = widen_operand(widen, i, count, a, sa, p), sq = widen_operand(widen, i, count, b, sb, q);
    kernel(count, p, sp, q, sq, y + i * sy, sy);
  }
}

// ------------------------------------------------------------------------------------------ floats

// Cheap enough that the half types have loops of their own, without the way through buffers. Maximum and minimum choose a NaN
// on either side: one in b makes `a > b` false, one in a is asked for.
#define SIMPLE_BINARY(X) \
  X(add, a + b) \
  X(sub, a - b) \
  X(mul, a * b) \
  X(div, a / b) \
  X(maximum, ((a > b) | (a != a)) ? a : b) \
  X(minimum, ((a < b) | (a != a)) ? a : b) \
  X(fmax, ((a >= b) | (b != b)) ? a : b) \
  X(fmin, ((a <= b) | (b != b)) ? a : b) \
  X(relu_gradient, b <= 0 ? 0 : a) \
  X(tanh_gradient, a * (1 - b * b)) \
  X(sigmoid_gradient, a * b * (1 - b))

#define LIBM_BINARY(X) \
  X(pow, powf(a, b), pow(a, b)) \
  X(atan2, atan2f(a, b), atan2(a, b)) \
  X(floor_divide, floor_divide_f32(a, b), floor_divide_f64(a, b)) \
  X(remainder, remainder_f32(a, b), remainder_f64(a, b)) \
  X(fmod, fmodf(a, b), fmod(a, b))

#define COMPARISONS(X) \
  X(eq, a == b) X(ne, a != b) X(lt, a < b) X(le, a <= b) X(gt, a > b) X(ge, a >= b) \
  X(logical_and, (a != 0) & (b != 0)) X(logical_or, (a != 0) | (b != 0)) X(logical_xor, (a != 0) ^ (b != 0))

// Python's // and %, as PyTorch and NumPy compute them: from fmod, so that a == b * (a // b) + a % b holds as well as it can.
#define FLOOR_DIVISION(T, suffix) \
  INLINE T remainder_##T(T a, T b) { \
    T r = fmod##suffix(a, b); \
    return r != 0 && (b < 0) != (r < 0) ? r + b : r; \
  } \
  INLINE T floor_divide_##T(T a, T b) { \
    if (b == 0) return a / b; \
    T r = fmod##suffix(a, b), q = (a - r) / b; \
    if (r != 0 && (b < 0) != (r < 0)) q -= 1; \
    if (q == 0) return __builtin_copysign##suffix(0, a / b); \
    T floored = floor##suffix(q); \
    return q - floored > (T)0.5 ? floored + 1 : floored;  /* q was meant to be an integer; rounding may have cut below it */ \
  }
FLOOR_DIVISION(f32, f)
FLOOR_DIVISION(f64, )
#undef FLOOR_DIVISION

#define X(op, expression) BINARY_LOOPS(op, f32, f32, expression) BINARY_LOOPS(op, f64, f64, expression)
SIMPLE_BINARY(X)
#undef X
#define X(op, expression) \
  BINARY_WIDENED(op, f16, float, f16, f16_to_f32, f32_to_f16, expression) \
  BINARY_WIDENED(op, bf16, float, bf16, bf16_to_f32, f32_to_bf16, expression)
SIMPLE_BINARY(X)
#undef X
#define X(op, f, d) BINARY_SCALAR(op, f32, f32, f) BINARY_SCALAR(op, f64, f64, d)
LIBM_BINARY(X)
#undef X
#define X(op, expression) BINARY_LOOPS(op, f32, u8, expression) BINARY_LOOPS(op, f64, u8, expression)
COMPARISONS(X)
#undef X

#define HALF(op, T) \
  static void BINARY_NAME(op, T)( \
      ptrdiff_t n, const void *a, ptrdiff_t sa, const void *b, ptrdiff_t sb, void *y, ptrdiff_t sy) { \
    binary_half(cast_##T##_f32, BINARY_NAME(op, f32), cast_f32_##T, n, a, sa, b, sb, y, sy); \
  }
#define X(op, f, d) HALF(op, f16) HALF(op, bf16)
LIBM_BINARY(X)
#undef X
#undef HALF
#define HALF(op, T) \
  static void BINARY_NAME(op, T)( \
      ptrdiff_t n, const void *a, ptrdiff_t sa, const void *b, ptrdiff_t sb, void *y, ptrdiff_t sy) { \
    comparison_half(cast_##T##_f32, BINARY_NAME(op, f32), n, a, sa, b, sb, y, sy); \
  }
#define X(op, expression) HALF(op, f16) HALF(op, bf16)
COMPARISONS(X)
#undef X
#undef HALF

// ------------------------------------------------------------------------------------------ integers and bool

// Division first looks at the divisors for which the machine's instruction traps: 0, and -1 under the smallest number.
#define INT_DIVISION(T, unused_dtype) \
  INLINE T int_fmod_##T(T a, T b) { return (b == 0 || ((T)-1 < 0 && b == (T)-1)) ? 0 : (T)(a % b); } \
  INLINE T int_remainder_##T(T a, T b) { \
    T r = int_fmod_##T(a, b); \
    return r != 0 && (b < 0) != (r < 0) ? (T)(r + b) : r; \
  } \
  INLINE T int_floor_divide_##T(T a, T b) { \
    if (b == 0) return 0; \
    if ((T)-1 < 0 && b == (T)-1) return (T)(0 - (wrap_##T)a); \
    T q = (T)(a / b), r = (T)(a % b); \
    return r != 0 && (b < 0) != (r < 0) ? (T)(q - 1) : q; \
  } \
  INLINE T int_pow_##T(T a, T b) { \
    if (b < 0) return a == 1 ? 1 : a == (T)-1 ? (b & 1 ? (T)-1 : 1) : 0; \
    wrap_##T power = 1, base = (wrap_##T)a; \
    for (uint64_t e = (uint64_t)b; e; e >>= 1, base *= base) \
      if (e & 1) power *= base; \
    return (T)power; \
  }
INT_TYPES(INT_DIVISION)
#undef INT_DIVISION

#define INT_BINARY(T, unused_dtype) \
  BINARY_LOOPS(add, T, T, (wrap_##T)a + (wrap_##T)b) \
  BINARY_LOOPS(sub, T, T, (wrap_##T)a - (wrap_##T)b) \
  BINARY_LOOPS(mul, T, T, (wrap_##T)a * (wrap_##T)b) \
  BINARY_LOOPS(maximum, T, T, a > b ? a : b) \
  BINARY_LOOPS(minimum, T, T, a < b ? a : b) \
  BINARY_LOOPS(bitwise_and, T, T, a & b) \
  BINARY_LOOPS(bitwise_or, T, T, a | b) \
  BINARY_LOOPS(bitwise_xor, T, T, a ^ b) \
  BINARY_SCALAR(pow, T, T, int_pow_##T(a, b)) \
  BINARY_SCALAR(floor_divide, T, T, int_floor_divide_##T(a, b)) \
  BINARY_SCALAR(remainder, T, T, int_remainder_##T(a, b)) \
  BINARY_SCALAR(fmod, T, T, int_fmod_##T(a, b))
INT_TYPES(INT_BINARY)
#undef INT_BINARY

#define X(op, expression) \
  BINARY_LOOPS(op, i64, u8, expression) BINARY_LOOPS(op, i32, u8, expression) BINARY_LOOPS(op, i16, u8, expression) \
  BINARY_LOOPS(op, i8, u8, expression) BINARY_LOOPS(op, u8, u8, expression)
COMPARISONS(X)
#undef X

// On 0 and 1 the comparisons and bit operations of u8 are those of bool.
#define binary_or_b8 BINARY_NAME(bitwise_or, u8)
#define binary_and_b8 BINARY_NAME(bitwise_and, u8)
#define binary_xor_b8 BINARY_NAME(bitwise_xor, u8)

// ------------------------------------------------------------------------------------------ table entries

#define BINARY_FLOATS(op) \
  [APUS_F32] = BINARY_NAME(op, f32), [APUS_F64] = BINARY_NAME(op, f64), \
  [APUS_F16] = BINARY_NAME(op, f16), [APUS_BF16] = BINARY_NAME(op, bf16),
#define BINARY_INTS(op) \
  [APUS_I64] = BINARY_NAME(op, i64), [APUS_I32] = BINARY_NAME(op, i32), [APUS_I16] = BINARY_NAME(op, i16), \
  [APUS_I8] = BINARY_NAME(op, i8), [APUS_U8] = BINARY_NAME(op, u8),
#define BINARY_ENTRY(op, on_bool) [APUS_BINARY_##op] = { BINARY_FLOATS(op) BINARY_INTS(op) [APUS_BOOL] = on_bool },

#define COMPARISON_ENTRY(op, expression) BINARY_ENTRY(op, BINARY_NAME(op, u8))
#define BINARY_TABLE { \
  BINARY_ENTRY(add, binary_or_b8) BINARY_ENTRY(sub, NULL) BINARY_ENTRY(mul, binary_and_b8) \
  [APUS_BINARY_div] = { BINARY_FLOATS(div) }, [APUS_BINARY_atan2] = { BINARY_FLOATS(atan2) }, \
  [APUS_BINARY_relu_gradient] = { BINARY_FLOATS(relu_gradient) }, \
  [APUS_BINARY_tanh_gradient] = { BINARY_FLOATS(tanh_gradient) }, \
  [APUS_BINARY_sigmoid_gradient] = { BINARY_FLOATS(sigmoid_gradient) }, \
  BINARY_ENTRY(pow, NULL) BINARY_ENTRY(floor_divide, NULL) BINARY_ENTRY(remainder, NULL) BINARY_ENTRY(fmod, NULL) \
  BINARY_ENTRY(maximum, binary_or_b8) BINARY_ENTRY(minimum, binary_and_b8) \
  [APUS_BINARY_fmax] = { \
    BINARY_FLOATS(fmax) [APUS_I64] = BINARY_NAME(maximum, i64), [APUS_I32] = BINARY_NAME(maximum, i32), \
    [APUS_I16] = BINARY_NAME(maximum, i16), [APUS_I8] = BINARY_NAME(maximum, i8), [APUS_U8] = BINARY_NAME(maximum, u8) }, \
  [APUS_BINARY_fmin] = { \
    BINARY_FLOATS(fmin) [APUS_I64] = BINARY_NAME(minimum, i64), [APUS_I32] = BINARY_NAME(minimum, i32), \
    [APUS_I16] = BINARY_NAME(minimum, i16), [APUS_I8] = BINARY_NAME(minimum, i8), [APUS_U8] = BINARY_NAME(minimum, u8) }, \
  [APUS_BINARY_bitwise_and] = { BINARY_INTS(bitwise_and) [APUS_BOOL] = binary_and_b8 }, \
  [APUS_BINARY_bitwise_or] = { BINARY_INTS(bitwise_or) [APUS_BOOL] = binary_or_b8 }, \
  [APUS_BINARY_bitwise_xor] = { BINARY_INTS(bitwise_xor) [APUS_BOOL] = binary_xor_b8 }, \
  COMPARISONS(COMPARISON_ENTRY) \
}
