// What one compiled instruction set offers: the tables that the look-up functions of dispatch.c read. Every isa_*.c file
// defines one of these; an entry that an operation or dtype lacks is NULL.
#ifndef APUS_TABLE_H
#define APUS_TABLE_H

#include "../include/apus_kernels.h"

typedef void (*apus_random_kernel)(uint64_t key, uint64_t counter, ptrdiff_t first, ptrdiff_t n, void *out);

typedef struct {
  apus_unary_kernel unary[APUS_UNARY_COUNT][APUS_DTYPE_COUNT];
  apus_binary_kernel binary[APUS_BINARY_COUNT][APUS_DTYPE_COUNT];
  apus_select_kernel select[4];  // by log2 of the element size
  apus_copy2d_kernel copy2d[4];
  apus_stream_kernel stream;
  apus_cast_kernel cast[APUS_DTYPE_COUNT][APUS_DTYPE_COUNT];  // [from][to]
  apus_reduce_inner_kernel reduce_inner[APUS_REDUCE_COUNT][APUS_DTYPE_COUNT];
  apus_reduce_rows_kernel reduce_rows[APUS_REDUCE_COUNT][APUS_DTYPE_COUNT];
  apus_argreduce_kernel argmax[APUS_DTYPE_COUNT], argmin[APUS_DTYPE_COUNT];
  apus_cumulative_kernel cumsum[APUS_DTYPE_COUNT], cumprod[APUS_DTYPE_COUNT];
  apus_softmax_kernel softmax[APUS_DTYPE_COUNT], log_softmax[APUS_DTYPE_COUNT];
  apus_cross_entropy_kernel cross_entropy[APUS_DTYPE_COUNT];
  apus_cross_entropy_gradient_kernel cross_entropy_gradient[APUS_DTYPE_COUNT];
  apus_norm_kernels norm[2];  // f32, f64
  apus_gemm_kernels gemm[APUS_BF16 + 1];  // the float dtypes
  apus_small_gemm_kernel small_gemm[APUS_DTYPE_COUNT];
  apus_attention_kernels attention[2];  // f32, f64
  apus_conv_kernels conv[2];  // f32, f64
  apus_winograd_kernels winograd;
  apus_max_pool_kernel max_pool[APUS_DTYPE_COUNT];
  apus_avg_pool_kernel avg_pool[APUS_DTYPE_COUNT];
  apus_max_pool_backward_kernel max_pool_backward[APUS_DTYPE_COUNT];
  apus_avg_pool_backward_kernel avg_pool_backward[APUS_DTYPE_COUNT];
  apus_sparse_rows_kernel sparse_rows[APUS_DTYPE_COUNT];
  apus_random_kernel bits32, bits64, uniform_f32, uniform_f64, normal_f32, normal_f64;
  void (*sgd[2])(ptrdiff_t n, void *p, const void *g, void *buf, const apus_sgd_options *o);  // f32, f64
  void (*adam[2])(
      ptrdiff_t n, void *p, const void *g, void *m, void *v, void *vmax, const apus_adam_options *o);
  void (*cell_forward[2][APUS_CELL_COUNT])(const apus_cell_forward_block *b);  // f32, f64
  void (*cell_backward[2][APUS_CELL_COUNT])(const apus_cell_backward_block *b);
  apus_row_kernels rows[2];  // f32, f64
} apus_kernel_table;

#define APUS_HIDDEN __attribute__((visibility("hidden")))

#if defined(__x86_64__)
#define APUS_X86 1
extern APUS_HIDDEN const apus_kernel_table apus_table_avx2, apus_table_avx512;
extern APUS_HIDDEN const apus_gemm_kernels apus_gemm_avx512_bf16;
#endif
#if defined(__aarch64__)
#define APUS_ARM64 1
extern APUS_HIDDEN const apus_kernel_table apus_table_neon;
#endif
extern APUS_HIDDEN const apus_kernel_table apus_table_baseline;

#endif
