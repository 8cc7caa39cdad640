// Python's values for the library, and back.
#include "extension.h"

// MARK: - Memory for a call

void *arena_get(arena *memory, size_t size) {
  size = (size + 15) & ~(size_t)15;
  if (memory->used + size <= sizeof memory->first) {
    void *result = memory->first + memory->used;
    memory->used += size;
    return result;
  }
  arena_block *block = malloc(sizeof(arena_block) + 16 + size);
  if (!block) {
    PyErr_NoMemory();
    return NULL;
  }
  block->next = memory->blocks;
  memory->blocks = block;
  return (char *)block + 16;
}

bool arena_keep(arena *memory, PyObject *object) {
  if (!memory->objects && !(memory->objects = PyList_New(0))) {
    Py_DECREF(object);
    return false;
  }
  int status = PyList_Append(memory->objects, object);
  Py_DECREF(object);
  return status == 0;
}

void arena_free(arena *memory) {
  while (memory->blocks) {
    arena_block *next = memory->blocks->next;
    free(memory->blocks);
    memory->blocks = next;
  }
  Py_CLEAR(memory->objects);
}

// MARK: - Numbers

static int integer(PyObject *object, apus_value *value) {
  int overflow = 0;
  long long number = PyLong_AsLongLongAndOverflow(object, &overflow);
  if (overflow) {
    PyErr_SetString(PyExc_OverflowError, "an integer does not fit into 64 bits");
    return -1;
  }
  if (number == -1 && PyErr_Occurred()) return -1;
  value->tag = APUS_INT;
  value->integer = number;
  return 1;
}

int convert_number(PyObject *object, apus_value *value) {
  if (PyFloat_Check(object)) {
    value->tag = APUS_FLOAT;
    value->number = PyFloat_AS_DOUBLE(object);
    return 1;
  }
  if (PyBool_Check(object)) {
    value->tag = APUS_BOOL;
    value->integer = object == Py_True;
    return 1;
  }
  if (PyLong_Check(object)) return integer(object, value);
  // NumPy's scalars, and whatever else is a number without being a sequence.
  if (Tensor_Check(object) || PySequence_Check(object) || PyComplex_Check(object)) return 0;
  PyNumberMethods *methods = Py_TYPE(object)->tp_as_number;
  if (!methods) return 0;
  if (!strncmp(Py_TYPE(object)->tp_name, "numpy.bool", 10)) {
    int truth = PyObject_IsTrue(object);
    if (truth < 0) return -1;
    value->tag = APUS_BOOL;
    value->integer = truth;
    return 1;
  }
  if (methods->nb_index) {
    PyObject *number = PyNumber_Index(object);
    // An array of several elements has the slot and refuses.
    if (!number) {
      PyErr_Clear();
      return 0;
    }
    int result = integer(number, value);
    Py_DECREF(number);
    return result;
  }
  if (methods->nb_float) {
    PyObject *number = PyNumber_Float(object);
    if (!number) {
      PyErr_Clear();
      return 0;
    }
    value->tag = APUS_FLOAT;
    value->number = PyFloat_AS_DOUBLE(number);
    Py_DECREF(number);
    return 1;
  }
  return 0;
}

// An integer, also of a tensor with one integer element. 1, 0 or -1.
static int whole(PyObject *object, int64_t *result, bool allows_none) {
  if (object == Py_None && allows_none) {
    *result = INT64_MIN;
    return 1;
  }
  if (PyFloat_Check(object)) return 0;
  if (!PyLong_Check(object)) {
    if (!PyIndex_Check(object)) return 0;
    PyObject *number = PyNumber_Index(object);
    if (!number) return -1;
    int status = whole(number, result, false);
    Py_DECREF(number);
    return status;
  }
  apus_value value;
  if (integer(object, &value) < 0) return -1;
  *result = value.integer;
  return 1;
}

bool convert_int_items(PyObject *const *items, Py_ssize_t count, apus_value *value, arena *memory, bool allows_none) {
  int64_t *numbers = arena_get(memory, (size_t)count * sizeof(int64_t));
  if (!numbers) return false;
  for (Py_ssize_t i = 0; i < count; i++) {
    int status = whole(items[i], &numbers[i], allows_none);
    if (status == 0) PyErr_Format(PyExc_TypeError, "an integer is expected, not %.100s", Py_TYPE(items[i])->tp_name);
    if (status <= 0) return false;
  }
  value->tag = APUS_INTS;
  value->count = (int32_t)count;
  value->pointer = numbers;
  return true;
}

