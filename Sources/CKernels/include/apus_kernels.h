// The vector loops of Apus: plain functions over pointer, count and stride. No allocation, no threads, no state.
//
// Every family is written once and compiled for several instruction sets; the look-up functions below return the version
// for the instruction set in force. A look-up answers NULL where an operation does not exist for a dtype.
//
// Counts and strides are in elements. A stride may be 0 (broadcast) or negative (reversed view). An output may be exactly
// the same memory as an input (in place); any other overlap is the caller's mistake. Pointers need only the alignment of
// their element type.
#ifndef APUS_KERNELS_H
#define APUS_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// ---------------------------------------------------------------------------------------------- dtypes

// Same order as Swift's `DType`.
typedef enum {
  APUS_F32, APUS_F64, APUS_F16, APUS_BF16,
  APUS_I64, APUS_I32, APUS_I16, APUS_I8, APUS_U8, APUS_BOOL,
  APUS_DTYPE_COUNT
} apus_dtype;

// ---------------------------------------------------------------------------------------------- instruction sets

typedef enum { APUS_ISA_BASELINE, APUS_ISA_AVX2, APUS_ISA_AVX512, APUS_ISA_NEON, APUS_ISA_COUNT } apus_isa;

// Whether this machine can run `isa` (the baseline always; NEON on every arm64).
bool apus_isa_is_available(apus_isa isa);
// The best instruction set of this machine.
apus_isa apus_isa_best(void);
const char *apus_isa_name(apus_isa isa);

// ---------------------------------------------------------------------------------------------- element-wise, one input

// Float dtypes have all of these. Integers and bool have those that stay in the integers (neg abs sign square relu floor ceil
// round trunc bitwise_not, and the predicates); the caller converts to float for the rest. float16 and bfloat16 are computed
// in float32 and rounded to nearest even.
#define APUS_UNARY_OPS(X) \
  X(neg) X(abs) X(sign) X(square) X(reciprocal) X(sqrt) X(rsqrt) \
  X(exp) X(exp2) X(expm1) X(log) X(log2) X(log10) X(log1p) \
  X(sin) X(cos) X(tan) X(asin) X(acos) X(atan) \
  X(sinh) X(cosh) X(tanh) X(asinh) X(acosh) X(atanh) \
  X(erf) X(erfc) X(erfinv) X(sigmoid) X(relu) X(log_sigmoid) \
  X(floor) X(ceil) X(round) X(trunc) \
  X(bitwise_not) \
  X(logical_not) X(isnan) X(isinf) X(isfinite) /* these four write bool (one byte, 0 or 1) */

#define APUS_ENUM_CASE(name) APUS_UNARY_##name,
typedef enum { APUS_UNARY_OPS(APUS_ENUM_CASE) APUS_UNARY_COUNT } apus_unary_op;
#undef APUS_ENUM_CASE

typedef void (*apus_unary_kernel)(ptrdiff_t n, const void *x, ptrdiff_t sx, void *y, ptrdiff_t sy);
apus_unary_kernel apus_unary(apus_isa isa, apus_unary_op op, apus_dtype dtype);
const char *apus_unary_name(apus_unary_op op);

// ---------------------------------------------------------------------------------------------- element-wise, two inputs

// Both inputs have the dtype of the look-up. Arithmetic on bool: add = or, mul = and, maximum = or, minimum = and; sub, pow
// and the rest do not exist there. `div` exists for floats only. Integer overflow wraps. floor_divide and remainder round
// toward minus infinity (the sign of the divisor), fmod toward zero. For integers a zero divisor gives 0 (the caller checks
// beforehand). Integer pow with a negative exponent gives 0 unless the base is 1 or -1. maximum and minimum pass NaN on,
// fmax and fmin prefer the number.
#define APUS_BINARY_OPS(X) \
  X(add) X(sub) X(mul) X(div) X(pow) X(maximum) X(minimum) X(fmax) X(fmin) \
  X(atan2) X(floor_divide) X(remainder) X(fmod) \
  X(bitwise_and) X(bitwise_or) X(bitwise_xor) \
  X(eq) X(ne) X(lt) X(le) X(gt) X(ge) X(logical_and) X(logical_or) X(logical_xor) /* these nine write bool */

#define APUS_ENUM_CASE(name) APUS_BINARY_##name,
typedef enum { APUS_BINARY_OPS(APUS_ENUM_CASE) APUS_BINARY_COUNT } apus_binary_op;
#undef APUS_ENUM_CASE

typedef void (*apus_binary_kernel)(ptrdiff_t n, const void *a, ptrdiff_t sa, const void *b, ptrdiff_t sb, void *y, ptrdiff_t sy);
apus_binary_kernel apus_binary(apus_isa isa, apus_binary_op op, apus_dtype dtype);
const char *apus_binary_name(apus_binary_op op);

