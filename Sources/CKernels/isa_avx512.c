// The kernels for AVX-512 (F, BW, DQ, VL: Skylake-X, Zen 4 and later).
// Only settings and the target attribute; the code is in families/.
#include "families/table.h"

#if defined(APUS_X86)

#include <math.h>

#define APUS_TABLE apus_table_avx512
#define APUS_HARDWARE_F16 1
#define APUS_HARDWARE_ROUNDING 1
#define APUS_HARDWARE_FMA 1
#define APUS_VECTOR_BYTES 64
#define APUS_GEMM_ROWS 12
#define APUS_GEMM_VECTORS 2
#define APUS_GEMM_F32_BLOCKS 16, 32, 512
#define APUS_GEMM_F64_BLOCKS 16, 64, 256

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c"))), apply_to = function)
#include "families/all.h"
#pragma clang attribute pop

// What AVX512_BF16 adds (Cooper Lake, Zen 4 and later).
#pragma clang attribute push( \
    __attribute__((target("avx512bf16,avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c"))), apply_to = function)
#include "families/gemm_pairs.h"
const apus_gemm_kernels apus_gemm_avx512_bf16 = GEMM_ENTRY(pairs, pairs, gemm_rows_pairs, APUS_GEMM_F32_BLOCKS);
#pragma clang attribute pop

#endif
