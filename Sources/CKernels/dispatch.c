// The public functions: which instruction sets there are, the look-ups into the tables of the isa_*.c files, and the few jobs
// too small to be compiled per instruction set. Nothing is cached or initialised; the machine is asked every time, which
// costs a load and a test.
#include "families/table.h"

#define APUS_HARDWARE_F16 0
#include "families/basics.h"
#include "families/convert.h"

// ------------------------------------------------------------------------------------------ instruction sets

bool apus_isa_is_available(apus_isa isa) {
  if (isa == APUS_ISA_BASELINE) return true;
#if APUS_X86
  __builtin_cpu_init();
  if (isa == APUS_ISA_AVX2)
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
  if (isa == APUS_ISA_AVX512)
    return apus_isa_is_available(APUS_ISA_AVX2) && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  if (isa == APUS_ISA_AVX512_BF16) return apus_isa_is_available(APUS_ISA_AVX512) && __builtin_cpu_supports("avx512bf16");
#endif
#if APUS_ARM64
  if (isa == APUS_ISA_NEON) return true;
#endif
  return false;
}

apus_isa apus_isa_best(void) {
  for (int isa = APUS_ISA_COUNT - 1; isa > APUS_ISA_BASELINE; isa--)
    if (apus_isa_is_available((apus_isa)isa)) return (apus_isa)isa;
  return APUS_ISA_BASELINE;
}

const char *apus_isa_name(apus_isa isa) {
  switch (isa) {
  case APUS_ISA_BASELINE: return "baseline";
  case APUS_ISA_AVX2: return "avx2";
  case APUS_ISA_AVX512: return "avx512";
  case APUS_ISA_AVX512_BF16: return "avx512_bf16";
  case APUS_ISA_NEON: return "neon";
  case APUS_ISA_COUNT: break;
  }
  return "unknown";
}

// The table of an instruction set, NULL where this build has none. Whether the machine can run it is the caller's question.
static const apus_kernel_table *table(apus_isa isa) {
  switch (isa) {
  case APUS_ISA_BASELINE: return &apus_table_baseline;
#if APUS_X86
  case APUS_ISA_AVX2: return &apus_table_avx2;
  case APUS_ISA_AVX512: case APUS_ISA_AVX512_BF16: return &apus_table_avx512;
#endif
#if APUS_ARM64
  case APUS_ISA_NEON: return &apus_table_neon;
#endif
  default: return NULL;
  }
}

// ------------------------------------------------------------------------------------------ look-ups

#define IN_RANGE(value, count) ((unsigned)(value) < (unsigned)(count))

apus_unary_kernel apus_unary(apus_isa isa, apus_unary_op op, apus_dtype dtype) {
  const apus_kernel_table *t = table(isa);
  return t && IN_RANGE(op, APUS_UNARY_COUNT) && IN_RANGE(dtype, APUS_DTYPE_COUNT) ? t->unary[op][dtype] : NULL;
}
apus_binary_kernel apus_binary(apus_isa isa, apus_binary_op op, apus_dtype dtype) {
  const apus_kernel_table *t = table(isa);
  return t && IN_RANGE(op, APUS_BINARY_COUNT) && IN_RANGE(dtype, APUS_DTYPE_COUNT) ? t->binary[op][dtype] : NULL;
}
apus_cast_kernel apus_cast(apus_isa isa, apus_dtype from, apus_dtype to) {
  const apus_kernel_table *t = table(isa);
  return t && IN_RANGE(from, APUS_DTYPE_COUNT) && IN_RANGE(to, APUS_DTYPE_COUNT) ? t->cast[from][to] : NULL;
}

static int log2_of_size(size_t size) { return size == 1 ? 0 : size == 2 ? 1 : size == 4 ? 2 : size == 8 ? 3 : -1; }

apus_select_kernel apus_select(apus_isa isa, size_t size) {
  const apus_kernel_table *t = table(isa);
  int i = log2_of_size(size);
  return t && i >= 0 ? t->select[i] : NULL;
}
apus_copy2d_kernel apus_copy2d(apus_isa isa, size_t size) {
  const apus_kernel_table *t = table(isa);
  int i = log2_of_size(size);
  return t && i >= 0 ? t->copy2d[i] : NULL;
}
apus_stream_kernel apus_stream(apus_isa isa) {
  const apus_kernel_table *t = table(isa);
  return t ? t->stream : NULL;
}
void apus_stream_end(void) {
#if APUS_X86
  __builtin_ia32_sfence();
#else
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
#endif
}

