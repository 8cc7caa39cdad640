// Types, loop pragmas and the X-macro lists that all families share. This file and the families have no include guards on
// purpose: each isa_*.c includes them once, inside the region that carries its target attribute, so that every helper is
// compiled for (and inlined into) that instruction set.

typedef float f32;
typedef double f64;
typedef uint16_t f16;   // bit patterns; see convert.h
typedef uint16_t bf16;
typedef int64_t i64;
typedef int32_t i32;
typedef int16_t i16;
typedef int8_t i8;
typedef uint8_t u8;
typedef uint8_t b8;     // bool: one byte, 0 or 1

#define INLINE static inline __attribute__((always_inline, unused))

// The caller's promise (outputs equal an input exactly or do not touch it) makes every iteration independent.
#define VECTOR_LOOP _Pragma("clang loop vectorize(assume_safety)")
// The same for long chains of arithmetic: one vector is worked on while the other waits, and both share the loads of constants.
#define VECTOR_LOOP_BY_TWO _Pragma("clang loop vectorize(assume_safety) interleave_count(2)")
// Strided loops gain nothing from gathers and would only cost code.
#define SCALAR_LOOP _Pragma("clang loop vectorize(disable) interleave(disable) unroll(disable)")

// Elements per trip through a local buffer: 1 KiB of float, which stays in L1 together with its neighbours.
enum { CHUNK = 256 };
// Elements per block of a reduction; part of the definition of the results, so it is the same for every instruction set.
enum { BLOCK = 512 };

#define MIN(a, b) ((a) < (b) ? (a) : (b))

#define JOIN_(a, b) a##_##b
#define JOIN(a, b) JOIN_(a, b)

// X(type, dtype) over groups of dtypes.
#define INT_TYPES(X) X(i64, APUS_I64) X(i32, APUS_I32) X(i16, APUS_I16) X(i8, APUS_I8) X(u8, APUS_U8)
#define ALL_TYPES(X) X(f32, APUS_F32) X(f64, APUS_F64) X(f16, APUS_F16) X(bf16, APUS_BF16) INT_TYPES(X) X(b8, APUS_BOOL)

// The unsigned type in which an integer type's arithmetic wraps without undefined behaviour. For the narrow types plain
// unsigned int does: the result is cut back to the type afterwards.
typedef uint64_t wrap_i64;
typedef uint32_t wrap_i32, wrap_i16, wrap_i8, wrap_u8;