int convert_ints(PyObject *object, apus_value *value, arena *memory, bool allows_none) {
  int64_t number;
  if (!Tensor_Check(object) || PyIndex_Check(object)) {
    int status = PyList_Check(object) || PyTuple_Check(object) || Tensor_Check(object) ? 0 : whole(object, &number, false);
    if (status < 0) return -1;
    if (status) {
      value->tag = APUS_INT;
      value->integer = number;
      return 1;
    }
  }
  if (Tensor_Check(object)) {
    apus_info info;
    apus_info_of(HANDLE(object), &info, NULL, NULL);
    if (info.rank == 0) {
      if (whole(object, &number, false) != 1) return -1;
      value->tag = APUS_INT;
      value->integer = number;
      return 1;
    }
  }
  if (!PySequence_Check(object) || PyUnicode_Check(object) || PyBytes_Check(object)) return 0;
  PyObject *sequence = PySequence_Fast(object, "a sequence of integers is expected");
  if (!sequence) return -1;
  if (!arena_keep(memory, sequence)) return -1;
  Py_ssize_t count = PySequence_Fast_GET_SIZE(sequence);
  if (count > 100000000) {
    PyErr_SetString(PyExc_ValueError, "a sequence of that many integers");
    return -1;
  }
  return convert_int_items(PySequence_Fast_ITEMS(sequence), count, value, memory, allows_none) ? 1 : -1;
}

// MARK: - Names

int32_t convert_dtype(PyObject *object) {
  if (DType_Check(object)) return ((DTypeObject *)object)->number;
  static const struct {
    PyTypeObject *type;
    int32_t number;
  } builtins[] = {{&PyFloat_Type, 0}, {&PyBool_Type, 9}, {&PyLong_Type, 4}};
  for (int i = 0; i < 3; i++) {
    if (object == (PyObject *)builtins[i].type) return i == 0 ? apus_get_default_dtype() : builtins[i].number;
  }
  PyErr_Format(PyExc_TypeError, "a dtype (such as apus.float32) is expected, not %.200R", object);
  return -1;
}

bool convert_device(PyObject *object) {
  if (object == Py_None || Py_TYPE(object) == (PyTypeObject *)DeviceType) return true;
  if (!PyUnicode_Check(object)) {
    PyErr_Format(PyExc_TypeError, "a device is 'cpu' or apus.device('cpu'), not %.100s", Py_TYPE(object)->tp_name);
    return false;
  }
  PyObject *device = PyObject_CallOneArg(DeviceType, object);
  Py_XDECREF(device);
  return device != NULL;
}

// MARK: - Any value

static bool convert_sequence(PyObject *object, apus_value *value, arena *memory, int depth, int64_t kind) {
  PyObject *sequence = PySequence_Fast(object, "a sequence is expected");
  if (!sequence || !arena_keep(memory, sequence)) return false;
  Py_ssize_t count = PySequence_Fast_GET_SIZE(sequence);
  apus_value *parts = arena_get(memory, (size_t)count * sizeof(apus_value));
  if (!parts) return false;
  for (Py_ssize_t i = 0; i < count; i++) {
    if (!convert_value(PySequence_Fast_GET_ITEM(sequence, i), &parts[i], memory, depth + 1)) return false;
  }
  value->tag = APUS_VALUES;
  value->integer = kind;
  value->count = (int32_t)count;
  value->pointer = parts;
  return true;
}

static bool is_ordered(PyObject *object) { return strstr(Py_TYPE(object)->tp_name, "OrderedDict") != NULL; }

