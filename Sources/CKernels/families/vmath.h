// Elementary functions of float without branches or tables, so that the loops around them become vector code on every
// instruction set. Each reduces its argument to a short interval (Cody and Waite: subtract multiples of a constant kept in two
// pieces), evaluates a polynomial fitted to the interval's largest relative error (our own fits, coefficients rounded to float
// one after another), and puts the result together again. README.md has the measured errors: all stay within 2 ulp.
//
// Special values come out right without being asked for, or are chosen at the end; where a NaN must survive a clamp, the
// comparison is written so that it is false for NaN.

// The nearest integer by adding and subtracting a number whose last bit is worth 1; SSE2 has no rounding instruction.
#define ROUND_MAGIC 0x1.8p23f
// ln 2 = LN2_HIGH + LN2_LOW; the first has 9 bits, so its product with an exponent is exact.
#define LN2_HIGH 0x1.63p-1f
#define LN2_LOW -2.12194440e-4f
#define V_INFINITY __builtin_inff()

INLINE float power_of_2(int32_t k) { return f32_of_bits((uint32_t)(k + 127) << 23); }

// x = k ln 2 + r with |r| <= ln 2 / 2; returns r.
INLINE float reduce_ln2(float x, int32_t *k) {
  const float shifted = x * 1.44269504f + ROUND_MAGIC;
  const float n = shifted - ROUND_MAGIC;
  *k = (int32_t)(bits_of_f32(shifted) - bits_of_f32(ROUND_MAGIC));
  return (x - n * LN2_HIGH) - n * LN2_LOW;
}

// e^r - 1 = r + r^2 p(r) for |r| <= ln 2 / 2.
INLINE float expm1_polynomial(float r) {
  return (((0x1.6d6a7ap-10f * r + 0x1.123ac6p-7f) * r + 0x1.5554cep-5f) * r + 0x1.55549p-3f) * r + 0.5f;
}
INLINE float expm1_reduced(float r) { return expm1_polynomial(r) * (r * r) + r; }

// y 2^k, in two halves: k reaches 128, and -150 where the result is subnormal and must be rounded once.
INLINE float scaled(float y, int32_t k) {
  const int32_t half = k >> 1;
  return y * power_of_2(half) * power_of_2((int32_t)((uint32_t)k - (uint32_t)half));
}

// The same for k <= 60 by 2^(k + 64), far enough from both ends of the exponents, then 2^-64 of it, which rounds once.
INLINE float power_of_2_raised(int32_t k) { return power_of_2((int32_t)((uint32_t)k + 64)); }
INLINE float scaled_down(float y, int32_t k) { return y * power_of_2_raised(k) * 0x1p-64f; }

INLINE float v_exp(float x) {
  const float high = x > 89.0f ? 89.0f : x, clamped = high < -104.0f ? -104.0f : high;
  int32_t k;
  const float r = reduce_ln2(clamped, &k);
  return scaled(expm1_reduced(r) + 1.0f, k);
}

// e^-a for a >= 0.
INLINE float exp_negative(float a) {
  int32_t k;
  const float r = reduce_ln2(-(a > 104.0f ? 104.0f : a), &k);
  return scaled_down(expm1_reduced(r) + 1.0f, k);
}

// e^x - 1 = 2^k (e^r - 1) + (2^k - 1), at half size because 2^128 is no float.
INLINE float v_expm1(float x) {
  const float high = x > 89.0f ? 89.0f : x, clamped = high < -30.0f ? -30.0f : high;
  int32_t k;
  const float r = reduce_ln2(clamped, &k);
  const float half_scale = power_of_2((int32_t)((uint32_t)k - 1));
  const float y = 2.0f * (half_scale * expm1_reduced(r) + (half_scale - 0.5f));
  return __builtin_fabsf(x) < 0x1p-26f ? x : y;
}

// log(2^e (1 + f)) for 1 + f in [2/3, 4/3).
INLINE float log_reduced(float e, float f) {
  const float f2 = f * f;
  float q = -0x1.07bc3cp-3f;
  q = q * f + 0x1.1e6eb6p-3f;
  q = q * f - 0x1.f335dp-4f;
  q = q * f + 0x1.1ed508p-3f;
  q = q * f - 0x1.559c54p-3f;
  q = q * f + 0x1.99d054p-3f;
  q = q * f - 0x1.fffefap-3f;
  q = q * f + 0x1.555506p-2f;
  float y = q * (f2 * f) + e * LN2_LOW;
  y = y - 0.5f * f2;
  return e * LN2_HIGH + (f + y);
}

