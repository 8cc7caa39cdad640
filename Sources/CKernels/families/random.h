// Philox 4x32-10: a counter goes in, four random words come out (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy
// as 1, 2, 3", 2011). Sixteen blocks are computed side by side so that the ten rounds become vector instructions, and four such
// chains in step, because a round waits for the multiplications of the one before.
//
// All arithmetic here is integer or a fixed sequence of IEEE operations without fused multiply-add, so a fill gives the same
// bits on every instruction set.

enum { PHILOX_LANES = 16, PHILOX_CHAINS = 4, PHILOX_BLOCKS = PHILOX_CHAINS * PHILOX_LANES, PHILOX_WORDS = 4 * PHILOX_BLOCKS };
#define EACH_CHAIN _Pragma("clang loop unroll(full)") for (int g = 0; g < PHILOX_CHAINS; g++)

typedef uint32_t words16 __attribute__((ext_vector_type(16)));
typedef uint64_t pairs8 __attribute__((ext_vector_type(8)));

// The low and high halves of x * factor: even and odd lanes apart, because the machine multiplies 32 bits into 64.
#define MULTIPLY_WIDE(x, factor, low, high) { \
    pairs8 pairs; \
    __builtin_memcpy(&pairs, &x, sizeof pairs); \
    const pairs8 even = (pairs & 0xffffffffu) * (uint64_t)(factor), odd = (pairs >> 32) * (uint64_t)(factor); \
    const pairs8 lows = (even & 0xffffffffu) | (odd << 32), highs = (even >> 32) | (odd & ~(uint64_t)0xffffffffu); \
    __builtin_memcpy(&low, &lows, sizeof low); \
    __builtin_memcpy(&high, &highs, sizeof high); \
  }

// Words of blocks counter ... counter + PHILOX_BLOCKS - 1, in order.
static void philox_words(uint64_t key, uint64_t counter, uint32_t *out) {
  words16 c0[PHILOX_CHAINS], c1[PHILOX_CHAINS], c2[PHILOX_CHAINS], c3[PHILOX_CHAINS];
  EACH_CHAIN {
    const uint64_t first = counter + (uint64_t)(g * PHILOX_LANES);
    const words16 lanes = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    c0[g] = (uint32_t)first + lanes;
    // A lane that wrapped around (its comparison is all ones) has carried.
    c1[g] = (uint32_t)(first >> 32) - (words16)(c0[g] < (uint32_t)first);
    c2[g] = c3[g] = 0;
  }
  uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
  for (int round = 0; round < 10; round++) {
    EACH_CHAIN {
      words16 p_low, p_high, q_low, q_high;
      MULTIPLY_WIDE(c0[g], 0xD2511F53u, p_low, p_high)
      MULTIPLY_WIDE(c2[g], 0xCD9E8D57u, q_low, q_high)
      c0[g] = q_high ^ c1[g] ^ k0;
      c2[g] = p_high ^ c3[g] ^ k1;
      c1[g] = q_low;
      c3[g] = p_low;
    }
    k0 += 0x9E3779B9u;  // the golden ratio and sqrt 3 - 1: the Weyl sequence of the key
    k1 += 0xBB67AE85u;
  }
  // Four vectors of one word each become sixteen blocks of four words.
#define LOW(a, b) __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
#define HIGH(a, b) __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
  EACH_CHAIN {
    const words16 even_low = LOW(c0[g], c2[g]), even_high = HIGH(c0[g], c2[g]);
    const words16 odd_low = LOW(c1[g], c3[g]), odd_high = HIGH(c1[g], c3[g]);
    const words16 blocks[4] = {
      LOW(even_low, odd_low), HIGH(even_low, odd_low), LOW(even_high, odd_high), HIGH(even_high, odd_high)};
    __builtin_memcpy(out + g * 4 * PHILOX_LANES, blocks, sizeof blocks);
  }
#undef LOW
#undef HIGH
}

// ------------------------------------------------------------------------------------------ words to numbers

// Each turns the words into its elements.
INLINE void numbers_bits32(const uint32_t *w, uint32_t *y) { __builtin_memcpy(y, w, PHILOX_WORDS * 4); }

INLINE void numbers_bits64(const uint32_t *w, uint64_t *y) {
  for (int i = 0; i < PHILOX_WORDS / 2; i++) y[i] = w[2 * i] | (uint64_t)w[2 * i + 1] << 32;
}

INLINE void numbers_uniform_f32(const uint32_t *w, float *y) {
  for (int i = 0; i < PHILOX_WORDS; i++) y[i] = (float)(int32_t)(w[i] >> 8) * 0x1p-24f;
}

INLINE void numbers_uniform_f64(const uint32_t *w, double *y) {
  for (int i = 0; i < PHILOX_WORDS / 2; i++) {
    uint64_t bits = w[2 * i] | (uint64_t)w[2 * i + 1] << 32;
    y[i] = (double)(int64_t)(bits >> 11) * 0x1p-53;
  }
}