apus_reduce_inner_kernel apus_reduce_inner(apus_isa isa, apus_reduce_op op, apus_dtype dtype) {
  const apus_kernel_table *t = table(isa);
  return t && IN_RANGE(op, APUS_REDUCE_COUNT) && IN_RANGE(dtype, APUS_DTYPE_COUNT) ? t->reduce_inner[op][dtype] : NULL;
}
apus_reduce_rows_kernel apus_reduce_rows(apus_isa isa, apus_reduce_op op, apus_dtype dtype) {
  const apus_kernel_table *t = table(isa);
  return t && IN_RANGE(op, APUS_REDUCE_COUNT) && IN_RANGE(dtype, APUS_DTYPE_COUNT) ? t->reduce_rows[op][dtype] : NULL;
}

#define LOOK_UP(function, kernel, field) \
  kernel function(apus_isa isa, apus_dtype dtype) { \
    const apus_kernel_table *t = table(isa); \
    return t && IN_RANGE(dtype, APUS_DTYPE_COUNT) ? t->field[dtype] : NULL; \
  }
LOOK_UP(apus_argmax, apus_argreduce_kernel, argmax)
LOOK_UP(apus_argmin, apus_argreduce_kernel, argmin)
LOOK_UP(apus_cumsum, apus_cumulative_kernel, cumsum)
LOOK_UP(apus_cumprod, apus_cumulative_kernel, cumprod)
LOOK_UP(apus_softmax, apus_softmax_kernel, softmax)
LOOK_UP(apus_log_softmax, apus_softmax_kernel, log_softmax)
LOOK_UP(apus_cross_entropy, apus_cross_entropy_kernel, cross_entropy)
LOOK_UP(apus_cross_entropy_gradient, apus_cross_entropy_gradient_kernel, cross_entropy_gradient)
LOOK_UP(apus_max_pool, apus_max_pool_kernel, max_pool)
LOOK_UP(apus_avg_pool, apus_avg_pool_kernel, avg_pool)
LOOK_UP(apus_max_pool_backward, apus_max_pool_backward_kernel, max_pool_backward)
LOOK_UP(apus_avg_pool_backward, apus_avg_pool_backward_kernel, avg_pool_backward)
LOOK_UP(apus_sparse_rows, apus_sparse_rows_kernel, sparse_rows)
LOOK_UP(apus_small_gemm, apus_small_gemm_kernel, small_gemm)

const apus_gemm_kernels *apus_gemm(apus_isa isa, apus_dtype dtype) {
#if APUS_X86
  if (isa == APUS_ISA_AVX512_BF16 && dtype == APUS_BF16) return &apus_gemm_avx512_bf16;
#endif
  const apus_kernel_table *t = table(isa);
  return t && IN_RANGE(dtype, APUS_BF16 + 1) ? &t->gemm[dtype] : NULL;
}

const apus_row_kernels *apus_rows(apus_isa isa, apus_dtype dtype) {
  const apus_kernel_table *t = table(isa);
  return t && (dtype == APUS_F32 || dtype == APUS_F64) ? &t->rows[dtype == APUS_F64] : NULL;
}

const apus_attention_kernels *apus_attention(apus_isa isa, apus_dtype dtype) {
  const apus_kernel_table *t = table(isa);
  return t && (dtype == APUS_F32 || dtype == APUS_F64) ? &t->attention[dtype == APUS_F64] : NULL;
}

const apus_conv_kernels *apus_conv(apus_isa isa, apus_dtype dtype) {
  const apus_kernel_table *t = table(isa);
  return t && (dtype == APUS_F32 || dtype == APUS_F64) ? &t->conv[dtype == APUS_F64] : NULL;
}
const apus_winograd_kernels *apus_winograd(apus_isa isa) {
  const apus_kernel_table *t = table(isa);
  return t ? &t->winograd : NULL;
}

const apus_norm_kernels *apus_norm(apus_isa isa, apus_dtype dtype) {
  const apus_kernel_table *t = table(isa);
  return t && (dtype == APUS_F32 || dtype == APUS_F64) ? &t->norm[dtype == APUS_F64] : NULL;
}

