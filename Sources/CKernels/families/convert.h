// Scalar conversions between the dtypes, written without branches so that the loops around them vectorise. float16 uses the
// hardware's instruction where the target has one (APUS_HARDWARE_F16) and integer arithmetic where it has not, because the
// compiler would otherwise call a run-time helper (__extendhfsf2) that not every platform ships.

INLINE uint32_t bits_of_f32(float x) { uint32_t u; __builtin_memcpy(&u, &x, 4); return u; }
INLINE float f32_of_bits(uint32_t u) { float x; __builtin_memcpy(&x, &u, 4); return x; }
INLINE uint64_t bits_of_f64(double x) { uint64_t u; __builtin_memcpy(&u, &x, 8); return u; }
INLINE double f64_of_bits(uint64_t u) { double x; __builtin_memcpy(&x, &u, 8); return x; }

// ------------------------------------------------------------------------------------------ half types to float

#if APUS_HARDWARE_F16
INLINE float f16_to_f32(f16 h) { _Float16 x; __builtin_memcpy(&x, &h, 2); return (float)x; }
INLINE f16 f32_to_f16(float f) { _Float16 x = (_Float16)f; f16 h; __builtin_memcpy(&h, &x, 2); return h; }
#else
// Exponent and mantissa moved into place are the value times 2^-112, also for subnormals; the multiplication is exact.
INLINE float f16_to_f32(f16 h) {
  uint32_t magnitude = (uint32_t)(h & 0x7fff) << 13;
  uint32_t finite = bits_of_f32(f32_of_bits(magnitude) * 0x1p112f);
  uint32_t quiet = (h & 0x7fff) > 0x7c00 ? 0x7fc00000u : 0x7f800000u;
  uint32_t u = (h & 0x7c00) == 0x7c00 ? (magnitude | quiet) : finite;
  return f32_of_bits(u | (uint32_t)(h & 0x8000) << 16);
}

// Normal results: add half a unit (and the odd bit, for ties) and cut. Subnormal results: in 0.5 + |f| the last bit of the
// sum is worth 2^-24, the smallest float16, so the addition itself rounds to nearest even.
INLINE f16 f32_to_f16(float f) {
  uint32_t u = bits_of_f32(f), a = u & 0x7fffffff;
  uint32_t normal = (a + 0xfff + ((a >> 13) & 1) - 0x38000000) >> 13;
  uint32_t subnormal = bits_of_f32(f32_of_bits(a) + 0.5f) - 0x3f000000;
  uint32_t r = a < 0x38800000 ? subnormal : normal;
  r = a >= 0x47800000 ? 0x7c00 : r;                            // 65536 and above; 65520 ... 65536 carried into it already
  r = a > 0x7f800000 ? (0x7e00 | ((a >> 13) & 0x3ff)) : r;     // NaN stays NaN, made quiet
  return (f16)(r | (u >> 16 & 0x8000));
}
#endif

INLINE float bf16_to_f32(bf16 h) { return f32_of_bits((uint32_t)h << 16); }

INLINE bf16 f32_to_bf16(float f) {
  uint32_t u = bits_of_f32(f);
  uint32_t rounded = (u + 0x7fff + ((u >> 16) & 1)) >> 16;
  uint32_t nan = u >> 16 | 0x40;
  return (bf16)((u & 0x7fffffff) > 0x7f800000 ? nan : rounded);
}

// double -> float rounded to odd: if inexact, the neighbour whose last bit is 1. Rounding that to a shorter type to nearest
// even gives what a single rounding from the double would (Boldo and Melquiond 2005).
INLINE float f64_to_f32_odd(double d) {
  float f = (float)d;
  uint32_t u = bits_of_f32(f);
  double back = f, a = __builtin_fabs(d), b = __builtin_fabs(back);
  uint32_t odd = (u - (b > a)) | 1;   // toward zero, then the sticky bit
  return f32_of_bits(((b > a) | (b < a)) ? odd : u);
}
INLINE f16 f64_to_f16(double d) { return f32_to_f16(f64_to_f32_odd(d)); }
INLINE bf16 f64_to_bf16(double d) { return f32_to_bf16(f64_to_f32_odd(d)); }

// ------------------------------------------------------------------------------------------ to integers

// Truncates, saturates, and sends NaN to 0. `above` is the first value past the maximum, `below` the last value that
// truncates to less than the minimum (or the minimum itself where the float type has nothing closer).
#define TRUNCATE(T, x, least, most, above) \
  ((x) != (x) ? 0 : (x) >= (above) ? (T)(most) : (x) <= (least) ? (T)(least) : (T)(x))