// log u for u in (0, 1]; the polynomial of vmath.h in an order that no instruction set may fuse.
INLINE float log_unfused(float u) {
#pragma clang fp contract(off)
  const int32_t e = log_exponent(u);
  const float f = log_mantissa(u, e) - 1.0f, f2 = f * f;
  const float q0 = 0x1.555506p-2f - 0x1.fffefap-3f * f, q1 = 0x1.99d054p-3f - 0x1.559c54p-3f * f;
  const float q2 = 0x1.1ed508p-3f - 0x1.f335dp-4f * f, q3 = 0x1.1e6eb6p-3f - 0x1.07bc3cp-3f * f;
  const float q = ((q3 * f2 + q2) * f2 + q1) * f2 + q0;
  return (float)e * LN2_HIGH + (f + ((q * (f2 * f) + (float)e * LN2_LOW) - 0.5f * f2));
}

// Box and Muller: sqrt(-2 log u) times cosine and sine of a random angle. u is never 0, so the logarithm is finite. The angle
// is a 32-bit fraction of a turn: its quarter and the signed rest come from the bits exactly.
INLINE void numbers_normal_f32(const uint32_t *w, float *y) {
#pragma clang fp contract(off)
  float cosines[PHILOX_WORDS / 2], sines[PHILOX_WORDS / 2];
  for (int i = 0; i < PHILOX_WORDS / 2; i++) {
    const float u = (float)w[2 * i] * 0x1p-32f + 0x1p-33f;
    const float radius = __builtin_elementwise_sqrt(-2.0f * log_unfused(u));
    const uint32_t angle = w[2 * i + 1], quarter = (angle + 0x20000000u) >> 30;
    const float r = (float)(int32_t)(angle - (quarter << 30)) * (6.283185307179586f * 0x1p-32f), s = r * r;
    const float sine = (((0x1.7c33bp-19f * s - 0x1.a0596p-13f) * s + 0x1.111174p-7f) * s - 0x1.555556p-3f) * (s * r) + r;
    const float c = ((0x1.a071bep-16f - 0x1.361852p-22f * s) * s - 0x1.6c175ep-10f) * s + 0x1.555556p-5f;
    const float cosine = 1.0f - (0.5f * s - c * (s * s));
    const uint32_t first = bits_of_f32(quarter & 1 ? sine : cosine) ^ (((quarter + 1) & 2) << 30);
    const uint32_t second = bits_of_f32(quarter & 1 ? cosine : sine) ^ ((quarter & 2) << 30);
    cosines[i] = radius * f32_of_bits(first);
    sines[i] = radius * f32_of_bits(second);
  }
  for (int i = 0; i < PHILOX_WORDS / 2; i++) {
    y[2 * i] = cosines[i];
    y[2 * i + 1] = sines[i];
  }
}

INLINE void numbers_normal_f64(const uint32_t *w, double *y) {
  for (int i = 0; i < PHILOX_BLOCKS; i++) {
    const uint64_t a = w[4 * i] | (uint64_t)w[4 * i + 1] << 32, b = w[4 * i + 2] | (uint64_t)w[4 * i + 3] << 32;
    const double u = ((double)(int64_t)(a >> 11) + 1.0) * 0x1p-53;
    const double angle = (double)(int64_t)(b >> 11) * (6.283185307179586 * 0x1p-53);
    const double radius = sqrt(-2.0 * log(u));
    y[2 * i] = radius * cos(angle);
    y[2 * i + 1] = radius * sin(angle);
  }
}

// ------------------------------------------------------------------------------------------ fills

// PHILOX_BLOCKS at a time starting at the block that holds element `first`; ends are cut out of a buffer.
#define RANDOM_FILL(name, T, per_block) \
  static void random_##name(uint64_t key, uint64_t counter, ptrdiff_t first, ptrdiff_t n, void *outv) { \
    enum { GROUP = PHILOX_BLOCKS * (per_block) }; \
    T *out = outv, numbers[GROUP]; \
    uint32_t words[PHILOX_WORDS]; \
    uint64_t block = counter + (uint64_t)first / (per_block); \
    ptrdiff_t skip = first % (per_block); \
    for (ptrdiff_t i = 0; i < n; block += PHILOX_BLOCKS) { \
      philox_words(key, block, words); \
      if (skip == 0 && n - i >= GROUP) { \
        numbers_##name(words, out + i); \
        i += GROUP; \
      } else { \
        numbers_##name(words, numbers); \
        const ptrdiff_t count = MIN(GROUP - skip, n - i); \
        __builtin_memcpy(out + i, numbers + skip, (size_t)count * sizeof(T)); \
        i += count; \
        skip = 0; \
      } \
    } \
  }
RANDOM_FILL(bits32, uint32_t, 4)
RANDOM_FILL(bits64, uint64_t, 2)
RANDOM_FILL(uniform_f32, float, 4)
RANDOM_FILL(uniform_f64, double, 2)
RANDOM_FILL(normal_f32, float, 4)
RANDOM_FILL(normal_f64, double, 2)