// ---------------------------------------------------------------------------------------------- selection, conversion, moving

// y = c ? a : b, for elements of `size` bytes (1, 2, 4, 8); c is bool.
typedef void (*apus_select_kernel)(
    ptrdiff_t n, const void *c, ptrdiff_t sc, const void *a, ptrdiff_t sa, const void *b, ptrdiff_t sb, void *y, ptrdiff_t sy);
apus_select_kernel apus_select(apus_isa isa, size_t size);

// Every pair of dtypes, the same dtype included. To bool: x != 0 (NaN is true). Float to integer truncates toward zero and
// saturates; NaN becomes 0. Integer to integer wraps. float64 to half types rounds once, to nearest even.
typedef void (*apus_cast_kernel)(ptrdiff_t n, const void *x, ptrdiff_t sx, void *y, ptrdiff_t sy);
apus_cast_kernel apus_cast(apus_isa isa, apus_dtype from, apus_dtype to);

// A strided matrix copy y[i, j] = x[i, j] for elements of `size` bytes, blocked so that neither side is walked against the
// cache; meant for transposes.
typedef void (*apus_copy2d_kernel)(
    ptrdiff_t rows, ptrdiff_t columns, const void *x, ptrdiff_t sx0, ptrdiff_t sx1, void *y, ptrdiff_t sy0, ptrdiff_t sy1);
apus_copy2d_kernel apus_copy2d(apus_isa isa, size_t size);

// ---------------------------------------------------------------------------------------------- reductions

// Accumulators: float for f32, f16, bf16; double for f64; int64_t for integers and bool. prod and sum of integers wrap.
// max and min pass NaN on. all and any test x != 0 and keep 0 or 1 in the accumulator type.
// square_sum is the sum of squares.
#define APUS_REDUCE_OPS(X) X(sum) X(prod) X(max) X(min) X(all) X(any) X(square_sum)

#define APUS_ENUM_CASE(name) APUS_REDUCE_##name,
typedef enum { APUS_REDUCE_OPS(APUS_ENUM_CASE) APUS_REDUCE_COUNT } apus_reduce_op;
#undef APUS_ENUM_CASE

// The neutral element of `op` for `dtype`, written to *acc (max: -inf or INT64_MIN, ...).
void apus_reduce_identity(apus_reduce_op op, apus_dtype dtype, void *acc);

// *acc = op(*acc, op over n elements of x). Sums run in at least 8 independent lanes and over blocks that are combined
// pairwise, in an order that depends only on n, so the rounding error grows like log n, not n.
typedef void (*apus_reduce_inner_kernel)(ptrdiff_t n, const void *x, ptrdiff_t sx, void *acc);
apus_reduce_inner_kernel apus_reduce_inner(apus_isa isa, apus_reduce_op op, apus_dtype dtype);

// acc[i] = op(acc[i], x[i]); acc is contiguous and of the accumulator type.
typedef void (*apus_reduce_rows_kernel)(ptrdiff_t n, const void *x, ptrdiff_t sx, void *acc);
apus_reduce_rows_kernel apus_reduce_rows(apus_isa isa, apus_reduce_op op, apus_dtype dtype);

// acc[i] = op(acc[i], other[i]) on accumulators, and y[i] = acc[i] converted to a dtype (both contiguous).
void apus_reduce_combine(apus_reduce_op op, apus_dtype dtype, ptrdiff_t n, void *acc, const void *other);
// scale multiplies before the conversion (1/n turns a sum into a mean); integers ignore it.
void apus_reduce_finish(apus_dtype dtype, ptrdiff_t n, const void *acc, double scale, apus_dtype to, void *y);

// Index of the first maximum or minimum of n > 0 elements; the first NaN wins over everything.
typedef int64_t (*apus_argreduce_kernel)(ptrdiff_t n, const void *x, ptrdiff_t sx);
apus_argreduce_kernel apus_argmax(apus_isa isa, apus_dtype dtype);
apus_argreduce_kernel apus_argmin(apus_isa isa, apus_dtype dtype);

// y[i] = x[0] + ... + x[i] (or the product) along one line; float16 and bfloat16 accumulate in float32.
typedef void (*apus_cumulative_kernel)(ptrdiff_t n, const void *x, ptrdiff_t sx, void *y, ptrdiff_t sy);
apus_cumulative_kernel apus_cumsum(apus_isa isa, apus_dtype dtype);
apus_cumulative_kernel apus_cumprod(apus_isa isa, apus_dtype dtype);

// ---------------------------------------------------------------------------------------------- softmax rows

// One row: y = softmax(x) or log softmax(x), stable. Float dtypes. y may be x.
typedef void (*apus_softmax_kernel)(ptrdiff_t n, const void *x, ptrdiff_t sx, void *y, ptrdiff_t sy);
apus_softmax_kernel apus_softmax(apus_isa isa, apus_dtype dtype);
apus_softmax_kernel apus_log_softmax(apus_isa isa, apus_dtype dtype);

