// Memory for other libraries: the buffer protocol and DLPack.
#include "extension.h"

#include "dlpack.h"

// MARK: - Lending

void *lend(PyObject *self, void **pointer) {
  if (apus_count(HANDLE(self)) < LARGE) return apus_export(HANDLE(self), pointer);
  void *token;
  apus_handle x = apus_copy(HANDLE(self));
  BEGIN_UNLOCKED
  token = apus_export(x, pointer);
  apus_release(x);
  END_UNLOCKED
  return token;
}

// MARK: - The buffer protocol, read-only

typedef struct {
  void *token;
  Py_ssize_t shape[APUS_MAX_RANK], strides[APUS_MAX_RANK];
} exported;

static const char *const formats[APUS_DTYPE_COUNT] = {"f", "d", "e", NULL, "l", "i", "h", "b", "B", "?"};

static int refuse(const char *reason) {
  PyErr_SetString(PyExc_BufferError, reason);
  return -1;
}

int get_buffer(PyObject *self, Py_buffer *view, int flags) {
  view->obj = NULL;
  apus_info info;
  int64_t shape[APUS_MAX_RANK], strides[APUS_MAX_RANK];
  apus_info_of(HANDLE(self), &info, shape, strides);
  if (info.requires_grad) return refuse("the tensor requires a gradient; use tensor.detach()");
  if (!formats[info.dtype]) return refuse("bfloat16 has no format in the buffer protocol; use tensor.float()");
  if (flags & PyBUF_WRITABLE) return refuse("tensors lend their memory read-only");
  if (!info.is_contiguous && (flags & PyBUF_STRIDES) != PyBUF_STRIDES) return refuse("the tensor is not contiguous");
  exported *export = PyMem_Malloc(sizeof(exported));
  if (!export) return PyErr_NoMemory(), -1;
  export->token = lend(self, &view->buf);
  view->itemsize = apus_dtype_size(info.dtype);
  for (int i = 0; i < info.rank; i++) {
    export->shape[i] = shape[i];
    export->strides[i] = strides[i] * view->itemsize;
  }
  view->obj = Py_NewRef(self);
  view->len = info.count * view->itemsize;
  view->readonly = 1;
  view->ndim = info.rank;
  view->format = flags & PyBUF_FORMAT ? (char *)formats[info.dtype] : NULL;
  view->shape = flags & PyBUF_ND ? export->shape : NULL;
  view->strides = (flags & PyBUF_STRIDES) == PyBUF_STRIDES ? export->strides : NULL;
  view->suboffsets = NULL;
  view->internal = export;
  return 0;
}

void release_buffer(PyObject *self, Py_buffer *view) {
  exported *export = view->internal;
  apus_unexport(export->token);
  PyMem_Free(export);
}

// MARK: - DLPack out

// What stands behind a capsule: both forms of the tensor, of which one is used.
typedef struct {
  dl_managed plain;
  dl_managed_versioned versioned;
  void *token;
  int64_t shape[APUS_MAX_RANK], strides[APUS_MAX_RANK];
} lent;

static void give_back(lent *self) {
  apus_unexport(self->token);
  free(self);
}

static void delete_plain(dl_managed *managed) { give_back(managed->context); }
static void delete_versioned(dl_managed_versioned *managed) { give_back(managed->context); }

static void free_plain(PyObject *capsule) {
  // A capsule that somebody has taken over has another name.
  if (!PyCapsule_IsValid(capsule, "dltensor")) return;
  dl_managed *managed = PyCapsule_GetPointer(capsule, "dltensor");
  managed->deleter(managed);
}

static void free_versioned(PyObject *capsule) {
  if (!PyCapsule_IsValid(capsule, "dltensor_versioned")) return;
  dl_managed_versioned *managed = PyCapsule_GetPointer(capsule, "dltensor_versioned");
  managed->deleter(managed);
}

