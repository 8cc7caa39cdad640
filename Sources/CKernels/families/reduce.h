// Reductions: along a line (inner), of rows into a row of accumulators, the index of an extremum, cumulative sums.
//
// The order of a float reduction depends on n alone, never on strides or the instruction set: blocks of 512 elements; inside a
// block 128 bytes of independent lanes, folded in halves; blocks combined pairwise like the carries of a binary counter.

// ------------------------------------------------------------------------------------------ the operations

// What an element x becomes and how it joins the accumulator a. V is the type at hand, a scalar or a vector of lanes. A NaN on
// either side of max and min stays: x is taken if it is NaN, and no comparison replaces a NaN in a.
#define MAP_sum(V, x) (x)
#define MAP_prod(V, x) (x)
#define MAP_max(V, x) (x)
#define MAP_min(V, x) (x)
#define MAP_all(V, x) (((x) != (V)0) ? (V)1 : (V)0)
#define MAP_any(V, x) (((x) != (V)0) ? (V)1 : (V)0)
#define MAP_square_sum(V, x) ((x) * (x))
#define COMBINE_sum(a, x) ((a) + (x))
#define COMBINE_prod(a, x) ((a) * (x))
#define COMBINE_max(a, x) ((((x) > (a)) | ((x) != (x))) ? (x) : (a))
#define COMBINE_min(a, x) ((((x) < (a)) | ((x) != (x))) ? (x) : (a))
#define COMBINE_all(a, x) (((x) < (a)) ? (x) : (a))
#define COMBINE_any(a, x) (((x) > (a)) ? (x) : (a))
#define COMBINE_square_sum(a, x) ((a) + (x))
// Neutral elements of float and integer accumulators.
#define NEUTRAL_F_sum 0
#define NEUTRAL_F_prod 1
#define NEUTRAL_F_max (-__builtin_inff())
#define NEUTRAL_F_min __builtin_inff()
#define NEUTRAL_F_all 1
#define NEUTRAL_F_any 0
#define NEUTRAL_F_square_sum 0
#define NEUTRAL_I_sum 0
#define NEUTRAL_I_prod 1
#define NEUTRAL_I_max INT64_MIN
#define NEUTRAL_I_min INT64_MAX
#define NEUTRAL_I_all 1
#define NEUTRAL_I_any 0
#define NEUTRAL_I_square_sum 0

// ------------------------------------------------------------------------------------------ blocks of floats

// 128 bytes: two registers of AVX-512, four of AVX2, eight of SSE2 and NEON.
typedef f32 wide_f32 __attribute__((ext_vector_type(32)));
typedef f64 wide_f64 __attribute__((ext_vector_type(16)));
typedef f32 narrow_f32 __attribute__((ext_vector_type(8)));
typedef f64 narrow_f64 __attribute__((ext_vector_type(8)));
enum { WIDE_f32 = 32, WIDE_f64 = 16, NARROW = 8 };

// Eight numbers in the type that they are summed in. By way of a pointer: vectors wider than a register are no results of functions.
INLINE void load_narrow_f32(const f32 *x, narrow_f32 *v) { __builtin_memcpy(v, x, sizeof *v); }
INLINE void load_narrow_f64(const f64 *x, narrow_f64 *v) { __builtin_memcpy(v, x, sizeof *v); }
typedef uint16_t narrow_bits __attribute__((ext_vector_type(8)));
INLINE void load_narrow_bf16(const bf16 *x, narrow_f32 *v) {
  narrow_bits h;
  __builtin_memcpy(&h, x, sizeof h);
  *v = (narrow_f32)(__builtin_convertvector(h, lanes8) << 16);
}
INLINE void load_narrow_f16(const f16 *x, narrow_f32 *v) {
#if APUS_HARDWARE_F16
  typedef _Float16 narrow_f16 __attribute__((ext_vector_type(8)));
  narrow_f16 h;
  __builtin_memcpy(&h, x, sizeof h);
  *v = __builtin_convertvector(h, narrow_f32);
#else
  for (int i = 0; i < NARROW; i++) (*v)[i] = f16_to_f32(x[i]);
#endif
}

