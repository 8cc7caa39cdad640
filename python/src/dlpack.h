// The layout of DLPack's structures (https://dmlc.github.io/dlpack), version 1.0.
#ifndef APUS_DLPACK_H
#define APUS_DLPACK_H

#include <stdint.h>

typedef struct {
  int32_t type, id;  // type 1 is the CPU
} dl_device;

typedef struct {
  uint8_t code, bits;  // 0 signed, 1 unsigned, 2 float, 4 bfloat, 6 bool
  uint16_t lanes;
} dl_type;

typedef struct {
  void *data;
  dl_device device;
  int32_t ndim;
  dl_type dtype;
  int64_t *shape, *strides;  // in elements; no strides: row-major
  uint64_t byte_offset;
} dl_tensor;

typedef struct dl_managed {
  dl_tensor tensor;
  void *context;
  void (*deleter)(struct dl_managed *self);
} dl_managed;

#define DL_READ_ONLY 1
#define DL_IS_COPIED 2

typedef struct dl_managed_versioned {
  struct {
    uint32_t major, minor;
  } version;
  void *context;
  void (*deleter)(struct dl_managed_versioned *self);
  uint64_t flags;
  dl_tensor tensor;
} dl_managed_versioned;

#endif