#define DEFINE_TRUNCATIONS(F) \
  INLINE i64 F##_to_i64(F x) { return TRUNCATE(i64, x, (F)INT64_MIN, INT64_MAX, (F)0x1p63); } \
  INLINE i32 F##_to_i32(F x) { return TRUNCATE(i32, x, (F)INT32_MIN, INT32_MAX, (F)0x1p31); } \
  INLINE i16 F##_to_i16(F x) { return (i16)TRUNCATE(i32, x, (F)INT16_MIN, INT16_MAX, (F)32768); } \
  INLINE i8 F##_to_i8(F x) { return (i8)TRUNCATE(i32, x, (F)INT8_MIN, INT8_MAX, (F)128); } \
  INLINE u8 F##_to_u8(F x) { return (u8)TRUNCATE(i32, x, (F)0, 255, (F)256); } \
  INLINE b8 F##_to_b8(F x) { return x != 0; }
DEFINE_TRUNCATIONS(f32)
DEFINE_TRUNCATIONS(f64)
#undef DEFINE_TRUNCATIONS

INLINE f32 f32_to_f32(f32 x) { return x; }
INLINE f64 f32_to_f64(f32 x) { return x; }
INLINE f32 f64_to_f32(f64 x) { return (f32)x; }
INLINE f64 f64_to_f64(f64 x) { return x; }

// ------------------------------------------------------------------------------------------ from integers

// int64 -> double rounded to odd: 11 bits give way to one sticky bit; what is left fits 53 bits. For numbers that fit
// anyway nothing changes.
INLINE double i64_to_f64_odd(i64 x) {
  i64 sticky = (x & ~(i64)0x7ff) | ((i64)((x & 0x7ff) != 0) << 11);
  bool fits = x < (i64)1 << 53 && x > -((i64)1 << 53);
  return (double)(fits ? x : sticky);
}

#define DEFINE_INT_CONVERSIONS(T) \
  INLINE f32 T##_to_f32(T x) { return (f32)x; } \
  INLINE f64 T##_to_f64(T x) { return (f64)x; } \
  INLINE i64 T##_to_i64(T x) { return (i64)x; } \
  INLINE i32 T##_to_i32(T x) { return (i32)x; } \
  INLINE i16 T##_to_i16(T x) { return (i16)x; } \
  INLINE i8 T##_to_i8(T x) { return (i8)x; } \
  INLINE u8 T##_to_u8(T x) { return (u8)x; } \
  INLINE b8 T##_to_b8(T x) { return x != 0; }
DEFINE_INT_CONVERSIONS(i64)
DEFINE_INT_CONVERSIONS(i32)
DEFINE_INT_CONVERSIONS(i16)
DEFINE_INT_CONVERSIONS(i8)
DEFINE_INT_CONVERSIONS(u8)
#undef DEFINE_INT_CONVERSIONS

INLINE f16 i64_to_f16(i64 x) { return f64_to_f16(i64_to_f64_odd(x)); }
INLINE bf16 i64_to_bf16(i64 x) { return f64_to_bf16(i64_to_f64_odd(x)); }
INLINE f16 i32_to_f16(i32 x) { return f64_to_f16(x); }
INLINE bf16 i32_to_bf16(i32 x) { return f64_to_bf16(x); }
// Numbers of at most 16 bits are exact in float.
INLINE f16 i16_to_f16(i16 x) { return f32_to_f16((f32)x); }
INLINE bf16 i16_to_bf16(i16 x) { return f32_to_bf16((f32)x); }
INLINE f16 i8_to_f16(i8 x) { return f32_to_f16((f32)x); }
INLINE bf16 i8_to_bf16(i8 x) { return f32_to_bf16((f32)x); }
INLINE f16 u8_to_f16(u8 x) { return f32_to_f16((f32)x); }
INLINE bf16 u8_to_bf16(u8 x) { return f32_to_bf16((f32)x); }

// Reading an element in the type its conversions start from.
INLINE f32 load_f32(f32 x) { return x; }
INLINE f64 load_f64(f64 x) { return x; }
INLINE f32 load_f16(f16 x) { return f16_to_f32(x); }
INLINE f32 load_bf16(bf16 x) { return bf16_to_f32(x); }
INLINE i64 load_i64(i64 x) { return x; }
INLINE i32 load_i32(i32 x) { return x; }
INLINE i16 load_i16(i16 x) { return x; }
INLINE i8 load_i8(i8 x) { return x; }
INLINE u8 load_u8(u8 x) { return x; }
INLINE u8 load_b8(b8 x) { return x != 0; }