// ---------------------------------------------------------------------------------------------- matrix product

// Blocked product on packed operands (float32 and float64). The caller chooses blocks, packs them and calls `block`:
//   A block: mc x kc, packed in panels of `mr` rows    (panel p, column k, row r at p*mr*kc + k*mr + r; rows past mc are 0)
//   B block: kc x nc, packed in panels of `nr` columns (panel q, row k, column c at q*nr*kc + k*nr + c; columns past nc are 0)
typedef struct {
  ptrdiff_t mr, nr;      // the tile that the micro-kernel computes
  ptrdiff_t mc, nc, kc;  // good block sizes for the caches (mc a multiple of mr, nc of nr)
  void (*pack_a)(ptrdiff_t mc, ptrdiff_t kc, const void *a, ptrdiff_t row_stride, ptrdiff_t column_stride, void *packed);
  void (*pack_b)(ptrdiff_t kc, ptrdiff_t nc, const void *b, ptrdiff_t row_stride, ptrdiff_t column_stride, void *packed);
  // C (row-major with row stride ldc) = A B, or += with `accumulate`. bias (nc numbers, may be NULL) is added to every row.
  void (*block)(ptrdiff_t mc, ptrdiff_t nc, ptrdiff_t kc, const void *packed_a, const void *packed_b, void *c, ptrdiff_t ldc,
                bool accumulate, const void *bias);
} apus_gemm_kernels;
// NULL for dtypes other than f32 and f64.
const apus_gemm_kernels *apus_gemm(apus_isa isa, apus_dtype dtype);

// Small products without packing, any strides: C = A B. Every dtype; float16 and bfloat16 accumulate in float32, integers
// wrap, bool is or of and. C is row-major with row stride ldc. Fast when B's columns (or A's and B's inner axis) are contiguous.
typedef void (*apus_small_gemm_kernel)(
    ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, const void *a, ptrdiff_t a_row, ptrdiff_t a_column, const void *b, ptrdiff_t b_row,
    ptrdiff_t b_column, void *c, ptrdiff_t ldc);
apus_small_gemm_kernel apus_small_gemm(apus_isa isa, apus_dtype dtype);

// ---------------------------------------------------------------------------------------------- random numbers

// Philox 4x32-10 (Salmon et al. 2011). Element i of a fill is a pure function of (key, counter, i): the block with counter words
// (counter + i/4 low, counter + i/4 high, 0, 0) under `key` gives the four 32-bit words of elements 4*(i/4) ... 4*(i/4)+3 (64-bit
// quantities use blocks of two). `first` is the index of the first element written, so that a fill can be cut anywhere.
void apus_philox_block(uint64_t key, uint64_t counter, uint32_t out[4]);
void apus_random_bits32(uint64_t key, uint64_t counter, ptrdiff_t first, ptrdiff_t n, uint32_t *out);
void apus_random_bits64(uint64_t key, uint64_t counter, ptrdiff_t first, ptrdiff_t n, uint64_t *out);
// [0, 1): the top 24 (53) bits.
void apus_random_uniform_f32(uint64_t key, uint64_t counter, ptrdiff_t first, ptrdiff_t n, float *out);
void apus_random_uniform_f64(uint64_t key, uint64_t counter, ptrdiff_t first, ptrdiff_t n, double *out);
// N(0, 1) by Box and Muller, from one block for a pair-wise group of four (f32) or two (f64) elements.
void apus_random_normal_f32(uint64_t key, uint64_t counter, ptrdiff_t first, ptrdiff_t n, float *out);
void apus_random_normal_f64(uint64_t key, uint64_t counter, ptrdiff_t first, ptrdiff_t n, double *out);

// ---------------------------------------------------------------------------------------------- parameter updates

// One optimizer step over n contiguous parameters, in place: the arithmetic of PyTorch's torch.optim.SGD and Adam/AdamW.
typedef struct {
  double lr, momentum, dampening, weight_decay;
  bool nesterov, maximize;
  bool first;  // the momentum buffer is uninitialised: buf = g
} apus_sgd_options;
// buf may be NULL when momentum is 0. dtype f32 or f64.
void apus_sgd(apus_isa isa, apus_dtype dtype, ptrdiff_t n, void *p, const void *g, void *buf, const apus_sgd_options *o);

typedef struct {
  double lr, beta1, beta2, eps, weight_decay;
  double bias1, bias2;  // 1 - beta^t
  bool decoupled;       // AdamW: p *= 1 - lr * weight_decay
  bool maximize;
} apus_adam_options;
// vmax may be NULL (no amsgrad). dtype f32 or f64.
void apus_adam(
    apus_isa isa, apus_dtype dtype, ptrdiff_t n, void *p, const void *g, void *m, void *v, void *vmax, const apus_adam_options *o);

#endif
