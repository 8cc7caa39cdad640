// The kernels for the instruction set that every machine of an architecture has: SSE2 on x86-64, plain ARMv8 on arm64.
// Only settings; the code is in families/.
#include "families/table.h"

#include <math.h>

#define APUS_TABLE apus_table_baseline
#define APUS_HARDWARE_F16 0
#define APUS_HARDWARE_ROUNDING 0
#define APUS_HARDWARE_FMA 0
#define APUS_VECTOR_BYTES 16
#define APUS_GEMM_ROWS 4
#define APUS_GEMM_VECTORS 2
#define APUS_GEMM_F32_BLOCKS 32, 64, 256
#define APUS_GEMM_F64_BLOCKS 32, 64, 256

#include "families/all.h"