static bool convert_dictionary(PyObject *object, apus_value *value, arena *memory, int depth) {
  PyObject *items = PyMapping_Items(object);
  if (!items || !arena_keep(memory, items)) return false;
  Py_ssize_t count = PyList_GET_SIZE(items);
  apus_value *parts = arena_get(memory, 2 * (size_t)count * sizeof(apus_value));
  if (!parts) return false;
  for (Py_ssize_t i = 0; i < count; i++) {
    PyObject *pair = PyList_GET_ITEM(items, i);
    if (!convert_value(PyTuple_GET_ITEM(pair, 0), &parts[2 * i], memory, depth + 1)) return false;
    if (!convert_value(PyTuple_GET_ITEM(pair, 1), &parts[2 * i + 1], memory, depth + 1)) return false;
  }
  value->tag = APUS_PAIRS;
  value->integer = is_ordered(object) ? 1 : 0;
  value->count = (int32_t)count;
  value->pointer = parts;
  return true;
}

bool convert_value(PyObject *object, apus_value *value, arena *memory, int depth) {
  memset(value, 0, sizeof *value);
  if (depth > 100) {
    PyErr_SetString(PyExc_ValueError, "values are nested more than 100 levels deep");
    return false;
  }
  if (object == Py_None) return true;
  if (Tensor_Check(object)) {
    value->tag = APUS_TENSOR;
    value->pointer = HANDLE(object);
    return true;
  }
  int status = convert_number(object, value);
  if (status) return status > 0;
  if (PyUnicode_Check(object)) {
    Py_ssize_t size;
    const char *text = PyUnicode_AsUTF8AndSize(object, &size);
    if (!text) return false;
    value->tag = APUS_STRING;
    value->count = (int32_t)size;
    value->pointer = text;
    return true;
  }
  if (PyBytes_Check(object)) {
    value->tag = APUS_BYTES;
    value->count = (int32_t)PyBytes_GET_SIZE(object);
    value->pointer = PyBytes_AS_STRING(object);
    return true;
  }
  if (DType_Check(object)) {
    value->tag = APUS_DTYPE;
    value->integer = ((DTypeObject *)object)->number;
    return true;
  }
  if (PyDict_Check(object) || is_ordered(object)) return convert_dictionary(object, value, memory, depth);
  if (PyTuple_Check(object)) return convert_sequence(object, value, memory, depth, 1);
  if (PyAnySet_Check(object)) return convert_sequence(object, value, memory, depth, 2);
  if (PyList_Check(object)) return convert_sequence(object, value, memory, depth, 0);
  PyErr_Format(PyExc_TypeError, "a %.200s cannot be passed on: tensors, numbers, strings, and lists, tuples and dictionaries of these can",
               Py_TYPE(object)->tp_name);
  return false;
}

// MARK: - Back

PyObject *wrap(apus_handle handle) {
  TensorObject *self = PyObject_New(TensorObject, TensorType);
  if (!self) {
    apus_release(handle);
    return NULL;
  }
  self->handle = handle;
  self->weakrefs = self->grad = self->target = NULL;
  self->link = LINK_NONE;
  return (PyObject *)self;
}

PyObject *wrap_or_fail(apus_handle handle, apus_error *error) {
  if (handle) return wrap(handle);
  if (!failed(error)) PyErr_SetString(PyExc_RuntimeError, "a call has failed without saying why");
  return NULL;
}

static void free_value(apus_value *value) {
  switch (value->tag) {
    case APUS_TENSOR: apus_release((apus_handle)value->pointer); return;
    case APUS_TENSORS:
      for (int32_t i = 0; i < value->count; i++) {
        apus_handle handle = ((apus_handle *)value->pointer)[i];
        if (handle) apus_release(handle);
      }
      break;
    case APUS_VALUES:
    case APUS_PAIRS:
      for (int32_t i = 0; i < value->count * (value->tag == APUS_PAIRS ? 2 : 1); i++) free_value(&((apus_value *)value->pointer)[i]);
      break;
    case APUS_STRING:
    case APUS_BYTES: break;
    default: return;
  }
  apus_free((void *)value->pointer);
}

// A new list or tuple of the parts, which are used up from `used` on.
static PyObject *take_parts(apus_value *parts, int32_t count, bool as_tuple, int32_t *used) {
  PyObject *result = as_tuple ? PyTuple_New(count) : PyList_New(count);
  if (!result) return NULL;
  for (int32_t i = 0; i < count; i++) {
    PyObject *item = take_value(&parts[i]);
    *used = i + 1;
    if (!item) {
      Py_DECREF(result);
      return NULL;
    }
    if (as_tuple) PyTuple_SET_ITEM(result, i, item);
    else PyList_SET_ITEM(result, i, item);
  }
  return result;
}

