// The kernels for AVX2 with FMA and F16C (Haswell, Zen and later).
// Only settings and the target attribute; the code is in families/.
#include "families/table.h"

#if defined(APUS_X86)

#include <math.h>

#define APUS_TABLE apus_table_avx2
#define APUS_HARDWARE_F16 1
#define APUS_HARDWARE_ROUNDING 1
#define APUS_HARDWARE_FMA 1
#define APUS_VECTOR_BYTES 32
#define APUS_GEMM_ROWS 6
#define APUS_GEMM_VECTORS 2
#define APUS_GEMM_F32_BLOCKS 16, 128, 256
#define APUS_GEMM_F64_BLOCKS 16, 128, 256

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)
#include "families/all.h"
#pragma clang attribute pop

#endif