// h = the halves of v combined.
#define HALVE(op, v, h) \
  __typeof__((v).lo) h##_low = (v).lo, h##_high = (v).hi; \
  __typeof__(h##_low) h = COMBINE_##op(h##_low, h##_high)
#define FOLD_8(op, v, result) HALVE(op, v, h4); HALVE(op, h4, h2); HALVE(op, h2, h1); result = COMBINE_##op(result, h1)
#define NARROW_f64(op, v, h) HALVE(op, v, h)
#define NARROW_f32(op, v, h) HALVE(op, v, h##_16); HALVE(op, h##_16, h)
#define FOLD_f64(op, v, result) { NARROW_f64(op, v, h8); FOLD_8(op, h8, result); }
#define FOLD_f32(op, v, result) { NARROW_f32(op, v, h8); FOLD_8(op, h8, result); }

// lanes = as many whole vectors of x from i on as n has. Here and below, mapping and combining are separate statements so that no
// instruction set fuses them into one rounding.
#define WIDE_LANES(op, F, lanes, x, i, n) \
  wide_##F lanes = (wide_##F)(F)NEUTRAL_F_##op; \
  for (; i + WIDE_##F <= (n); i += WIDE_##F) { \
    wide_##F v; \
    __builtin_memcpy(&v, (x) + i, sizeof v); \
    wide_##F m = MAP_##op(wide_##F, v); \
    lanes = COMBINE_##op(lanes, m); \
  }

// The reduction of n <= BLOCK contiguous elements.
#define FLOAT_BLOCK(op, F) \
  static F JOIN(block_##op, F)(const F *x, ptrdiff_t n) { \
    F result = (F)NEUTRAL_F_##op; \
    ptrdiff_t i = 0; \
    if (n >= WIDE_##F) { \
      WIDE_LANES(op, F, lanes, x, i, n) \
      FOLD_##F(op, lanes, result) \
    } \
    if (n - i >= NARROW) { \
      narrow_##F lanes = (narrow_##F)(F)NEUTRAL_F_##op, v; \
      for (; i + NARROW <= n; i += NARROW) { \
        __builtin_memcpy(&v, x + i, sizeof v); \
        narrow_##F m = MAP_##op(narrow_##F, v); \
        lanes = COMBINE_##op(lanes, m); \
      } \
      FOLD_8(op, lanes, result); \
    } \
    SCALAR_LOOP for (; i < n; i++) { \
      const F m = MAP_##op(F, x[i]); \
      result = COMBINE_##op(result, m); \
    } \
    return result; \
  }

#define FLOAT_BLOCKS(op) FLOAT_BLOCK(op, f32) FLOAT_BLOCK(op, f64)
FLOAT_BLOCKS(sum) FLOAT_BLOCKS(prod) FLOAT_BLOCKS(max) FLOAT_BLOCKS(min) FLOAT_BLOCKS(all) FLOAT_BLOCKS(any)
FLOAT_BLOCKS(square_sum)

// Eight whole blocks, and the results of these combined pairwise: the same additions, but the blocks' last lanes are folded side by side.
#define SIDE_BY_SIDE(op, a, b, l0, l1, l2, l3, h0, h1, h2, h3) \
  COMBINE_##op( \
      __builtin_shufflevector(a, b, l0, l1, l2, l3, 8 + l0, 8 + l1, 8 + l2, 8 + l3), \
      __builtin_shufflevector(a, b, h0, h1, h2, h3, 8 + h0, 8 + h1, 8 + h2, 8 + h3))
