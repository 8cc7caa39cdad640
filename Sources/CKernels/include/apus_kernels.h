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

typedef enum {
  APUS_ISA_BASELINE, APUS_ISA_AVX2, APUS_ISA_AVX512,
  APUS_ISA_AVX512_BF16,  // AVX-512, and products of bfloat16 in pairs
  APUS_ISA_NEON, APUS_ISA_COUNT
} apus_isa;

// Whether this machine can run `isa` (the baseline always; NEON on every arm64).
bool apus_isa_is_available(apus_isa isa);
// The best instruction set of this machine.
apus_isa apus_isa_best(void);
const char *apus_isa_name(apus_isa isa);

// What a loop that waits for another thread does between two looks: leaves the core to its other half for some tens of nanoseconds.
static inline void apus_pause(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

// ---------------------------------------------------------------------------------------------- element-wise, one input

// Float dtypes have all of these. Integers and bool have those that stay in the integers (neg abs sign square relu floor ceil
// round trunc bitwise_not, and the predicates); the caller converts to float for the rest. float16 and bfloat16 are computed
// in float32 and rounded to nearest even.
#define APUS_UNARY_OPS(X) \
  X(neg) X(abs) X(sign) X(square) X(reciprocal) X(sqrt) X(rsqrt) \
  X(exp) X(exp2) X(expm1) X(log) X(log2) X(log10) X(log1p) \
  X(sin) X(cos) X(tan) X(asin) X(acos) X(atan) \
  X(sinh) X(cosh) X(tanh) X(asinh) X(acosh) X(atanh) \
  X(erf) X(erfc) X(erfinv) X(sigmoid) X(relu) X(log_sigmoid) X(gelu) X(gelu_slope) \
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
// fmax and fmin prefer the number. relu_gradient is a, or 0 where b is not above 0 (a where b is NaN), of floats; so are
// tanh_gradient, a (1 - b b), and sigmoid_gradient, a b (1 - b).
#define APUS_BINARY_OPS(X) \
  X(add) X(sub) X(mul) X(div) X(pow) X(maximum) X(minimum) X(fmax) X(fmin) \
  X(atan2) X(floor_divide) X(remainder) X(fmod) X(relu_gradient) X(tanh_gradient) X(sigmoid_gradient) \
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

// Copies n bytes (zeros where x is NULL) to memory past the caches, which saves reading the old content of lines that are written
// whole; meant for results that no cache holds. Before other threads read them, whoever wrote calls `apus_stream_end`.
typedef void (*apus_stream_kernel)(ptrdiff_t n, const void *x, void *y);
apus_stream_kernel apus_stream(apus_isa isa);
void apus_stream_end(void);

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

// ---------------------------------------------------------------------------------------------- pooling

// A window that slides over one image of up to three axes (depth, height, width; missing ones have size, kernel and stride 1).
// Every window has a tap in the input.
typedef struct {
  ptrdiff_t input[3], output[3];
  ptrdiff_t kernel[3], stride[3], padding[3], dilation[3];
  // Averages: what to divide by, or 0 for the taps in the input (and, with count_padding, those in the padding).
  double divisor;
  bool count_padding;
} apus_pool_window;

// Rows of outputs (of depth x height of them), from `first_row`, of one image whose neighbouring pixels lie `pixel` elements
// apart: 1 for one channel at a time (`channels` is 1), more for `channels` of the `pixel` channels of a channels-last image. y
// points at the first of these rows. `indices` (may be NULL) get each maximum's pixel, row-major; of equal maxima the first,
// and NaN is greater than everything. dtype f32 or f64.
typedef void (*apus_max_pool_kernel)(
    const apus_pool_window *w, ptrdiff_t first_row, ptrdiff_t rows, ptrdiff_t pixel, ptrdiff_t channels, const void *x, void *y,
    int32_t *indices);
apus_max_pool_kernel apus_max_pool(apus_isa isa, apus_dtype dtype);
typedef void (*apus_avg_pool_kernel)(
    const apus_pool_window *w, ptrdiff_t first_row, ptrdiff_t rows, ptrdiff_t pixel, ptrdiff_t channels, const void *x, void *y);
apus_avg_pool_kernel apus_avg_pool(apus_isa isa, apus_dtype dtype);

// The gradients by the input, for a whole image; dx is overwritten.
typedef void (*apus_max_pool_backward_kernel)(
    const apus_pool_window *w, ptrdiff_t pixel, ptrdiff_t channels, const void *dy, const int32_t *indices, void *dx);
apus_max_pool_backward_kernel apus_max_pool_backward(apus_isa isa, apus_dtype dtype);
typedef void (*apus_avg_pool_backward_kernel)(
    const apus_pool_window *w, ptrdiff_t pixel, ptrdiff_t channels, const void *dy, void *dx);
apus_avg_pool_backward_kernel apus_avg_pool_backward(apus_isa isa, apus_dtype dtype);

// A sparse matrix times a matrix of contiguous rows: row `first` + i of the result, written at y + i * width, is the sum of
// weights[t] times row columns[t] of x over t in starts[first + i] ..< starts[first + i + 1]. dtype f32 or f64.
typedef void (*apus_sparse_rows_kernel)(
    ptrdiff_t first, ptrdiff_t rows, ptrdiff_t width, const int32_t *starts, const int32_t *columns, const double *weights,
    const void *x, void *y);
apus_sparse_rows_kernel apus_sparse_rows(apus_isa isa, apus_dtype dtype);

// ---------------------------------------------------------------------------------------------- normalization

// z = (x - mean) / sqrt(variance + eps) over numbers that share statistics, y = z w + b, and the gradients. float32 and float64;
// weights have the dtype of x. Statistics are doubles, stable for any mean; variances are biased (divided by n).
typedef struct {
  // Rows of n contiguous numbers, each with its own statistics; w and b: n. Not `centered`: the mean is taken for 0 (RMS).
  void (*rows)(ptrdiff_t rows, ptrdiff_t n, const void *x, const void *w, const void *b, double eps, bool centered, void *y,
               double *mean, double *variance);
  // dx; dw and db (n numbers each) are added to, db only where `centered`.
  void (*rows_gradient)(ptrdiff_t rows, ptrdiff_t n, const void *dy, const void *x, const void *w, double eps, bool centered,
                        const double *mean, const double *variance, void *dx, void *dw, void *db);
  // One group: planes of n contiguous numbers, `stride` apart, that share statistics. Weights of plane p: w[p * step], b[p * step].
  void (*planes)(ptrdiff_t planes, ptrdiff_t stride, ptrdiff_t n, const void *x, const void *w, const void *b, ptrdiff_t step,
                 double eps, void *y, double *mean, double *variance);
  // dx; dw and db of every plane.
  void (*planes_gradient)(ptrdiff_t planes, ptrdiff_t stride, ptrdiff_t n, const void *dy, const void *x, const void *w,
                          ptrdiff_t step, double eps, double mean, double variance, void *dx, double *dw, double *db);
  // Columns of a contiguous matrix. Mean and sum of squared deviations (m2) of each; up to some hundred rows, which are added up
  // in the dtype.
  void (*columns_moments)(ptrdiff_t rows, ptrdiff_t columns, const void *x, double *mean, double *m2);
  // Joins the moments of n more rows to those of `count` rows.
  void (*join_columns)(ptrdiff_t columns, double count, double *mean, double *m2, double n, const double *other_mean,
                       const double *other_m2);
  // y = (x - mean) scale + shift.
  void (*columns)(ptrdiff_t rows, ptrdiff_t columns, const void *x, const double *mean, const double *scale,
                  const double *shift, void *y);
  // g = sum dy and gd = sum dy (x - mean); up to some hundred rows.
  void (*columns_sums)(ptrdiff_t rows, ptrdiff_t columns, const void *dy, const void *x, const double *mean, double *g,
                       double *gd);
  // dx = a dy + b (x - mean) + c.
  void (*columns_gradient)(ptrdiff_t rows, ptrdiff_t columns, const void *dy, const void *x, const double *mean,
                           const double *a, const double *b, const double *c, void *dx);
  // y = (x - mean) scale + shift for one line.
  void (*line)(ptrdiff_t n, const void *x, double mean, double scale, double shift, void *y);
} apus_norm_kernels;
// NULL for dtypes other than f32 and f64.
const apus_norm_kernels *apus_norm(apus_isa isa, apus_dtype dtype);

// ---------------------------------------------------------------------------------------------- cross-entropy rows

// One row of logits with one right class, label: the loss (one element of the dtype) and what its gradient needs, two accumulators. Float
// dtypes. With smoothing the target is smoothing / n for every class and 1 - smoothing more for the right one.
typedef void (*apus_cross_entropy_kernel)(
    ptrdiff_t n, const void *x, ptrdiff_t sx, ptrdiff_t label, double smoothing, void *loss, void *statistics);
apus_cross_entropy_kernel apus_cross_entropy(apus_isa isa, apus_dtype dtype);
// y = scale (softmax(x) - target)
typedef void (*apus_cross_entropy_gradient_kernel)(
    ptrdiff_t n, const void *x, ptrdiff_t sx, ptrdiff_t label, double smoothing, const void *statistics, double scale, void *y,
    ptrdiff_t sy);
apus_cross_entropy_gradient_kernel apus_cross_entropy_gradient(apus_isa isa, apus_dtype dtype);

// ---------------------------------------------------------------------------------------------- matrix product

// Blocked product on packed operands, for float dtypes. `block` writes sums: float32 for half types, else the dtype. What is packed are
// units of `unit` neighbours in k: a number as it is summed (half types are packed as float32), or two bfloat16 for instructions that
// multiply pairs; of an odd count the last pair ends with 0. The caller chooses blocks, packs them and calls `block`. With u = kc / unit, rounded up:
//   A block: mc x kc, packed in panels of `mr` rows    (panel p, unit k, row r at p*mr*u + k*mr + r; rows past mc are 0)
//   B block: kc x nc, packed in panels of `nr` columns (panel q, unit k, column c at q*nr*u + k*nr + c; columns past nc are 0)
typedef struct {
  ptrdiff_t mr, nr;           // the tile that the micro-kernel computes
  ptrdiff_t unit, unit_size;  // numbers in a unit, and its bytes
  ptrdiff_t mc, nc, kc;       // good block sizes for the caches (mc a multiple of mr, nc of nr, kc of unit)
  void (*pack_a)(ptrdiff_t mc, ptrdiff_t kc, const void *a, ptrdiff_t row_stride, ptrdiff_t column_stride, void *packed);
  void (*pack_b)(ptrdiff_t kc, ptrdiff_t nc, const void *b, ptrdiff_t row_stride, ptrdiff_t column_stride, void *packed);
  // C (row-major with row stride ldc) = A B, or += with `accumulate`. bias (nc sums, may be NULL) is added to every row.
  void (*block)(ptrdiff_t mc, ptrdiff_t nc, ptrdiff_t kc, const void *packed_a, const void *packed_b, void *c, ptrdiff_t ldc,
                bool accumulate, const void *bias);
  // The same with A where it is, row-major with row stride lda; at least mr rows lie there up to the last of these. kc and lda are
  // multiples of `unit`. NULL where what is packed is not what lies in memory.
  void (*rows)(ptrdiff_t mc, ptrdiff_t nc, ptrdiff_t kc, const void *a, ptrdiff_t lda, const void *packed_b, void *c,
               ptrdiff_t ldc, bool accumulate, const void *bias);
} apus_gemm_kernels;
// NULL for integers and bool.
const apus_gemm_kernels *apus_gemm(apus_isa isa, apus_dtype dtype);

// Small products without packing, any strides: C = A B. Every dtype; float16 and bfloat16 accumulate in float32, integers
// wrap, bool is or of and. C is row-major with row stride ldc. Fast when B's columns (or A's and B's inner axis) are contiguous.
typedef void (*apus_small_gemm_kernel)(
    ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, const void *a, ptrdiff_t a_row, ptrdiff_t a_column, const void *b, ptrdiff_t b_row,
    ptrdiff_t b_column, void *c, ptrdiff_t ldc);
apus_small_gemm_kernel apus_small_gemm(apus_isa isa, apus_dtype dtype);

// ---------------------------------------------------------------------------------------------- factorizations

// What factorizations of matrices do to rows of n float32 or float64 numbers, beside matrix products. Rows are different or the same.
typedef struct {
  // The sum of x y.
  double (*dot)(ptrdiff_t n, const void *x, const void *y);
  // y += a x
  void (*axpy)(ptrdiff_t n, double a, const void *x, void *y);
  // x becomes c x - s y, and y becomes s x + c y.
  void (*rotate)(ptrdiff_t n, double c, double s, void *x, void *y);
  // r += a x + b y; returns the sum of r z.
  double (*update)(ptrdiff_t n, double a, const void *x, double b, const void *y, const void *z, void *r);
} apus_row_kernels;
// NULL for other dtypes.
const apus_row_kernels *apus_rows(apus_isa isa, apus_dtype dtype);

// ---------------------------------------------------------------------------------------------- attention

// What blocked attention needs beside packing (float32 and float64); see families/attention.h. A panel has a row for each key and
// the `nr` lanes of apus_gemm for as many queries; `rows` is a multiple of `mr`.
typedef struct {
  ptrdiff_t keys;      // rows that are keys; the others count as hidden
  ptrdiff_t diagonal;  // lane c sees the keys 0 ... c + diagonal
  const void *bias;    // a panel to add to the scores, or NULL
  const float *draws;  // dropout: a panel of numbers in [0, 1), or NULL; a weight whose number is below `dropped` becomes 0,
  float dropped;       // the others are multiplied by `kept_scale`
  double kept_scale;
} apus_attention_panel;
typedef struct {
  // Scores become exp(score - max), where max (a number for each lane, as sum) takes in these keys; their sum is added to `sum`.
  // What was summed up with the old maximum, `sum` and the out_rows x nr numbers of `out`, is scaled to the new one.
  void (*weights)(ptrdiff_t rows, void *scores, const apus_attention_panel *panel, void *max, void *sum, ptrdiff_t out_rows,
                  void *out);
  // out /= sum, and log_sum = max + log sum. A lane that saw no key: out = 0, log_sum = inf.
  void (*finish)(ptrdiff_t out_rows, void *out, const void *max, const void *sum, void *log_sum);
  // dots[lane] = sum over the rows of a b.
  void (*dots)(ptrdiff_t rows, const void *a, const void *b, void *dots);
  // Scores become weights p (after dropout), and their gradients dp before the softmax become those after it, p (dp - dots).
  void (*gradients)(ptrdiff_t rows, void *scores, void *dp, const apus_attention_panel *panel, const void *log_sum,
                    const void *dots);
  // C (rows x nr) = A B, or += with `accumulate`. A is packed as for apus_gemm, its panels a_panel numbers apart; B is kc x nr.
  void (*product)(ptrdiff_t rows, ptrdiff_t kc, const void *a, ptrdiff_t a_panel, const void *b, void *c, bool accumulate);
  // C (rows x columns, row-major) += A B. A is a panel of which kc lanes are used; B is kc x columns, packed as for apus_gemm, and
  // columns a multiple of nr.
  void (*outer)(ptrdiff_t rows, ptrdiff_t columns, ptrdiff_t kc, const void *a, const void *b, void *c);
} apus_attention_kernels;
// NULL for dtypes other than f32 and f64.
const apus_attention_kernels *apus_attention(apus_isa isa, apus_dtype dtype);

// ---------------------------------------------------------------------------------------------- convolution

// Target pixels of one sweep over up to three spatial axes, and where each reads: source pixel = target pixel * step + offset of the
// tap, along each axis. Offsets and sizes count pixels, strides bytes; entry 0 of `count` and of the strides is the images.
typedef struct {
  ptrdiff_t count[4];
  ptrdiff_t step[3], size[3];
  ptrdiff_t source[4], target[4];
} apus_conv_grid;

// What becomes of a finished sum on its way to memory: z = sum * scale[j] + bias[j] + residual, and max(z, 0) if `is_rectified`. What is
// NULL is left out. `residual` is the image's that is added, of the target's layout, for the target pixel at `target`.
typedef struct {
  const void *scale, *bias, *residual;
  const void *target;
  bool is_rectified;
} apus_conv_ending;

// float32 and float64. A pixel is the address of its first channel; the channels of a pixel are contiguous.
typedef struct {
  ptrdiff_t rows, columns, lanes;  // the tile of `multiply`; columns come in blocks of `columns`, the last of `lanes` if that suffices
  ptrdiff_t step;                  // pixels that are left below a tile are computed in multiples of `step`
  ptrdiff_t together;              // pixels in a panel of `depthwise`
  ptrdiff_t narrow;                // up to so many columns may be computed with lanes along the depth instead (`is_narrow`)
  // The source of each of `count` target pixels from the first-th on, for each tap (offsets: three for a tap), in panels:
  // x[panel][tap][pixel]. Sources outside, and pixels past the end of the last panel, are `zeros`.
  void (*sources)(const apus_conv_grid *grid, ptrdiff_t first, ptrdiff_t count, ptrdiff_t panel, ptrdiff_t taps,
                  const ptrdiff_t *offsets, const void *source, const void *zeros, const void **x);
  void (*targets)(const apus_conv_grid *grid, ptrdiff_t first, ptrdiff_t count, void *target, void **y);
  // Weights [tap][depth][n] with any strides into blocks of columns; taps * depth * (n rounded up to `lanes` or `columns`) numbers.
  void (*pack)(bool is_narrow, ptrdiff_t taps, ptrdiff_t depth, ptrdiff_t n, const void *w, const ptrdiff_t *tap_offsets,
               ptrdiff_t depth_stride, ptrdiff_t column_stride, void *packed);
  // y_p[j] = sum over taps t and k < depth of x_tp[k] w[t][k][j], ended as `ending` (may be NULL) says. x in panels of `rows`.
  void (*multiply)(bool is_narrow, ptrdiff_t count, ptrdiff_t n, ptrdiff_t taps, ptrdiff_t depth, const void *const *x,
                   const void *packed, void *const *y, const apus_conv_ending *ending);
  // The first n channels of `count` pixels into blocks of columns, for `accumulate`.
  void (*pack_lines)(ptrdiff_t count, ptrdiff_t n, void *const *pixels, void *packed);
  // c[i][j] += sum over p < count of x_p[i] y_line[p][j] for i < m, j < n; `packed` holds `lines` lines.
  void (*accumulate)(ptrdiff_t count, ptrdiff_t lines, ptrdiff_t m, ptrdiff_t n, const void *const *x, const int32_t *line,
                     const void *packed, void *c, ptrdiff_t ldc);
  // Channel by channel: y_p[c] = sum over taps of x_tp[c] w[t][c], plus bias[c]. x in panels of `together`.
  void (*depthwise)(ptrdiff_t count, ptrdiff_t channels, ptrdiff_t taps, const void *const *x, const void *w, void *const *y,
                    const void *bias);
  // c[i] += sum over p < count of x_p[i] y_p[i].
  void (*depthwise_sum)(ptrdiff_t count, ptrdiff_t channels, const void *const *x, const void *const *y, void *c);
} apus_conv_kernels;
// NULL for dtypes other than f32 and f64.
const apus_conv_kernels *apus_conv(apus_isa isa, apus_dtype dtype);

// ---------------------------------------------------------------------------------------------- Winograd's convolution

// Channels-last images of float32: distances in numbers from image to image, row to row, pixel to pixel.
typedef struct { ptrdiff_t image, row, pixel, height, width; } apus_winograd_image;

// A convolution of 3x3 with stride 1 in tiles of 4x4 target pixels, `rows` x `columns` of them in an image. Source pixel = target pixel +
// offset for the first tap.
typedef struct {
  ptrdiff_t rows, columns, offset[2];
  apus_winograd_image source, target;
} apus_winograd_grid;

// F(4x4, 3x3) for float32. A tile is taken to its values at 36 places, whose planes lie `step` numbers apart. All numbers of channels are
// multiples of 16, and `zeros` are as many zeros, which stand for pixels outside.
typedef struct {
  // v[place][i][channels]: the values of the source of tile first + i, for i < count.
  void (*source)(const apus_winograd_grid *grid, ptrdiff_t first, ptrdiff_t count, ptrdiff_t channels, const float *x,
                 const float *zeros, float *v, ptrdiff_t step);
  // u[place][count] from weights w[9][count].
  void (*weights)(ptrdiff_t count, const float *w, float *u, ptrdiff_t step);
  // Tiles of the target from m[place][i][channels], the products of those two, ended as `ending` (may be NULL) says. False if a sum is infinite or NaN,
  // in which case its neighbours may be too.
  bool (*target)(const apus_winograd_grid *grid, ptrdiff_t first, ptrdiff_t count, ptrdiff_t channels, const float *m, ptrdiff_t step,
                 const apus_conv_ending *ending, float *y);
  // For the gradient of the weights: the values of the target of tile first + i, as lines place + i of `lines` that are packed for
  // `accumulate` of apus_conv_kernels.
  void (*target_values)(const apus_winograd_grid *grid, ptrdiff_t first, ptrdiff_t count, ptrdiff_t channels, const float *dy,
                        const float *zeros, float *w, ptrdiff_t step, ptrdiff_t place, ptrdiff_t lines);
  // w[9][count], `tap` apart, from the sums u[place][count] of products of source and target values. False as with `target`.
  bool (*weight_gradient)(ptrdiff_t count, const float *u, ptrdiff_t step, float *w, ptrdiff_t tap);
} apus_winograd_kernels;
const apus_winograd_kernels *apus_winograd(apus_isa isa);

// ---------------------------------------------------------------------------------------------- recurrent cells

// What a recurrent step does between its matrix products. Gates: lstm input, forget, cell, output; gru reset, update, new.
typedef enum { APUS_CELL_TANH, APUS_CELL_RELU, APUS_CELL_LSTM, APUS_CELL_GRU, APUS_CELL_COUNT } apus_cell;

// A block of `rows` sequences and at most 64 of a layer's `hidden` units. Pointers are to the first row's first unit; rows lie one
// after the other, each of so many lines of `hidden` units: [gates] one line per gate, [1] one, [4] four.
typedef struct {
  ptrdiff_t rows, units, hidden;
  const void *x;         // [gates] from the inputs, with biases
  const void *s;         // [gates] from the state
  const void *bias;      // gru: `units` numbers added to the third line of s, or NULL
  void *h, *c;           // [1] the state, replaced; c lstm only
  void *y;               // [1] the new h once more
  void *saved;           // [4] what backward needs: lstm its gates; gru its gates and s + bias of the third; or NULL
  void *h_old, *c_old;   // [1] the state as it was, or NULL
} apus_cell_forward_block;

typedef struct {
  ptrdiff_t rows, units, hidden;
  const void *dy, *y;          // [1] gradient of the step's output, and the output (tanh and relu)
  void *dh;                    // [1] gradient of the state from later steps; gru replaces it by the part that passes by the products
  void *dc;                    // [1] lstm: the same of c, replaced
  const void *saved;           // [4]
  const void *h_old, *c_old;   // [1] gru; lstm
  void *dx;                    // [gates] gradient of x
  void *ds;                    // [gates] gru: gradient of s; the others' is dx
} apus_cell_backward_block;

// dtype f32 or f64.
void apus_cell_forward(apus_isa isa, apus_dtype dtype, apus_cell cell, const apus_cell_forward_block *block);
void apus_cell_backward(apus_isa isa, apus_dtype dtype, apus_cell cell, const apus_cell_backward_block *block);

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
