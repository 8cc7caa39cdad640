// The kernels for arm64 with its 32 vector registers put to use.
// Only settings and the target attribute; the code is in families/.
#include "families/table.h"

#if defined(APUS_ARM64)

#include <math.h>

#define APUS_TABLE apus_table_neon
#define APUS_HARDWARE_F16 1
#define APUS_HARDWARE_ROUNDING 1
#define APUS_HARDWARE_FMA 1
#define APUS_VECTOR_BYTES 16
#define APUS_GEMM_ROWS 8
#define APUS_GEMM_VECTORS 3
#define APUS_GEMM_F32_BLOCKS 16, 64, 256
#define APUS_GEMM_F64_BLOCKS 16, 64, 256

#include "families/all.h"

#endif
