// Conversion between dtypes, selection and strided copies: the kernels that move elements without arithmetic.

// ------------------------------------------------------------------------------------------ casts

// CAST(from, class, to): `class` is the type the element has after load_<from>.
#define CAST(from, class, to) \
  static void cast_##from##_##to(ptrdiff_t n, const void *xv, ptrdiff_t sx, void *yv, ptrdiff_t sy) { \
    const from *x = xv; to *y = yv; \
    if (sx == 1 && sy == 1) { \
      VECTOR_LOOP for (ptrdiff_t i = 0; i < n; i++) y[i] = class##_to_##to(load_##from(x[i])); \
    } else { \
      SCALAR_LOOP for (ptrdiff_t i = 0; i < n; i++) y[i * sy] = class##_to_##to(load_##from(x[i * sx])); \
    } \
  }

// A copy is the same for all dtypes of a size.
#define COPY(T, unsigned_type) \
  static void copy_##T(ptrdiff_t n, const void *xv, ptrdiff_t sx, void *yv, ptrdiff_t sy) { \
    const unsigned_type *x = xv; unsigned_type *y = yv; \
    if (sx == 1 && sy == 1) { \
      if (n > 0) __builtin_memmove(y, x, (size_t)n * sizeof(unsigned_type)); \
    } else if (sx == 0 && sy == 1) { \
      unsigned_type v = n > 0 ? x[0] : 0; \
      VECTOR_LOOP for (ptrdiff_t i = 0; i < n; i++) y[i] = v; \
    } else { \
      SCALAR_LOOP for (ptrdiff_t i = 0; i < n; i++) y[i * sy] = x[i * sx]; \
    } \
  }
COPY(8, uint8_t)
COPY(16, uint16_t)
COPY(32, uint32_t)
COPY(64, uint64_t)

#define CASTS_TO_FLOATS(from, class) CAST(from, class, f64) CAST(from, class, f16) CAST(from, class, bf16)
#define CASTS_TO_INTS(from, class) CAST(from, class, i8) CAST(from, class, u8) CAST(from, class, b8)

CAST(f32, f32, f64) CAST(f32, f32, f16) CAST(f32, f32, bf16)
CAST(f32, f32, i64) CAST(f32, f32, i32) CAST(f32, f32, i16) CASTS_TO_INTS(f32, f32)
CAST(f64, f64, f32) CAST(f64, f64, f16) CAST(f64, f64, bf16)
CAST(f64, f64, i64) CAST(f64, f64, i32) CAST(f64, f64, i16) CASTS_TO_INTS(f64, f64)
CAST(f16, f32, f32) CAST(f16, f32, f64) CAST(f16, f32, bf16)
CAST(f16, f32, i64) CAST(f16, f32, i32) CAST(f16, f32, i16) CASTS_TO_INTS(f16, f32)
CAST(bf16, f32, f32) CAST(bf16, f32, f64) CAST(bf16, f32, f16)
CAST(bf16, f32, i64) CAST(bf16, f32, i32) CAST(bf16, f32, i16) CASTS_TO_INTS(bf16, f32)
CAST(i64, i64, f32) CASTS_TO_FLOATS(i64, i64) CAST(i64, i64, i32) CAST(i64, i64, i16) CASTS_TO_INTS(i64, i64)
CAST(i32, i32, f32) CASTS_TO_FLOATS(i32, i32) CAST(i32, i32, i64) CAST(i32, i32, i16) CASTS_TO_INTS(i32, i32)
CAST(i16, i16, f32) CASTS_TO_FLOATS(i16, i16) CAST(i16, i16, i64) CAST(i16, i16, i32) CASTS_TO_INTS(i16, i16)
CAST(i8, i8, f32) CASTS_TO_FLOATS(i8, i8) CAST(i8, i8, i64) CAST(i8, i8, i32) CAST(i8, i8, i16) CAST(i8, i8, b8)
CAST(u8, u8, f32) CASTS_TO_FLOATS(u8, u8) CAST(u8, u8, i64) CAST(u8, u8, i32) CAST(u8, u8, i16) CAST(u8, u8, b8)
CAST(b8, u8, f32) CASTS_TO_FLOATS(b8, u8) CAST(b8, u8, i64) CAST(b8, u8, i32) CAST(b8, u8, i16) CAST(b8, u8, u8)
// Eight bits to eight bits: the same bits.
#define cast_i8_u8 copy_8
#define cast_u8_i8 copy_8
#define cast_b8_i8 cast_b8_u8
#define cast_f32_f32 copy_32
#define cast_f64_f64 copy_64
#define cast_f16_f16 copy_16
#define cast_bf16_bf16 copy_16
#define cast_i64_i64 copy_64
#define cast_i32_i32 copy_32
#define cast_i16_i16 copy_16
#define cast_i8_i8 copy_8
#define cast_u8_u8 copy_8
#define cast_b8_b8 copy_8

