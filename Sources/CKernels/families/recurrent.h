// The arithmetic between the matrix products of a recurrent step: from the sums that the products give to the new state, and back.
// Each function walks rows (sequences) and, inside, units; an element depends on nothing but its own operands.

#define CELL_LOOP_f32 VECTOR_LOOP
#define CELL_LOOP_f64 // libm's functions are calls
INLINE f32 cell_sigmoid_f32(f32 x) { return v_sigmoid(x); }
INLINE f32 cell_tanh_f32(f32 x) { return v_tanh(x); }
INLINE f64 cell_sigmoid_f64(f64 x) { return sigmoid_f64(x); }
INLINE f64 cell_tanh_f64(f64 x) { return tanh(x); }

// Operand `name` of the block at row r; `width` is the number of lines of `hidden` units in its rows.
#define CELL_IN(F, name, width) const F *name = (const F *)b->name + r * (width) * b->hidden
#define CELL_OUT(F, name, width) F *name = (F *)b->name + r * (width) * b->hidden
#define EACH_ROW for (ptrdiff_t r = 0; r < b->rows; r++)
#define EACH_UNIT(F) CELL_LOOP_##F for (ptrdiff_t j = 0; j < b->units; j++)
// What backward needs of a state before it is overwritten.
#define KEEP(F, name) \
  if (b->name##_old) { CELL_OUT(F, name##_old, 1); __builtin_memcpy(name##_old, name, (size_t)b->units * sizeof(F)); }

// Where the four gates of a row go: what backward reads, or a buffer.
#define GATES(F) \
  F buffer[4][CELL_UNITS], *gates[4]; \
  for (int g = 0; g < 4; g++) gates[g] = b->saved ? (F *)b->saved + (r * 4 + g) * b->hidden : buffer[g];

#define PLAIN_CELL(F, name, activation, derivative) \
  static void JOIN(name##_forward, F)(const apus_cell_forward_block *b) { \
    EACH_ROW { \
      CELL_IN(F, x, 1); CELL_IN(F, s, 1); CELL_OUT(F, h, 1); CELL_OUT(F, y, 1); \
      KEEP(F, h) \
      EACH_UNIT(F) { const F a = x[j] + s[j]; h[j] = y[j] = activation; } \
    } \
  } \
  static void JOIN(name##_backward, F)(const apus_cell_backward_block *b) { \
    EACH_ROW { \
      CELL_IN(F, dy, 1); CELL_IN(F, y, 1); CELL_IN(F, dh, 1); CELL_OUT(F, dx, 1); \
      EACH_UNIT(F) { const F d = dh[j] + dy[j], t = y[j]; dx[j] = derivative; } \
    } \
  }
#define RECURRENT_CELLS(F) \
  PLAIN_CELL(F, tanh_cell, JOIN(cell_tanh, F)(a), d * (1 - t * t)) \
  PLAIN_CELL(F, relu_cell, (a < 0 ? 0 : a), (t > 0 ? d : 0)) \
  static void JOIN(lstm_forward, F)(const apus_cell_forward_block *b) { \
    const ptrdiff_t H = b->hidden; \
    EACH_ROW { \
      CELL_IN(F, x, 4); CELL_IN(F, s, 4); CELL_OUT(F, h, 1); CELL_OUT(F, c, 1); CELL_OUT(F, y, 1); \
      KEEP(F, h) KEEP(F, c) \
      GATES(F) \
      EACH_UNIT(F) gates[0][j] = JOIN(cell_sigmoid, F)(x[j] + s[j]); \
      EACH_UNIT(F) gates[1][j] = JOIN(cell_sigmoid, F)(x[H + j] + s[H + j]); \
      EACH_UNIT(F) gates[2][j] = JOIN(cell_tanh, F)(x[2 * H + j] + s[2 * H + j]); \
      EACH_UNIT(F) gates[3][j] = JOIN(cell_sigmoid, F)(x[3 * H + j] + s[3 * H + j]); \
      EACH_UNIT(F) { \
        const F cell = gates[1][j] * c[j] + gates[0][j] * gates[2][j]; \
        c[j] = cell; \
        h[j] = y[j] = gates[3][j] * JOIN(cell_tanh, F)(cell); \
      } \
    } \
  } \
  static void JOIN(lstm_backward, F)(const apus_cell_backward_block *b) { \
    const ptrdiff_t H = b->hidden; \
    EACH_ROW { \
      CELL_IN(F, dy, 1); CELL_IN(F, dh, 1); CELL_OUT(F, dc, 1); CELL_IN(F, saved, 4); CELL_IN(F, c_old, 1); CELL_OUT(F, dx, 4); \
      EACH_UNIT(F) { \
        const F i = saved[j], f = saved[H + j], g = saved[2 * H + j], o = saved[3 * H + j], old = c_old[j]; \
        const F t = JOIN(cell_tanh, F)(f * old + i * g), d = dh[j] + dy[j]; \
        const F cell = dc[j] + d * o * (1 - t * t); \
        dx[j] = cell * g * i * (1 - i); \
        dx[H + j] = cell * old * f * (1 - f); \
        dx[2 * H + j] = cell * i * (1 - g * g); \
        dx[3 * H + j] = d * t * o * (1 - o); \
        dc[j] = cell * f; \
      } \
    } \
  } \
  static void JOIN(gru_forward, F)(const apus_cell_forward_block *b) { \
    const ptrdiff_t H = b->hidden; \
    EACH_ROW { \
      CELL_IN(F, x, 3); CELL_IN(F, s, 3); CELL_OUT(F, h, 1); CELL_OUT(F, y, 1); \
      const F *bias = b->bias; \
      KEEP(F, h) \
      GATES(F) \
      EACH_UNIT(F) gates[0][j] = JOIN(cell_sigmoid, F)(x[j] + s[j]); \
      EACH_UNIT(F) gates[1][j] = JOIN(cell_sigmoid, F)(x[H + j] + s[H + j]); \
      if (bias) { EACH_UNIT(F) gates[3][j] = s[2 * H + j] + bias[j]; } \
      else { EACH_UNIT(F) gates[3][j] = s[2 * H + j]; } \
      EACH_UNIT(F) gates[2][j] = JOIN(cell_tanh, F)(x[2 * H + j] + gates[0][j] * gates[3][j]); \
      EACH_UNIT(F) { const F n = gates[2][j]; h[j] = y[j] = n + gates[1][j] * (h[j] - n); } \
    } \
  } \
  static void JOIN(gru_backward, F)(const apus_cell_backward_block *b) { \
    const ptrdiff_t H = b->hidden; \
    EACH_ROW { \
      CELL_IN(F, dy, 1); CELL_OUT(F, dh, 1); CELL_IN(F, saved, 4); CELL_IN(F, h_old, 1); CELL_OUT(F, dx, 3); CELL_OUT(F, ds, 3); \
      EACH_UNIT(F) { \
        const F gate = saved[j], z = saved[H + j], n = saved[2 * H + j], q = saved[3 * H + j], d = dh[j] + dy[j]; \
        const F dn = d * (1 - z) * (1 - n * n); \
        dx[j] = ds[j] = dn * q * gate * (1 - gate); \
        dx[H + j] = ds[H + j] = d * (h_old[j] - n) * z * (1 - z); \
        dx[2 * H + j] = dn; \
        ds[2 * H + j] = dn * gate; \
        dh[j] = d * z; \
      } \
    } \
  }
// The most units of a block.
enum { CELL_UNITS = 64 };
RECURRENT_CELLS(f32)
RECURRENT_CELLS(f64)

#define CELLS_BY_DTYPE(way) { \
    {tanh_cell_##way##_f32, relu_cell_##way##_f32, lstm_##way##_f32, gru_##way##_f32}, \
    {tanh_cell_##way##_f64, relu_cell_##way##_f64, lstm_##way##_f64, gru_##way##_f64}}