static const struct {
  uint8_t code, bits;
} dl_types[APUS_DTYPE_COUNT] = {{2, 32}, {2, 64}, {2, 16}, {4, 16}, {0, 64}, {0, 32}, {0, 16}, {0, 8}, {1, 8}, {6, 8}};

static PyObject *capsule_of(PyObject *self, bool is_versioned, bool is_copy) {
  apus_info info;
  lent *result = calloc(1, sizeof(lent));
  if (!result) return PyErr_NoMemory();
  apus_info_of(HANDLE(self), &info, result->shape, result->strides);
  dl_tensor tensor = {
      .device = {1, 0},
      .ndim = info.rank,
      .dtype = {dl_types[info.dtype].code, dl_types[info.dtype].bits, 1},
      .shape = result->shape,
      .strides = result->strides,
  };
  result->token = lend(self, &tensor.data);
  result->plain = (dl_managed){tensor, result, delete_plain};
  result->versioned = (dl_managed_versioned){{1, 0}, result, delete_versioned, is_copy ? DL_IS_COPIED : DL_READ_ONLY, tensor};
  PyObject *capsule = is_versioned ? PyCapsule_New(&result->versioned, "dltensor_versioned", free_versioned)
                                   : PyCapsule_New(&result->plain, "dltensor", free_plain);
  if (!capsule) give_back(result);
  return capsule;
}

PyObject *dlpack_of(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names) {
  PyObject *version = Py_None, *copy = Py_None, *stream = Py_None, *device = Py_None;
  Py_ssize_t keywords = names ? PyTuple_GET_SIZE(names) : 0;
  if (count > 0) return PyErr_Format(PyExc_TypeError, "__dlpack__() takes keywords only");
  for (Py_ssize_t i = 0; i < keywords; i++) {
    const char *name = PyUnicode_AsUTF8(PyTuple_GET_ITEM(names, i));
    if (!name) return NULL;
    PyObject *value = args[count + i];
    if (!strcmp(name, "max_version")) version = value;
    else if (!strcmp(name, "copy")) copy = value;
    else if (!strcmp(name, "stream")) stream = value;
    else if (!strcmp(name, "dl_device")) device = value;
    else return PyErr_Format(PyExc_TypeError, "__dlpack__() got an unexpected keyword argument '%s'", name);
  }
  if (stream != Py_None) return PyErr_Format(PyExc_BufferError, "a tensor on the CPU has no stream");
  if (device != Py_None) {
    long kind = PyTuple_Check(device) && PyTuple_GET_SIZE(device) == 2 ? PyLong_AsLong(PyTuple_GET_ITEM(device, 0)) : -1;
    if (kind == -1 && PyErr_Occurred()) return NULL;
    if (kind != 1) return PyErr_Format(PyExc_BufferError, "the tensor is on the CPU and cannot be lent to device %R", device);
  }
  apus_info info;
  apus_info_of(HANDLE(self), &info, NULL, NULL);
  if (info.requires_grad) return PyErr_Format(PyExc_BufferError, "the tensor requires a gradient; use tensor.detach()");
  bool is_versioned = false;
  if (version != Py_None) {
    if (!PyTuple_Check(version) || PyTuple_GET_SIZE(version) != 2) return PyErr_Format(PyExc_TypeError, "max_version is a pair of numbers");
    long major = PyLong_AsLong(PyTuple_GET_ITEM(version, 0));
    if (major == -1 && PyErr_Occurred()) return NULL;
    is_versioned = major >= 1;
  }
  if (copy != Py_True) return capsule_of(self, is_versioned, false);
  PyObject *clone = PyObject_CallMethod(self, "clone", NULL);
  if (!clone) return NULL;
  PyObject *capsule = capsule_of(clone, is_versioned, true);
  Py_DECREF(clone);
  return capsule;
}

// MARK: - DLPack in

static void end_plain(void *context) {
  dl_managed *managed = context;
  if (managed->deleter && Py_IsInitialized()) {
    PyGILState_STATE state = PyGILState_Ensure();
    managed->deleter(managed);
    PyGILState_Release(state);
  }
}