#define FLOAT_EIGHT(op, F) \
  INLINE F JOIN(eight_blocks_##op, F)(const F *x) { \
    narrow_##F v[8]; \
    for (int b = 0; b < 8; b++) { \
      ptrdiff_t i = 0; \
      WIDE_LANES(op, F, lanes, x + b * BLOCK, i, BLOCK) \
      NARROW_##F(op, lanes, h); \
      v[b] = h; \
    } \
    for (int b = 0; b < 4; b++) v[b] = SIDE_BY_SIDE(op, v[2 * b], v[2 * b + 1], 0, 1, 2, 3, 4, 5, 6, 7); \
    for (int b = 0; b < 2; b++) v[b] = SIDE_BY_SIDE(op, v[2 * b], v[2 * b + 1], 0, 1, 4, 5, 2, 3, 6, 7); \
    v[0] = SIDE_BY_SIDE(op, v[0], v[1], 0, 2, 4, 6, 1, 3, 5, 7); \
    narrow_##F results = COMBINE_##op((narrow_##F)(F)NEUTRAL_F_##op, v[0]); \
    __typeof__(results.lo) even = results.even, odd = results.odd, pairs = COMBINE_##op(even, odd); \
    __typeof__(pairs.lo) first = pairs.even, second = pairs.odd, fours = COMBINE_##op(first, second); \
    const F low = fours.x, high = fours.y; \
    return COMBINE_##op(low, high); \
  }
#define FLOAT_EIGHTS(op) FLOAT_EIGHT(op, f32) FLOAT_EIGHT(op, f64)
FLOAT_EIGHTS(sum) FLOAT_EIGHTS(prod) FLOAT_EIGHTS(max) FLOAT_EIGHTS(min) FLOAT_EIGHTS(all) FLOAT_EIGHTS(any)
FLOAT_EIGHTS(square_sum)