// e with m = x / 2^e in [2/3, 4/3), for normal positive x, from the bits; 0x3f2aaaab is 2/3.
INLINE int32_t log_exponent(float x) { return (int32_t)(bits_of_f32(x) - 0x3f2aaaabu) >> 23; }
INLINE float log_mantissa(float x, int32_t e) { return f32_of_bits(bits_of_f32(x) - ((uint32_t)e << 23)); }

INLINE float v_log(float x) {
  const bool tiny = x < 0x1p-126f;
  const float normal = tiny ? x * 0x1p23f : x;
  const int32_t e = log_exponent(normal);
  const float f = log_mantissa(normal, e) - 1.0f;
  const float y = log_reduced((float)(e - (tiny ? 23 : 0)), f);
  const float special = x == 0.0f ? -V_INFINITY : x < 0.0f ? __builtin_nanf("") : x;
  return ((x > 0.0f) & (x < V_INFINITY)) ? y : special;
}

// log u for u = 1 + x rounded, with the rounding error of u added back to the reduced argument, where it is exact again.
INLINE float v_log1p(float x) {
  const float u = 1.0f + x;
  const float larger = x > 1.0f ? x : 1.0f, smaller = x > 1.0f ? 1.0f : x;
  const float error = smaller - (u - larger);
  const int32_t e = log_exponent(u);
  const float f = (log_mantissa(u, e) - 1.0f) + error * power_of_2(e < 60 ? -e : -60);
  const float y = log_reduced((float)e, f);
  const float special = x == -1.0f ? -V_INFINITY : x < -1.0f ? __builtin_nanf("") : x;
  const float finite = __builtin_fabsf(x) < 0x1p-26f ? x : y;
  return ((x > -1.0f) & (x < V_INFINITY)) ? finite : special;
}

// Near 0 an odd polynomial; elsewhere 1 - 2 / (e^2x + 1).
INLINE float v_tanh(float x) {
  const float a = __builtin_fabsf(x), b = a > 10.0f ? 10.0f : a;
  const float s = b * b;
  const float p = ((((0x1.1fc4cep-9f * s - 0x1.0db2cep-7f) * s + 0x1.63de6cp-6f) * s - 0x1.b9f58p-5f) * s + 0x1.111086p-3f) * s
                  - 0x1.555554p-2f;
  const float small = p * (s * b) + b;
  int32_t k;
  const float r = reduce_ln2(b + b, &k);
  const float e = (expm1_reduced(r) + 1.0f) * power_of_2(k);
  const float large = 1.0f - 2.0f / (e + 1.0f);
  return __builtin_copysignf(b < 0.6f ? small : large, x);
}

// e^-|x| never exceeds 1, and e^x / (1 + e^x) keeps the digits of small results. What the addition 1 + e lost is put back to
// first order; 1 / (1 + e) is known by then, it is the quotient or its complement.
INLINE float v_sigmoid(float x) {
  const float e = exp_negative(__builtin_fabsf(x));
  const float d = 1.0f + e, lost = e - (d - 1.0f);
  const float q = (x < 0.0f ? e : 1.0f) / d;
  return q - q * (lost * (x < 0.0f ? 1.0f - q : q));
}
INLINE float v_log_sigmoid(float x) { return (x > 0.0f ? 0.0f : x) - v_log1p(exp_negative(__builtin_fabsf(x))); }

// Near 0 an odd polynomial, x + x p(x^2), so that 2 / sqrt(pi) need not be a float; elsewhere 1 - e^g(x) with g fitted to
// log erfc.
INLINE float v_erf(float x) {
  const float a = __builtin_fabsf(x), b = a > 4.0f ? 4.0f : a;
  const float s = b * b;
  float p = 0x1.4f676p-14f;
  p = p * s - 0x1.a60a2ep-11f;
  p = p * s + 0x1.544a1ap-8f;
  p = p * s - 0x1.b8011ap-6f;
  p = p * s + 0x1.ce2d64p-4f;
  p = p * s - 0x1.812740p-2f;
  p = p * s + 0x1.06eba8p-3f;
  float g = 0x1.9d8614p-13f;
  g = g * b - 0x1.908192p-9f;
  g = g * b + 0x1.6cfcfcp-6f;
  g = g * b - 0x1.aa231ap-4f;
  g = g * b - 0x1.462cb2p-1f;
  g = g * b - 0x1.20b432p+0f;
  g = g * b - 0x1.743b3ap-13f;
  int32_t k;
  const float r = reduce_ln2(g, &k);
  const float large = 1.0f - (expm1_reduced(r) + 1.0f) * power_of_2(k);
  return __builtin_copysignf(b < 0.92f ? p * b + b : large, x);
}

