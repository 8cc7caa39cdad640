// Tensors from Python's data: numbers, nested sequences, arrays, other tensors.
#include "extension.h"

// What a walk through nested sequences has found: sizes, and the widest kind of number.
enum kind { KIND_BOOL, KIND_INT, KIND_FLOAT };

typedef struct {
  int64_t shape[APUS_MAX_RANK];
  int rank;
  enum kind kind;
  int64_t count;
  // Written by the second walk, one of them.
  double *floats;
  int64_t *integers;
} builder;

static bool is_sequence(PyObject *object) {
  return PyList_Check(object) || PyTuple_Check(object) ||
         (!Tensor_Check(object) && PySequence_Check(object) && !PyUnicode_Check(object) && !PyBytes_Check(object) && !PyDict_Check(object));
}

static bool uneven(void) {
  PyErr_SetString(PyExc_ValueError, "tensor: rows of different lengths");
  return false;
}

// An element as a number: Python's, NumPy's, or a tensor of a single element.
static bool number_of(PyObject *object, apus_value *value) {
  if (Tensor_Check(object)) {
    apus_error error = {0};
    apus_item(HANDLE(object), value, &error);
    return !failed(&error);
  }
  int status = convert_number(object, value);
  if (status == 0) PyErr_Format(PyExc_TypeError, "tensor: %.100s is not a number", Py_TYPE(object)->tp_name);
  return status > 0;
}

static bool is_number(PyObject *object) {
  if (!Tensor_Check(object)) return !is_sequence(object);
  apus_info info;
  apus_info_of(HANDLE(object), &info, NULL, NULL);
  return info.rank == 0;
}

// A list of what a sequence holds; tensors with axes are taken apart too.
static PyObject *items_of(PyObject *object) {
  if (!Tensor_Check(object)) return PySequence_Fast(object, "tensor: a sequence is expected");
  PyObject *list = PyObject_CallMethod(object, "tolist", NULL);
  return list;
}

static bool measure(PyObject *object, builder *b, int depth) {
  if (is_number(object)) {
    if (b->rank < 0) b->rank = depth;
    if (b->rank != depth) return uneven();
    apus_value value = {0};
    if (!number_of(object, &value)) return false;
    enum kind kind = value.tag == APUS_FLOAT ? KIND_FLOAT : value.tag == APUS_INT ? KIND_INT : KIND_BOOL;
    if (kind > b->kind) b->kind = kind;
    b->count++;
    return true;
  }
  if (depth >= APUS_MAX_RANK || depth == b->rank) return depth == b->rank ? uneven() : (PyErr_SetString(PyExc_ValueError, "tensor: more than 64 axes"), false);
  PyObject *items = items_of(object);
  if (!items) return false;
  Py_ssize_t count = PySequence_Fast_GET_SIZE(items);
  bool fits = true;
  if (b->shape[depth] < 0) b->shape[depth] = count;
  else if (b->shape[depth] != count) fits = uneven();
  if (fits && count == 0) {
    if (b->rank < 0) b->rank = depth + 1;
    else if (b->rank != depth + 1) fits = uneven();
  }
  for (Py_ssize_t i = 0; fits && i < count; i++) fits = measure(PySequence_Fast_GET_ITEM(items, i), b, depth + 1);
  Py_DECREF(items);
  return fits;
}

static bool fill(PyObject *object, builder *b, int depth, int64_t *next) {
  if (depth == b->rank) {
    apus_value value = {0};
    if (!number_of(object, &value)) return false;
    if (*next >= b->count) return uneven();
    if (b->floats) b->floats[*next] = value.tag == APUS_FLOAT ? value.number : (double)value.integer;
    else b->integers[*next] = value.integer;
    (*next)++;
    return true;
  }
  PyObject *items = items_of(object);
  if (!items) return false;
  bool fits = true;
  for (Py_ssize_t i = 0; fits && i < PySequence_Fast_GET_SIZE(items); i++) fits = fill(PySequence_Fast_GET_ITEM(items, i), b, depth + 1, next);
  Py_DECREF(items);
  return fits;
}

static PyObject *tensor_of_sequence(PyObject *data, int32_t dtype) {
  builder b = {.rank = -1, .kind = KIND_BOOL};
  for (int i = 0; i < APUS_MAX_RANK; i++) b.shape[i] = -1;
  if (Py_EnterRecursiveCall(" while a tensor is made")) return NULL;
  bool fits = measure(data, &b, 0);
  Py_LeaveRecursiveCall();
  if (!fits) return NULL;
  if (b.count == 0) b.kind = KIND_FLOAT;
  size_t size = (size_t)(b.count ? b.count : 1) * 8;
  void *memory = malloc(size);
  if (!memory) return PyErr_NoMemory();
  if (b.kind == KIND_FLOAT) b.floats = memory;
  else b.integers = memory;
  int64_t next = 0;
  PyObject *result = NULL;
  if (fill(data, &b, 0, &next)) {
    apus_error error = {0};
    // Integers come as int64 and become bool or what is asked for.
    int32_t own = b.kind == KIND_FLOAT ? 1 : 4;
    int32_t as = dtype >= 0 ? dtype : b.kind == KIND_FLOAT ? apus_get_default_dtype() : b.kind == KIND_BOOL ? 9 : 4;
    result = wrap_or_fail(apus_from_bytes(memory, (intptr_t)(b.count * 8), own, b.shape, b.rank, as, &error), &error);
  }
  free(memory);
  return result;
}