#define NAME_CASE(name) #name,
const char *apus_unary_name(apus_unary_op op) {
  static const char *const names[] = {APUS_UNARY_OPS(NAME_CASE)};
  return IN_RANGE(op, APUS_UNARY_COUNT) ? names[op] : "unknown";
}
const char *apus_binary_name(apus_binary_op op) {
  static const char *const names[] = {APUS_BINARY_OPS(NAME_CASE)};
  return IN_RANGE(op, APUS_BINARY_COUNT) ? names[op] : "unknown";
}

// ------------------------------------------------------------------------------------------ accumulators

// float for f32, f16, bf16; double for f64; int64_t for the rest.
typedef enum { ACC_FLOAT, ACC_DOUBLE, ACC_INT } accumulator;
static accumulator accumulator_of(apus_dtype dtype) {
  switch (dtype) {
  case APUS_F32: case APUS_F16: case APUS_BF16: return ACC_FLOAT;
  case APUS_F64: return ACC_DOUBLE;
  default: return ACC_INT;
  }
}

void apus_reduce_identity(apus_reduce_op op, apus_dtype dtype, void *acc) {
  const bool one = op == APUS_REDUCE_prod || op == APUS_REDUCE_all;
  const bool max = op == APUS_REDUCE_max, min = op == APUS_REDUCE_min;
  const double real = one ? 1 : max ? -__builtin_inf() : min ? __builtin_inf() : 0;
  switch (accumulator_of(dtype)) {
  case ACC_FLOAT: *(float *)acc = (float)real; break;
  case ACC_DOUBLE: *(double *)acc = real; break;
  case ACC_INT: *(int64_t *)acc = one ? 1 : max ? INT64_MIN : min ? INT64_MAX : 0; break;
  }
}

// A and B are the accumulator type; W is the type to add and multiply in.
#define COMBINE_LOOP(expression) for (ptrdiff_t i = 0; i < n; i++) { const A a = acc[i], b = other[i]; acc[i] = (A)(expression); }
#define COMBINE(T, W) \
  static void combine_##T(apus_reduce_op op, ptrdiff_t n, T *acc, const T *other) { \
    typedef T A; \
    switch (op) { \
    case APUS_REDUCE_sum: case APUS_REDUCE_square_sum: COMBINE_LOOP((W)a + (W)b) break; \
    case APUS_REDUCE_prod: COMBINE_LOOP((W)a * (W)b) break; \
    case APUS_REDUCE_max: COMBINE_LOOP(((b > a) | (b != b)) ? b : a) break; \
    case APUS_REDUCE_min: COMBINE_LOOP(((b < a) | (b != b)) ? b : a) break; \
    case APUS_REDUCE_all: COMBINE_LOOP((a != 0) & (b != 0)) break; \
    case APUS_REDUCE_any: COMBINE_LOOP((a != 0) | (b != 0)) break; \
    case APUS_REDUCE_COUNT: break; \
    } \
  }
COMBINE(f32, f32)
COMBINE(f64, f64)
COMBINE(i64, uint64_t)

void apus_reduce_combine(apus_reduce_op op, apus_dtype dtype, ptrdiff_t n, void *acc, const void *other) {
  switch (accumulator_of(dtype)) {
  case ACC_FLOAT: combine_f32(op, n, acc, other); break;
  case ACC_DOUBLE: combine_f64(op, n, acc, other); break;
  case ACC_INT: combine_i64(op, n, acc, other); break;
  }
}

#define FINISH_CASE(dtype, T, from) \
  case dtype: { T *out = y; for (ptrdiff_t i = 0; i < n; i++) out[i] = from##_to_##T(FINISH_VALUE(acc[i])); break; }
#define FINISH(A, from) \
  static void finish_##A(ptrdiff_t n, const A *acc, double scale, apus_dtype to, void *y) { \
    (void)scale; \
    switch (to) { \
    FINISH_CASE(APUS_F32, f32, from) FINISH_CASE(APUS_F64, f64, from) FINISH_CASE(APUS_F16, f16, from) \
    FINISH_CASE(APUS_BF16, bf16, from) FINISH_CASE(APUS_I64, i64, from) FINISH_CASE(APUS_I32, i32, from) \
    FINISH_CASE(APUS_I16, i16, from) FINISH_CASE(APUS_I8, i8, from) FINISH_CASE(APUS_U8, u8, from) \
    FINISH_CASE(APUS_BOOL, b8, from) \
    case APUS_DTYPE_COUNT: break; \
    } \
  }