static PyObject *take_sequence(apus_value *value) {
  apus_value *parts = (apus_value *)value->pointer;
  int32_t used = 0;
  PyObject *result = take_parts(parts, value->count, value->integer != 0, &used);
  for (int32_t i = used; i < value->count; i++) free_value(&parts[i]);
  apus_free(parts);
  if (!result) return NULL;
  PyObject *converted = NULL;
  switch (value->integer) {
    case 2: converted = PySet_New(result); break;
    case 3: converted = PyObject_Call((PyObject *)&PyComplex_Type, result, NULL); break;
    case 4: converted = PyObject_CallOneArg(SizeType, result); break;
    default: return result;
  }
  Py_DECREF(result);
  return converted;
}

static PyObject *new_dictionary(bool is_ordered) {
  if (!is_ordered) return PyDict_New();
  PyObject *module = PyImport_ImportModule("collections");
  if (!module) return NULL;
  PyObject *result = PyObject_CallMethod(module, "OrderedDict", NULL);
  Py_DECREF(module);
  return result;
}

static PyObject *take_dictionary(apus_value *value) {
  apus_value *parts = (apus_value *)value->pointer;
  PyObject *result = new_dictionary(value->integer == 1);
  int32_t i = 0;
  for (; result && i < value->count; i++) {
    PyObject *key = take_value(&parts[2 * i]);
    PyObject *item = take_value(&parts[2 * i + 1]);
    if (!key || !item || PyObject_SetItem(result, key, item) < 0) Py_CLEAR(result);
    Py_XDECREF(key);
    Py_XDECREF(item);
  }
  for (; i < value->count; i++) {
    free_value(&parts[2 * i]);
    free_value(&parts[2 * i + 1]);
  }
  apus_free(parts);
  return result;
}

PyObject *take_value(apus_value *value) {
  switch (value->tag) {
    case APUS_NONE: Py_RETURN_NONE;
    case APUS_TENSOR: return wrap((apus_handle)value->pointer);
    case APUS_INT: return PyLong_FromLongLong(value->integer);
    case APUS_FLOAT: return PyFloat_FromDouble(value->number);
    case APUS_BOOL: return PyBool_FromLong(value->integer != 0);
    case APUS_DTYPE: return Py_NewRef(dtypes[value->integer]);
    case APUS_STRING: {
      PyObject *text = PyUnicode_DecodeUTF8(value->pointer, value->count, "replace");
      apus_free((void *)value->pointer);
      return text;
    }
    case APUS_BYTES: {
      PyObject *bytes = value->integer ? _PyLong_FromByteArray(value->pointer, (size_t)value->count, 1, 1)
                                       : PyBytes_FromStringAndSize(value->pointer, value->count);
      apus_free((void *)value->pointer);
      return bytes;
    }
    case APUS_TENSORS: {
      apus_handle *handles = (apus_handle *)value->pointer;
      PyObject *result = PyTuple_New(value->count);
      for (int32_t i = 0; i < value->count; i++) {
        PyObject *item = handles[i] ? (result ? wrap(handles[i]) : (apus_release(handles[i]), NULL)) : Py_NewRef(Py_None);
        if (!item) Py_CLEAR(result);
        if (result) PyTuple_SET_ITEM(result, i, item);
        else Py_XDECREF(item);
      }
      apus_free(handles);
      return result;
    }
    case APUS_VALUES: return take_sequence(value);
    case APUS_PAIRS: return take_dictionary(value);
    default: PyErr_SetString(PyExc_RuntimeError, "an unknown value"); return NULL;
  }
}

PyObject *shape_tuple(apus_handle x) {
  apus_info info;
  int64_t shape[APUS_MAX_RANK];
  apus_info_of(x, &info, shape, NULL);
  PyObject *sizes = PyTuple_New(info.rank);
  if (!sizes) return NULL;
  for (int32_t i = 0; i < info.rank; i++) {
    PyObject *size = PyLong_FromLongLong(shape[i]);
    if (!size) {
      Py_DECREF(sizes);
      return NULL;
    }
    PyTuple_SET_ITEM(sizes, i, size);
  }
  return sizes;
}