// ------------------------------------------------------------------------------------------ selection

#define SELECT(bits, T) \
  static void select_##bits( \
      ptrdiff_t n, const void *cv, ptrdiff_t sc, const void *av, ptrdiff_t sa, const void *bv, ptrdiff_t sb, void *yv, \
      ptrdiff_t sy) { \
    const uint8_t *c = cv; const T *a = av, *b = bv; T *y = yv; \
    if (sc == 1 && sa == 1 && sb == 1 && sy == 1) { \
      VECTOR_LOOP for (ptrdiff_t i = 0; i < n; i++) { T p = a[i], q = b[i]; y[i] = c[i] ? p : q; } \
    } else if (sc == 1 && sa == 0 && sb == 1 && sy == 1) { \
      const T p = n > 0 ? *a : 0; \
      VECTOR_LOOP for (ptrdiff_t i = 0; i < n; i++) { T q = b[i]; y[i] = c[i] ? p : q; } \
    } else if (sc == 1 && sa == 1 && sb == 0 && sy == 1) { \
      const T q = n > 0 ? *b : 0; \
      VECTOR_LOOP for (ptrdiff_t i = 0; i < n; i++) { T p = a[i]; y[i] = c[i] ? p : q; } \
    } else { \
      SCALAR_LOOP for (ptrdiff_t i = 0; i < n; i++) y[i * sy] = c[i * sc] ? a[i * sa] : b[i * sb]; \
    } \
  }
SELECT(8, uint8_t)
SELECT(16, uint16_t)
SELECT(32, uint32_t)
SELECT(64, uint64_t)

// ------------------------------------------------------------------------------------------ two-dimensional copies

// 8x8 elements at once through registers where the lanes are 4 bytes wide: pairs and fours of rows within the halves of a register, then
// the halves.
typedef uint32_t lanes8 __attribute__((ext_vector_type(8)));
INLINE void transpose_8x8(const uint32_t *x, ptrdiff_t sx, uint32_t *y, ptrdiff_t sy) {
  lanes8 rows[8], pairs[8], fours[8];
  for (int i = 0; i < 8; i++) __builtin_memcpy(&rows[i], x + i * sx, sizeof rows[i]);
#define PAIRS(a, b, i) __builtin_shufflevector(a, b, i, 8 + i, 1 + i, 9 + i, 4 + i, 12 + i, 5 + i, 13 + i)
#define FOURS(a, b, i) __builtin_shufflevector(a, b, i, 1 + i, 8 + i, 9 + i, 4 + i, 5 + i, 12 + i, 13 + i)
#define HALVES(a, b, i) __builtin_shufflevector(a, b, i, 1 + i, 2 + i, 3 + i, 8 + i, 9 + i, 10 + i, 11 + i)
  // pairs[i]: columns 0 and 1 of rows i and i + 1, then 4 and 5; pairs[i + 1]: columns 2, 3, 6, 7. fours[c]: column c of four rows, then c + 4.
  for (int i = 0; i < 8; i += 2) { pairs[i] = PAIRS(rows[i], rows[i + 1], 0); pairs[i + 1] = PAIRS(rows[i], rows[i + 1], 2); }
  for (int i = 0; i < 8; i += 4) {
    fours[i] = FOURS(pairs[i], pairs[i + 2], 0); fours[i + 1] = FOURS(pairs[i], pairs[i + 2], 2);
    fours[i + 2] = FOURS(pairs[i + 1], pairs[i + 3], 0); fours[i + 3] = FOURS(pairs[i + 1], pairs[i + 3], 2);
  }
  for (int c = 0; c < 4; c++) {
    const lanes8 low = HALVES(fours[c], fours[c + 4], 0), high = HALVES(fours[c], fours[c + 4], 4);
    __builtin_memcpy(y + c * sy, &low, sizeof low);
    __builtin_memcpy(y + (c + 4) * sy, &high, sizeof high);
  }
#undef PAIRS
#undef FOURS
#undef HALVES
}