// ------------------------------------------------------------------------------------------ the tail of the normal distribution

// a b + c, rounded once. Without an instruction for it by way of double, where the product is exact.
#if APUS_HARDWARE_FMA
INLINE float fused(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
#else
INLINE float fused(float a, float b, float c) { return (float)((double)a * (double)b + (double)c); }
#endif

// e^(more - factor a^2) = 2^k (1 + the result), for a factor that is a power of 2. The square is in two pieces, so that the exponent has
// its digits behind the point however large it is: what rounding took from it, or products of halves of a, of which the larger is exact.
INLINE float gauss(float a, float factor, float more, int32_t *k) {
#if APUS_HARDWARE_FMA
  const float square = a * a, high = factor * square, low = factor * fused(a, a, -square);
#else
  const float upper = f32_of_bits(bits_of_f32(a) & 0xfffff000u);
  const float high = factor * (upper * upper), low = factor * ((a - upper) * (a + upper));
#endif
  const float shifted = high * -1.44269504f + ROUND_MAGIC;
  const float n = shifted - ROUND_MAGIC;
  *k = (int32_t)(bits_of_f32(shifted) - bits_of_f32(ROUND_MAGIC));
  const float r = (-high - n * LN2_HIGH) - ((n * LN2_LOW + low) - more);
  return fused(expm1_polynomial(r), r * r, r);
}

// What is left when e^(-a^2) is taken out of erfc a, or e^(-a^2 / 2) out of the normal distribution: a function that falls from a
// constant to const / a. Times a + c it is nearly constant, high + low + v p with v = (a - c) / (a + c), which runs from -1 to not
// quite 1, and a short polynomial p. `t` is 1 / (a + c); `missed` is what the roundings of a + c and of the division changed, relative
// to the whole: it goes into the exponent of `gauss`.
typedef struct { float t, v, p, high, low, missed; } tail;

// Divides, and says how far off the result is: `slope` is -d log(tail) / d log(a + c), about.
INLINE float tail_division(float a, float c, float *t, float slope_0, float slope_t) {
  const float s = a + c, lost = (s - c) - a;
  *t = 1.0f / s;
  return (fused(-*t, s, 1.0f) + lost * *t) * (slope_0 + slope_t * *t);
}
// high + low + v p with more digits than a float has: the result and `rest`.
INLINE float tail_value(tail p, float *rest) {
  const float value = fused(p.v, p.p, p.high);
  *rest = fused(p.v, p.p, p.high - value) + p.low;
  return value;
}

// (a + 3/2) e^(a^2) erfc a for 0 <= a <= 10.5.
INLINE tail erfc_tail(float a) {
  float t;
  const float missed = tail_division(a, 1.5f, &t, 1.1f, 1.0f), v = fused(-3.0f, t, 1.0f);
  const float v2 = v * v, v4 = v2 * v2;
  const float low = (-0x1.0a8c54p-7f * v + 0x1.875430p-5f) * v2 + (0x1.35c050p-4f * v - 0x1.0404ecp-1f);
  const float middle = (0x1.81ddb4p-11f * v + 0x1.df1f50p-10f) * v2 + (-0x1.834a1ap-11f * v - 0x1.366e36p-7f);
  const float p = ((-0x1.26844ep-13f * v - 0x1.6903a0p-13f) * v4 + middle) * v4 + low;
  return (tail){t, v, p, 0x1.edf488p-1f, -0x1.d32032p-27f, missed};
}

// (a + 9/4) e^(a^2 / 2) times the probability that a normal variable exceeds a, for 0 <= a <= 15.
INLINE tail normal_tail(float a) {
  float t;
  const float missed = tail_division(a, 2.25f, &t, 1.1f, 1.7f), v = fused(-4.5f, t, 1.0f);
  const float v2 = v * v, v4 = v2 * v2;
  const float low = (-0x1.5a3e44p-7f * v + 0x1.c815b0p-6f) * v2 + (0x1.483a14p-4f * v - 0x1.8ba77ap-2f);
  const float middle = (0x1.d9601ap-13f * v + 0x1.667662p-10f) * v2 + (0x1.b612fap-11f * v - 0x1.71968ap-8f);
  const float p = ((-0x1.819f9ap-14f * v - 0x1.c0da1ap-13f) * v4 + middle) * v4 + low;
  return (tail){t, v, p, 0x1.62039ap-1f, -0x1.b47a36p-27f, missed};
}

INLINE float v_erfc(float x) {
  const float magnitude = __builtin_fabsf(x), a = magnitude > 10.5f ? 10.5f : magnitude;
  const tail p = erfc_tail(a);
  int32_t k;
  const float e = gauss(a, 1.0f, p.missed, &k);
  float rest;
  const float value = tail_value(p, &rest), y = scaled_down(fused(p.t, value, p.t * fused(value, e, rest)), k);
  return x < 0.0f ? 2.0f - y : y;
}

// x Phi(x) has the sign of x, and its values at x and -x differ by x.
INLINE float v_gelu(float x) {
  const float magnitude = __builtin_fabsf(x), a = magnitude > 15.0f ? 15.0f : magnitude;
  const tail p = normal_tail(a);
  int32_t k;
  const float e = gauss(a, 0.5f, p.missed, &k);
  const float high = a * power_of_2_raised(k), z = high * p.t, lost = fused(high, p.t, -z);  // what rounding took from z
  float rest;
  const float value = tail_value(p, &rest), little = lost * value;
  const float left = fused(z, value, fused(z, fused(value, e, rest), fused(little, e, little)));
  return fused(left, -0x1p-64f, x < 0.0f ? -0.0f : x);
}

// The derivative, Phi(x) + x phi(x); 1 / sqrt(2 pi) in two pieces.
INLINE float v_gelu_slope(float x) {
  const float magnitude = __builtin_fabsf(x), a = magnitude > 15.0f ? 15.0f : magnitude;
  const tail p = normal_tail(a);
  int32_t k;
  const float e = gauss(a, 0.5f, 0.0f, &k);
  const float below = a * 0x1.988454p-2f;
  const float rest = fused(a, 0x1.988454p-2f, -below) - a * 0x1.857936p-27f;
  float more;
  const float value = tail_value(p, &more);
  const float difference = fused(p.t, value, -below), small = p.t * (value * p.missed + more) - rest;
  const float left = scaled_down(difference + fused(difference, e, small), k);
  return x > 0.0f ? 1.0f - left : left;
}

// ------------------------------------------------------------------------------------------ sine and cosine

// Up to this argument the reduction below is exact to the last bit of float; above it the caller asks libm.
#define V_TRIG_LIMIT 0x1p20f

// x = k pi/2 + r, |r| <= pi/4, in double: pi/2's first 33 bits times k < 2^20 are exact, and where x is close to a multiple
// the digits that cancel are still there. Then a polynomial in float; which one and its sign follow from k (+ 1 for cosine).
INLINE float trig(float x, uint64_t quarter_turns) {
  const double d = x;
  const double shifted = d * 0x1.45f306dc9c883p-1 + 0x1.8p52, n = shifted - 0x1.8p52;
  const float r = (float)((d - n * 0x1.921fb544p+0) - n * 0x1.0b4611a626331p-34);
  const uint32_t quadrant = (uint32_t)(bits_of_f64(shifted) + quarter_turns);
  const float s = r * r;
  const float sine = ((0x1.7c33bp-19f * s - 0x1.a05960p-13f) * s + 0x1.111174p-7f) * s - 0x1.555556p-3f;
  const float cosine = (-0x1.361852p-22f * s + 0x1.a071bep-16f) * s * s + (0x1.555556p-5f - 0x1.6c175ep-10f * s);
  const float y = quadrant & 1 ? 1.0f - (0.5f * s - cosine * (s * s)) : sine * (s * r) + r;
  return f32_of_bits(bits_of_f32(y) ^ ((quadrant & 2) << 30));
}
INLINE float v_sin(float x) { return x == 0.0f ? x : trig(x, 0); }
INLINE float v_cos(float x) { return trig(x, 1); }