static void end_versioned(void *context) {
  dl_managed_versioned *managed = context;
  if (managed->deleter && Py_IsInitialized()) {
    PyGILState_STATE state = PyGILState_Ensure();
    managed->deleter(managed);
    PyGILState_Release(state);
  }
}

static apus_handle borrow(const dl_tensor *tensor, void (*release)(void *), void *context, apus_error *error) {
  int32_t dtype = -1;
  for (int32_t i = 0; i < APUS_DTYPE_COUNT; i++) {
    if (dl_types[i].code == tensor->dtype.code && dl_types[i].bits == tensor->dtype.bits && tensor->dtype.lanes == 1) dtype = i;
  }
  if (dtype < 0) {
    PyErr_Format(PyExc_BufferError, "from_dlpack: no dtype for type code %d with %d bits", tensor->dtype.code, tensor->dtype.bits);
    return NULL;
  }
  if (tensor->device.type != 1) {
    PyErr_Format(PyExc_BufferError, "from_dlpack: the array is on a device of type %d, not on the CPU", (int)tensor->device.type);
    return NULL;
  }
  if (tensor->ndim < 0 || tensor->ndim > APUS_MAX_RANK) {
    PyErr_SetString(PyExc_BufferError, "from_dlpack: more than 64 axes");
    return NULL;
  }
  char *start = (char *)tensor->data + tensor->byte_offset;
  return apus_from_memory(tensor->data ? start : NULL, dtype, tensor->shape, tensor->strides, tensor->ndim, release, context, error);
}

static PyObject *call_dlpack(PyObject *object) {
  PyObject *method = PyObject_GetAttrString(object, "__dlpack__");
  if (!method) {
    PyErr_Clear();
    return PyErr_Format(PyExc_TypeError, "from_dlpack: %.100s has no __dlpack__", Py_TYPE(object)->tp_name);
  }
  PyObject *nothing = PyTuple_New(0), *keywords = Py_BuildValue("{s(ii)}", "max_version", 1, 0);
  PyObject *capsule = nothing && keywords ? PyObject_Call(method, nothing, keywords) : NULL;
  // Older libraries don't know the keyword.
  if (!capsule && PyErr_ExceptionMatches(PyExc_TypeError)) {
    PyErr_Clear();
    capsule = PyObject_CallNoArgs(method);
  }
  Py_XDECREF(nothing);
  Py_XDECREF(keywords);
  Py_DECREF(method);
  return capsule;
}

PyObject *tensor_of_dlpack(PyObject *module, PyObject *object) {
  PyObject *capsule = PyCapsule_CheckExact(object) ? Py_NewRef(object) : call_dlpack(object);
  if (!capsule) return NULL;
  apus_handle handle = NULL;
  apus_error error = {0};
  if (PyCapsule_IsValid(capsule, "dltensor_versioned")) {
    dl_managed_versioned *managed = PyCapsule_GetPointer(capsule, "dltensor_versioned");
    if (managed->version.major > 1) {
      PyErr_Format(PyExc_BufferError, "from_dlpack: version %u of DLPack is not known", managed->version.major);
    } else if ((handle = borrow(&managed->tensor, end_versioned, managed, &error))) {
      PyCapsule_SetName(capsule, "used_dltensor_versioned");
    }
  } else if (PyCapsule_IsValid(capsule, "dltensor")) {
    dl_managed *managed = PyCapsule_GetPointer(capsule, "dltensor");
    if ((handle = borrow(&managed->tensor, end_plain, managed, &error))) PyCapsule_SetName(capsule, "used_dltensor");
  } else {
    PyErr_SetString(PyExc_BufferError, "from_dlpack: not a DLPack capsule, or one that was used already");
  }
  Py_DECREF(capsule);
  if (!handle && PyErr_Occurred()) return NULL;
  return wrap_or_fail(handle, &error);
}