// 4 lines of 4: what 8x8 leaves of a panel of 12 rows.
typedef uint32_t lanes4 __attribute__((ext_vector_type(4)));
INLINE void transpose_4x4(const uint32_t *x, ptrdiff_t sx, uint32_t *y, ptrdiff_t sy) {
  lanes4 r[4], t[4];
  for (int i = 0; i < 4; i++) __builtin_memcpy(&r[i], x + i * sx, sizeof r[i]);
#define LOW(a, b) __builtin_shufflevector(a, b, 0, 4, 1, 5)
#define HIGH(a, b) __builtin_shufflevector(a, b, 2, 6, 3, 7)
  for (int i = 0; i < 2; i++) { t[2 * i] = LOW(r[i], r[i + 2]); t[2 * i + 1] = HIGH(r[i], r[i + 2]); }
  for (int i = 0; i < 2; i++) { r[2 * i] = LOW(t[i], t[i + 2]); r[2 * i + 1] = HIGH(t[i], t[i + 2]); }
#undef LOW
#undef HIGH
  for (int i = 0; i < 4; i++) __builtin_memcpy(y + i * sy, &r[i], sizeof r[i]);
}

// 2 lines of 4: what 4x4 leaves of a panel of 6 rows.
INLINE void transpose_2x4(const uint32_t *x, ptrdiff_t sx, uint32_t *y, ptrdiff_t sy) {
  lanes4 r[2];
  for (int i = 0; i < 2; i++) __builtin_memcpy(&r[i], x + i * sx, sizeof r[i]);
  const lanes4 pairs[2] = {__builtin_shufflevector(r[0], r[1], 0, 4, 1, 5), __builtin_shufflevector(r[0], r[1], 2, 6, 3, 7)};
  for (int i = 0; i < 4; i++) __builtin_memcpy(y + i * sy, (const uint32_t *)pairs + 2 * i, 8);
}

enum { COPY_TILE = 32 };

#define LINES_AT_ONCE(lines, width) \
  for (; i + lines <= rows; i += lines) { \
    ptrdiff_t j = 0; \
    for (; j + width <= columns; j += width) transpose_##lines##x##width(x + i * sx + j, sx, y + j * sy + i, sy); \
    for (; j < columns; j++) \
      for (ptrdiff_t k = i; k < i + lines; k++) y[j * sy + k] = x[k * sx + j]; \
  }

