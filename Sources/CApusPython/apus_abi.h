// The C ABI between the library libApusPython (Swift) and the extension module apus._C (C, in python/). Functions marked "may fail" fill in
// `error` and return NULL (or false); nobody else's memory is touched then.
#ifndef APUS_ABI_H
#define APUS_ABI_H

#include <stdbool.h>
#include <stdint.h>

// Raised whenever something here changes its meaning: the extension refuses a library of another version.
#define APUS_ABI_VERSION 2

// Tensors with more axes cannot be shown to Python.
#define APUS_MAX_RANK 64

// A tensor variable: what a Python tensor holds. Owned; `apus_release` gives it back.
typedef void *apus_handle;

// MARK: - Values

enum apus_tag {
  APUS_NONE,
  APUS_TENSOR,   // pointer: a handle
  APUS_INT,      // integer
  APUS_FLOAT,    // number
  APUS_BOOL,     // integer
  APUS_INTS,     // pointer: int64_t[count]; INT64_MIN stands for None
  APUS_FLOATS,   // pointer: double[count]
  APUS_STRING,   // pointer: UTF-8, count bytes
  APUS_TENSORS,  // pointer: apus_handle[count]; NULL stands for None
  APUS_DTYPE,    // integer: a dtype's number
  APUS_SLICE,    // pointer: int64_t[3] from, to, step; INT64_MIN stands for None
  APUS_ELLIPSIS,
  APUS_VALUES,   // pointer: apus_value[count]; a list, or, where integer is 1, a tuple
  APUS_PAIRS,    // pointer: apus_value[2 * count]; a dictionary, keys and values in turn; integer 1: an OrderedDict
  APUS_BYTES,    // pointer: count bytes
  APUS_GENERATOR,  // pointer: a generator
};

typedef struct {
  int32_t tag;
  int32_t count;
  int64_t integer;
  double number;
  const void *pointer;
} apus_value;

// MARK: - Errors

enum apus_error_kind {
  APUS_OK,
  APUS_VALUE_ERROR,
  APUS_TYPE_ERROR,
  APUS_INDEX_ERROR,
  APUS_RUNTIME_ERROR,
  APUS_SHAPE_ERROR,
  APUS_MEMORY_ERROR,
  APUS_OS_ERROR,
  APUS_FORMAT_ERROR,
  APUS_PYTHON_ERROR,  // a callback has set a Python exception
};

typedef struct {
  int32_t kind;
  char *message;  // for apus_free
} apus_error;

// What every call that computes takes: the modes of the calling thread.
enum apus_mode {
  APUS_MODE_GRAD = 1,
  APUS_MODE_ANOMALY = 2,
  APUS_MODE_BFLOAT16 = 4,  // autocast
  APUS_MODE_FLOAT16 = 8,
};

// MARK: - Callbacks into Python

typedef struct {
  // Calls `object` with `count` tensors (which stay the caller's; NULL for None) and gets up to `capacity` handles (owned by the caller)
  // back. Returns how many, or -1 after an exception.
  int32_t (*call)(void *object, const apus_handle *inputs, int32_t count, apus_handle *outputs, int32_t capacity, int32_t mode);
  // Gives up a reference to a Python object; from any thread.
  void (*release)(void *object);
  // Begins a download; for `release`. NULL with a reason (for the caller to free), or without one if an exception is to end the call.
  void *(*open)(const char *address, char **reason);
  // Writes the next bytes, up to `capacity`, into `buffer`. Returns how many, 0 at the end, -1 with or without a reason as above.
  intptr_t (*read)(void *response, void *buffer, intptr_t capacity, char **reason);
} apus_callbacks;

// MARK: - Views

typedef struct {
  int32_t dtype;
  int32_t rank;
  int64_t count;
  bool requires_grad, is_leaf, is_contiguous;
} apus_info;

#endif