// MARK: - The buffer protocol

static int32_t dtype_of_format(const char *format, Py_ssize_t size) {
  if (!format) return 8;
  if (*format == '@' || *format == '=' || *format == '<') format++;
  if (format[0] == 0 || format[1] != 0) return -1;
  switch (*format) {
    case '?': return 9;
    case 'e': return 2;
    case 'f': return 0;
    case 'd': return 1;
    case 'b': return 7;
    case 'B': return 8;
    case 'h': case 'i': case 'l': case 'q': case 'n': return size == 2 ? 6 : size == 4 ? 5 : size == 8 ? 4 : -1;
    default: return -1;
  }
}

static void release_view(void *context) {
  // The interpreter may be gone when the last tensor goes.
  if (!Py_IsInitialized()) return;
  PyGILState_STATE state = PyGILState_Ensure();
  PyBuffer_Release(context);
  PyMem_Free(context);
  PyGILState_Release(state);
}

PyObject *tensor_of_buffer(PyObject *object, bool is_quiet) {
  Py_buffer *view = PyMem_Calloc(1, sizeof(Py_buffer));
  if (!view) return PyErr_NoMemory();
  if (PyObject_GetBuffer(object, view, PyBUF_STRIDES | PyBUF_FORMAT) < 0) {
    PyMem_Free(view);
    if (is_quiet) PyErr_Clear();
    return NULL;
  }
  int64_t shape[APUS_MAX_RANK], strides[APUS_MAX_RANK];
  int32_t dtype = dtype_of_format(view->format, view->itemsize);
  bool fits = dtype >= 0 && view->ndim <= APUS_MAX_RANK;
  for (int i = 0; fits && i < view->ndim; i++) {
    shape[i] = view->shape[i];
    fits = view->itemsize > 0 && view->strides[i] % view->itemsize == 0;
    strides[i] = fits ? view->strides[i] / view->itemsize : 0;
  }
  fits = fits && (uintptr_t)view->buf % (uintptr_t)(view->itemsize ? view->itemsize : 1) == 0;
  if (!fits) {
    if (!is_quiet) {
      PyErr_Format(PyExc_TypeError, "no dtype for elements of the format '%s' (byte order, type and alignment must be the machine's)",
                   view->format ? view->format : "B");
    }
    PyBuffer_Release(view);
    PyMem_Free(view);
    return NULL;
  }
  apus_error error = {0};
  apus_handle handle = apus_from_memory(view->buf, dtype, shape, strides, view->ndim, release_view, view, &error);
  if (!handle) {
    PyBuffer_Release(view);
    PyMem_Free(view);
  }
  return wrap_or_fail(handle, &error);
}

// MARK: - The way in

static int clone_op = -1, cast_op = -1;

void set_creation_ops(int clone, int cast) {
  clone_op = clone;
  cast_op = cast;
}

// A copy in memory of its own, as another dtype where that isn't negative.
static PyObject *copied(PyObject *tensor, int32_t dtype) {
  apus_value values[3] = {{.tag = APUS_TENSOR, .pointer = HANDLE(tensor)}, {.tag = APUS_DTYPE, .integer = dtype}, {.tag = APUS_BOOL, .integer = 1}};
  apus_value result = {0};
  apus_error error = {0};
  apus_call(dtype < 0 ? clone_op : cast_op, values, 0, &result, &error);
  return failed(&error) ? NULL : take_value(&result);
}

PyObject *tensor_of(PyObject *data, int32_t dtype) {
  if (Tensor_Check(data)) return copied(data, dtype);
  if (PyObject_CheckBuffer(data) && !PyBytes_Check(data) && !PyByteArray_Check(data)) {
    PyObject *shared = tensor_of_buffer(data, true);
    if (shared) {
      PyObject *result = copied(shared, dtype);
      Py_DECREF(shared);
      return result;
    }
    if (PyErr_Occurred()) return NULL;
    // Other byte orders, and dtypes that there aren't here: as numbers, if NumPy can.
    if (PyObject_HasAttrString(data, "__array_interface__")) {
      PyObject *list = PyObject_CallMethod(data, "tolist", NULL);
      PyObject *result = list ? tensor_of(list, dtype) : NULL;
      Py_XDECREF(list);
      return result;
    }
  }
  if (PyUnicode_Check(data) || PyBytes_Check(data) || PyDict_Check(data)) {
    return PyErr_Format(PyExc_TypeError, "tensor: %.100s is not a number or a sequence of numbers", Py_TYPE(data)->tp_name);
  }
  if (data == Py_None) return PyErr_Format(PyExc_TypeError, "tensor: None is not a number or a sequence of numbers");
  return tensor_of_sequence(data, dtype);
}