// y[j * sy + i] = x[i * sx + j] for 4-byte elements: both sides contiguous along one axis.
static void transpose_32(ptrdiff_t rows, ptrdiff_t columns, const uint32_t *x, ptrdiff_t sx, uint32_t *y, ptrdiff_t sy) {
  ptrdiff_t i = 0;
  if (rows == COPY_TILE && columns == COPY_TILE) {
    uint32_t tile[COPY_TILE * COPY_TILE];
    for (i = 0; i < COPY_TILE; i += 8)
      for (ptrdiff_t j = 0; j < COPY_TILE; j += 8) transpose_8x8(x + i * sx + j, sx, tile + j * COPY_TILE + i, COPY_TILE);
    for (ptrdiff_t j = 0; j < COPY_TILE; j++) __builtin_memcpy(y + j * sy, tile + j * COPY_TILE, COPY_TILE * 4);
    return;
  }
  LINES_AT_ONCE(8, 8) LINES_AT_ONCE(4, 4) LINES_AT_ONCE(2, 4)
  for (; i < rows; i++)
    SCALAR_LOOP for (ptrdiff_t j = 0; j < columns; j++) y[j * sy + i] = x[i * sx + j];
}

// Rows that run along both sides are copied as lines. Otherwise in square tiles: within one, the lines that the strided side
// touches stay in L1 until all their elements are used.
#define COPY2D(bits, T, transposed) \
  static void copy2d_##bits( \
      ptrdiff_t rows, ptrdiff_t columns, const void *xv, ptrdiff_t sx0, ptrdiff_t sx1, void *yv, ptrdiff_t sy0, ptrdiff_t sy1) { \
    const T *x = xv; T *y = yv; \
    if (sx1 == 1 && sy1 == 1) { \
      for (ptrdiff_t i = 0; i < rows; i++) copy_##bits(columns, x + i * sx0, 1, y + i * sy0, 1); \
      return; \
    } \
    if (sx0 == 1 && sy0 == 1) { \
      for (ptrdiff_t j = 0; j < columns; j++) copy_##bits(rows, x + j * sx1, 1, y + j * sy1, 1); \
      return; \
    } \
    for (ptrdiff_t i = 0; i < rows; i += COPY_TILE) { \
      ptrdiff_t height = MIN(COPY_TILE, rows - i); \
      for (ptrdiff_t j = 0; j < columns; j += COPY_TILE) { \
        ptrdiff_t width = MIN(COPY_TILE, columns - j); \
        const T *from = x + i * sx0 + j * sx1; T *to = y + i * sy0 + j * sy1; \
        if (transposed && sx1 == 1 && sy0 == 1) { \
          transpose_32(height, width, (const void *)from, sx0, (void *)to, sy1); \
        } else if (transposed && sx0 == 1 && sy1 == 1) { \
          transpose_32(width, height, (const void *)from, sx1, (void *)to, sy0); \
        } else { \
          for (ptrdiff_t p = 0; p < height; p++) \
            SCALAR_LOOP for (ptrdiff_t q = 0; q < width; q++) to[p * sy0 + q * sy1] = from[p * sx0 + q * sx1]; \
        } \
      } \
    } \
  }
COPY2D(8, uint8_t, 0)
COPY2D(16, uint16_t, 0)
COPY2D(32, uint32_t, 1)
COPY2D(64, uint64_t, 0)

// ------------------------------------------------------------------------------------------ past the caches

typedef uint8_t stream_lanes __attribute__((vector_size(APUS_VECTOR_BYTES)));
static void stream(ptrdiff_t n, const void *xv, void *yv) {
  const uint8_t *x = xv; uint8_t *y = yv;
  ptrdiff_t i = 0;
  // Up to a whole vector of y, and what is left after the last.
#define STREAM_BYTES(end) for (; i < (end); i++) y[i] = x ? x[i] : 0
  STREAM_BYTES(MIN(n, (ptrdiff_t)(-(uintptr_t)y % sizeof(stream_lanes))));
  stream_lanes v = {0};
  for (; i + (ptrdiff_t)sizeof v <= n; i += sizeof v) {
    if (x) __builtin_memcpy(&v, x + i, sizeof v);
    __builtin_nontemporal_store(v, (stream_lanes *)(void *)(y + i));
  }
  STREAM_BYTES(n);
#undef STREAM_BYTES
}
