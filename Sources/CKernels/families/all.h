// The whole library for one instruction set. An isa_*.c defines the macros below, opens its target attribute, includes this and
// names the table:
//   APUS_TABLE              the table's name
//   APUS_HARDWARE_F16       1 where float16 <-> float is an instruction
//   APUS_HARDWARE_ROUNDING  1 where floor, ceil, rint and trunc are instructions
//   APUS_HARDWARE_FMA       1 where a b + c, rounded once, is an instruction
//   APUS_VECTOR_BYTES       width of a vector register in the matrix product
//   APUS_GEMM_ROWS, APUS_GEMM_VECTORS                    its tile
//   APUS_GEMM_F32_BLOCKS, APUS_GEMM_F64_BLOCKS           panels of A, panels of B, depth of a cache block

#include "basics.h"
#include "convert.h"
#include "vmath.h"
#include "moving.h"
#include "unary.h"
#include "binary.h"
#include "reduce.h"
#include "softmax.h"
#include "cross_entropy.h"
#include "normalization.h"
#include "gemm.h"
#include "attention.h"
#include "convolution.h"
#include "winograd.h"
#include "pooling.h"
#include "random.h"
#include "optimizer.h"
#include "recurrent.h"
#include "rows.h"

#define CASTS_FROM(T) { \
    [APUS_F32] = cast_##T##_f32, [APUS_F64] = cast_##T##_f64, [APUS_F16] = cast_##T##_f16, [APUS_BF16] = cast_##T##_bf16, \
    [APUS_I64] = cast_##T##_i64, [APUS_I32] = cast_##T##_i32, [APUS_I16] = cast_##T##_i16, [APUS_I8] = cast_##T##_i8, \
    [APUS_U8] = cast_##T##_u8, [APUS_BOOL] = cast_##T##_b8 }
#define CASTS_ENTRY(T, dtype) [dtype] = CASTS_FROM(T),

const apus_kernel_table APUS_TABLE = {
  .unary = UNARY_TABLE,
  .binary = BINARY_TABLE,
  .select = {select_8, select_16, select_32, select_64},
  .copy2d = {copy2d_8, copy2d_16, copy2d_32, copy2d_64},
  .stream = stream,
  .cast = {ALL_TYPES(CASTS_ENTRY)},
  .reduce_inner = {APUS_REDUCE_OPS(REDUCE_INNER_ENTRY)},
  .reduce_rows = {APUS_REDUCE_OPS(REDUCE_ROWS_ENTRY)},
  .argmax = BY_DTYPE(argmax, argmax_u8),
  .argmin = BY_DTYPE(argmin, argmin_u8),
  .cumsum = BY_DTYPE(cumsum, cumsum_b8),
  .cumprod = BY_DTYPE(cumprod, cumprod_b8),
  .softmax = FLOATS_BY_DTYPE(softmax),
  .log_softmax = FLOATS_BY_DTYPE(log_softmax),
  .cross_entropy = FLOATS_BY_DTYPE(cross_entropy),
  .cross_entropy_gradient = FLOATS_BY_DTYPE(cross_entropy_gradient),
  .norm = {NORM_ENTRY(f32), NORM_ENTRY(f64)},
  .gemm = {
    [APUS_F32] = GEMM_ENTRY(f32, f32, gemm_rows_f32, APUS_GEMM_F32_BLOCKS),
    [APUS_F64] = GEMM_ENTRY(f64, f64, gemm_rows_f64, APUS_GEMM_F64_BLOCKS),
    [APUS_F16] = GEMM_ENTRY(f16, f32, NULL, APUS_GEMM_F32_BLOCKS),
    [APUS_BF16] = GEMM_ENTRY(bf16, f32, NULL, APUS_GEMM_F32_BLOCKS)},
  .small_gemm = BY_DTYPE(small_gemm, small_gemm_b8),
  .attention = {ATTENTION_ENTRY(f32), ATTENTION_ENTRY(f64)},
  .conv = {CONV_ENTRY(f32), CONV_ENTRY(f64)},
  .winograd = WINOGRAD_ENTRY,
  .max_pool = {max_pool_f32, max_pool_f64},
  .avg_pool = {avg_pool_f32, avg_pool_f64},
  .max_pool_backward = {max_pool_backward_f32, max_pool_backward_f64},
  .avg_pool_backward = {avg_pool_backward_f32, avg_pool_backward_f64},
  .sparse_rows = {sparse_rows_f32, sparse_rows_f64},
  .bits32 = random_bits32,
  .bits64 = random_bits64,
  .uniform_f32 = random_uniform_f32,
  .uniform_f64 = random_uniform_f64,
  .normal_f32 = random_normal_f32,
  .normal_f64 = random_normal_f64,
  .sgd = {sgd_f32, sgd_f64},
  .adam = {adam_f32, adam_f64},
  .cell_forward = CELLS_BY_DTYPE(forward),
  .cell_backward = CELLS_BY_DTYPE(backward),
  .rows = {ROWS_ENTRY(f32), ROWS_ENTRY(f64)},
};