// A block's elements as contiguous numbers of type F: in place where they are that already, else widened or gathered.
#define IS_IN_PLACE(T, F, sx) (_Generic((T)0, F: 1, default: 0) && sizeof(T) == sizeof(F) && (sx) == 1)
#define BLOCK_OF(T, F, x, sx, count, buffer) \
  (IS_IN_PLACE(T, F, sx) \
    ? (const F *)(const void *)(x) : (cast_##T##_##F(count, x, sx, buffer, 1), (const F *)(buffer)))

// ------------------------------------------------------------------------------------------ inner, floats

// stack[l] holds the result of 2^l blocks wherever bit l of `done` is set. 2^level more, with the result s:
#define PUSH_BLOCKS(op, first_level, s) { \
    int level = first_level; \
    for (uint64_t carry = done >> first_level; carry & 1; carry >>= 1, level++) s = COMBINE_##op(stack[level], s); \
    stack[level] = s; \
  }
#define FLOAT_INNER(op, T, F) \
  static void JOIN(inner_##op, T)(ptrdiff_t n, const void *xv, ptrdiff_t sx, void *accv) { \
    const T *x = xv; F *acc = accv; \
    F buffer[BLOCK], stack[64], total = (F)NEUTRAL_F_##op; \
    uint64_t done = 0; \
    ptrdiff_t i = 0; \
    if (IS_IN_PLACE(T, F, sx)) \
      for (; i + 8 * BLOCK <= n; i += 8 * BLOCK, done += 8) { \
        F s = JOIN(eight_blocks_##op, F)((const F *)(const void *)(x + i)); \
        PUSH_BLOCKS(op, 3, s) \
      } \
    for (; i < n; i += BLOCK, done++) { \
      const ptrdiff_t count = MIN(BLOCK, n - i); \
      F s = JOIN(block_##op, F)(BLOCK_OF(T, F, x + i * sx, sx, count, buffer), count); \
      PUSH_BLOCKS(op, 0, s) \
    } \
    for (int level = 0; done; done >>= 1, level++) \
      if (done & 1) total = COMBINE_##op(stack[level], total); \
    *acc = COMBINE_##op(*acc, total); \
  }
#define FLOAT_INNERS(op) \
  FLOAT_INNER(op, f32, f32) FLOAT_INNER(op, f64, f64) FLOAT_INNER(op, f16, f32) FLOAT_INNER(op, bf16, f32)
FLOAT_INNERS(sum) FLOAT_INNERS(prod) FLOAT_INNERS(max) FLOAT_INNERS(min) FLOAT_INNERS(all) FLOAT_INNERS(any)
FLOAT_INNERS(square_sum)

// ------------------------------------------------------------------------------------------ inner, integers

// uint64_t where the arithmetic may wrap, int64_t where the sign matters.
#define INT_INNER(op, T, A) \
  static void JOIN(inner_##op, T)(ptrdiff_t n, const void *xv, ptrdiff_t sx, void *accv) { \
    const T *x = xv; i64 *acc = accv; \
    A a = (A)*acc; \
    if (sx == 1) { \
      VECTOR_LOOP for (ptrdiff_t i = 0; i < n; i++) { const A m = MAP_##op(A, (A)x[i]); a = COMBINE_##op(a, m); } \
    } else { \
      SCALAR_LOOP for (ptrdiff_t i = 0; i < n; i++) { const A m = MAP_##op(A, (A)x[i * sx]); a = COMBINE_##op(a, m); } \
    } \
    *acc = (i64)a; \
  }
#define INT_INNERS(T, unused_dtype) \
  INT_INNER(sum, T, uint64_t) INT_INNER(prod, T, uint64_t) INT_INNER(max, T, i64) INT_INNER(min, T, i64) \
  INT_INNER(all, T, i64) INT_INNER(any, T, i64) INT_INNER(square_sum, T, uint64_t)
INT_TYPES(INT_INNERS)

// ------------------------------------------------------------------------------------------ rows

#define ROWS(op, T, A, result) \
  static void JOIN(rows_##op, T)(ptrdiff_t n, const void *xv, ptrdiff_t sx, void *accv) { \
    const T *x = xv; result *acc = accv; \
    if (sx == 1) { \
      VECTOR_LOOP for (ptrdiff_t i = 0; i < n; i++) { \
        const A a = (A)acc[i], m = MAP_##op(A, (A)x[i]); \
        acc[i] = (result)COMBINE_##op(a, m); \
      } \
    } else { \
      SCALAR_LOOP for (ptrdiff_t i = 0; i < n; i++) { \
        const A a = (A)acc[i], m = MAP_##op(A, (A)x[i * sx]); \
        acc[i] = (result)COMBINE_##op(a, m); \
      } \
    } \
  }
static void rows_half(
    apus_cast_kernel widen, apus_reduce_rows_kernel kernel, ptrdiff_t n, const uint16_t *x, ptrdiff_t sx, float *acc) {
  float buffer[CHUNK];
  for (ptrdiff_t i = 0; i < n; i += CHUNK) {
    ptrdiff_t count = MIN(CHUNK, n - i);
    widen(count, x + i * sx, sx, buffer, 1);
    kernel(count, buffer, 1, acc + i);
  }
}
#define ROWS_HALF(op, T) \
  static void JOIN(rows_##op, T)(ptrdiff_t n, const void *x, ptrdiff_t sx, void *acc) { \
    rows_half(cast_##T##_f32, JOIN(rows_##op, f32), n, x, sx, acc); \
  }
#define FLOAT_ROWS(op) ROWS(op, f32, f32, f32) ROWS(op, f64, f64, f64) ROWS_HALF(op, f16) ROWS_HALF(op, bf16)
FLOAT_ROWS(sum) FLOAT_ROWS(prod) FLOAT_ROWS(max) FLOAT_ROWS(min) FLOAT_ROWS(all) FLOAT_ROWS(any) FLOAT_ROWS(square_sum)
#define INT_ROWS(T, unused_dtype) \
  ROWS(sum, T, uint64_t, i64) ROWS(prod, T, uint64_t, i64) ROWS(max, T, i64, i64) ROWS(min, T, i64, i64) \
  ROWS(all, T, i64, i64) ROWS(any, T, i64, i64) ROWS(square_sum, T, uint64_t, i64)
INT_TYPES(INT_ROWS)

// ------------------------------------------------------------------------------------------ argmax and argmin

#define INT_BLOCK(op, T, unused_dtype) \
  static T JOIN(block_##op, T)(const T *x, ptrdiff_t n) { \
    T a = x[0]; \
    VECTOR_LOOP for (ptrdiff_t i = 1; i < n; i++) a = COMBINE_##op(a, x[i]); \
    return a; \
  }
#define INT_BLOCKS(T, dtype) INT_BLOCK(max, T, dtype) INT_BLOCK(min, T, dtype)
INT_TYPES(INT_BLOCKS)

// One vector pass finds the block that first reaches the extremum (or the first NaN); only that block is searched.
#define ARG(op, better, T, F) \
  static int64_t JOIN(arg##op, T)(ptrdiff_t n, const void *xv, ptrdiff_t sx) { \
    const T *x = xv; \
    F buffer[BLOCK], best = 0; \
    ptrdiff_t at = -1; \
    for (ptrdiff_t i = 0; i < n; i += BLOCK) { \
      const ptrdiff_t count = MIN(BLOCK, n - i); \
      const F m = JOIN(block_##op, F)(BLOCK_OF(T, F, x + i * sx, sx, count, buffer), count); \
      if (at < 0 || m better best || m != m) { best = m; at = i; } \
      if (m != m) break; \
    } \
    for (ptrdiff_t i = at; i < n; i++) { \
      const F value = (F)load_##T(x[i * sx]); \
      if (value == best || value != value) return i; \
    } \
    return 0; \
  }
#define ARGS(T, F) ARG(max, >, T, F) ARG(min, <, T, F)
ARGS(f32, f32) ARGS(f64, f64) ARGS(f16, f32) ARGS(bf16, f32) ARGS(i64, i64) ARGS(i32, i32) ARGS(i16, i16) ARGS(i8, i8)
ARGS(u8, u8)

// ------------------------------------------------------------------------------------------ cumulative

// A running total is a chain by nature. float32 keeps it in double, which costs nothing here and keeps long sums exact enough.
#define CUMULATIVE(name, T, A, store, neutral, operator) \
  static void JOIN(name, T)(ptrdiff_t n, const void *xv, ptrdiff_t sx, void *yv, ptrdiff_t sy) { \
    const T *x = xv; T *y = yv; \
    A a = neutral; \
    SCALAR_LOOP for (ptrdiff_t i = 0; i < n; i++) { \
      a = a operator (A)load_##T(x[i * sx]); \
      y[i * sy] = store(a); \
    } \
  }
#define CUMULATIVES(T, A, store) CUMULATIVE(cumsum, T, A, store, 0, +) CUMULATIVE(cumprod, T, A, store, 1, *)
CUMULATIVES(f32, f64, f64_to_f32) CUMULATIVES(f64, f64, f64_to_f64)
CUMULATIVES(f16, f32, f32_to_f16) CUMULATIVES(bf16, f32, f32_to_bf16)
CUMULATIVES(i64, uint64_t, (i64)) CUMULATIVES(i32, uint32_t, (i32)) CUMULATIVES(i16, uint32_t, (i16))
CUMULATIVES(i8, uint32_t, (i8)) CUMULATIVES(u8, uint32_t, (u8))
CUMULATIVE(cumsum, b8, uint32_t, (u8), 0, |) CUMULATIVE(cumprod, b8, uint32_t, (u8), 1, &)

// ------------------------------------------------------------------------------------------ table entries

#define REDUCE_ENTRY(kind, op) \
  [APUS_REDUCE_##op] = { \
    [APUS_F32] = JOIN(kind##_##op, f32), [APUS_F64] = JOIN(kind##_##op, f64), [APUS_F16] = JOIN(kind##_##op, f16), \
    [APUS_BF16] = JOIN(kind##_##op, bf16), [APUS_I64] = JOIN(kind##_##op, i64), [APUS_I32] = JOIN(kind##_##op, i32), \
    [APUS_I16] = JOIN(kind##_##op, i16), [APUS_I8] = JOIN(kind##_##op, i8), [APUS_U8] = JOIN(kind##_##op, u8), \
    [APUS_BOOL] = JOIN(kind##_##op, u8) },
#define REDUCE_INNER_ENTRY(op) REDUCE_ENTRY(inner, op)
#define REDUCE_ROWS_ENTRY(op) REDUCE_ENTRY(rows, op)
#define BY_DTYPE(name, on_bool) { \
    [APUS_F32] = JOIN(name, f32), [APUS_F64] = JOIN(name, f64), [APUS_F16] = JOIN(name, f16), [APUS_BF16] = JOIN(name, bf16), \
    [APUS_I64] = JOIN(name, i64), [APUS_I32] = JOIN(name, i32), [APUS_I16] = JOIN(name, i16), [APUS_I8] = JOIN(name, i8), \
    [APUS_U8] = JOIN(name, u8), [APUS_BOOL] = on_bool }