// The product with the scale is formed in double and rounded once, to the result.
#define FINISH_VALUE(a) ((double)(a) * scale)
FINISH(f32, f64)
FINISH(f64, f64)
#undef FINISH_VALUE
#define FINISH_VALUE(a) (a)
FINISH(i64, i64)

void apus_reduce_finish(apus_dtype dtype, ptrdiff_t n, const void *acc, double scale, apus_dtype to, void *y) {
  switch (accumulator_of(dtype)) {
  case ACC_FLOAT: finish_f32(n, acc, scale, to, y); break;
  case ACC_DOUBLE: finish_f64(n, acc, scale, to, y); break;
  case ACC_INT: finish_i64(n, acc, scale, to, y); break;
  }
}

// ------------------------------------------------------------------------------------------ random numbers

void apus_philox_block(uint64_t key, uint64_t counter, uint32_t out[4]) {
  apus_table_baseline.bits32(key, counter, 0, 4, out);
}
void apus_random_bits32(uint64_t key, uint64_t counter, ptrdiff_t first, ptrdiff_t n, uint32_t *out) {
  table(apus_isa_best())->bits32(key, counter, first, n, out);
}
void apus_random_bits64(uint64_t key, uint64_t counter, ptrdiff_t first, ptrdiff_t n, uint64_t *out) {
  table(apus_isa_best())->bits64(key, counter, first, n, out);
}
void apus_random_uniform_f32(uint64_t key, uint64_t counter, ptrdiff_t first, ptrdiff_t n, float *out) {
  table(apus_isa_best())->uniform_f32(key, counter, first, n, out);
}
void apus_random_uniform_f64(uint64_t key, uint64_t counter, ptrdiff_t first, ptrdiff_t n, double *out) {
  table(apus_isa_best())->uniform_f64(key, counter, first, n, out);
}
void apus_random_normal_f32(uint64_t key, uint64_t counter, ptrdiff_t first, ptrdiff_t n, float *out) {
  table(apus_isa_best())->normal_f32(key, counter, first, n, out);
}
void apus_random_normal_f64(uint64_t key, uint64_t counter, ptrdiff_t first, ptrdiff_t n, double *out) {
  table(apus_isa_best())->normal_f64(key, counter, first, n, out);
}

// ------------------------------------------------------------------------------------------ parameter updates

void apus_sgd(apus_isa isa, apus_dtype dtype, ptrdiff_t n, void *p, const void *g, void *buf, const apus_sgd_options *o) {
  const apus_kernel_table *t = table(isa);
  if (t && (dtype == APUS_F32 || dtype == APUS_F64)) t->sgd[dtype == APUS_F64](n, p, g, buf, o);
}
void apus_adam(
    apus_isa isa, apus_dtype dtype, ptrdiff_t n, void *p, const void *g, void *m, void *v, void *vmax,
    const apus_adam_options *o) {
  const apus_kernel_table *t = table(isa);
  if (t && (dtype == APUS_F32 || dtype == APUS_F64)) t->adam[dtype == APUS_F64](n, p, g, m, v, vmax, o);
}

// ------------------------------------------------------------------------------------------ recurrent cells

void apus_cell_forward(apus_isa isa, apus_dtype dtype, apus_cell cell, const apus_cell_forward_block *block) {
  const apus_kernel_table *t = table(isa);
  if (t && IN_RANGE(cell, APUS_CELL_COUNT) && (dtype == APUS_F32 || dtype == APUS_F64))
    t->cell_forward[dtype == APUS_F64][cell](block);
}
void apus_cell_backward(apus_isa isa, apus_dtype dtype, apus_cell cell, const apus_cell_backward_block *block) {
  const apus_kernel_table *t = table(isa);
  if (t && IN_RANGE(cell, APUS_CELL_COUNT) && (dtype == APUS_F32 || dtype == APUS_F64))
    t->cell_backward[dtype == APUS_F64][cell](block);
}
