// The module apus._C.
#include "extension.h"

#include <pthread.h>
#include <sched.h>

void set_creation_ops(int clone, int cast);

static PyObject *op_table(PyObject *module, PyObject *nothing) {
  char *text = apus_op_table();
  if (!text) return PyErr_NoMemory();
  PyObject *result = PyUnicode_FromString(text);
  apus_free(text);
  return result;
}

// _C.configure(Size, device class, the CPU, number of clone, number of to_dtype)
static PyObject *configure(PyObject *module, PyObject *args) {
  PyObject *size, *device, *cpu;
  int clone, cast;
  if (!PyArg_ParseTuple(args, "OOOii", &size, &device, &cpu, &clone, &cast)) return NULL;
  Py_XSETREF(SizeType, Py_NewRef(size));
  Py_XSETREF(DeviceType, Py_NewRef(device));
  Py_XSETREF(default_device, Py_NewRef(cpu));
  set_creation_ops(clone, cast);
  Py_RETURN_NONE;
}

static PyObject *text_of(char *text) {
  PyObject *result = PyUnicode_FromString(text ? text : "");
  apus_free(text);
  return result;
}

static PyObject *version(PyObject *module, PyObject *nothing) { return text_of(apus_version()); }
static PyObject *instruction_set(PyObject *module, PyObject *nothing) { return text_of(apus_instruction_set()); }
static PyObject *thread_count(PyObject *module, PyObject *nothing) { return PyLong_FromLong(apus_thread_count()); }

static PyObject *memory(PyObject *module, PyObject *nothing) {
  int64_t numbers[2];
  apus_memory(numbers);
  return Py_BuildValue("(LL)", (long long)numbers[0], (long long)numbers[1]);
}

static PyObject *tensor(PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *names) {
  PyObject *data = count > 0 ? args[0] : NULL, *dtype_object = count > 1 ? args[1] : Py_None, *device = count > 2 ? args[2] : Py_None;
  PyObject *requires_grad = count > 3 ? args[3] : Py_False;
  Py_ssize_t keywords = names ? PyTuple_GET_SIZE(names) : 0;
  for (Py_ssize_t i = 0; i < keywords; i++) {
    PyObject *name = PyTuple_GET_ITEM(names, i), *value = args[count + i];
    if (!PyUnicode_CompareWithASCIIString(name, "dtype")) dtype_object = value;
    else if (!PyUnicode_CompareWithASCIIString(name, "requires_grad")) requires_grad = value;
    else if (!PyUnicode_CompareWithASCIIString(name, "device")) device = value;
    else if (!PyUnicode_CompareWithASCIIString(name, "data") && !data) data = value;
    else if (PyUnicode_CompareWithASCIIString(name, "pin_memory"))
      return PyErr_Format(PyExc_TypeError, "tensor() got an unexpected keyword argument '%U'", name);
  }
  if (!data || count > 4) return PyErr_Format(PyExc_TypeError, "tensor() takes the data, and dtype, device and requires_grad");
  int32_t dtype = -1;
  if (dtype_object != Py_None && (dtype = convert_dtype(dtype_object)) < 0) return NULL;
  if (!convert_device(device)) return NULL;
  int wants_grad = PyObject_IsTrue(requires_grad);
  if (wants_grad < 0) return NULL;
  PyObject *result = tensor_of(data, dtype);
  if (!result || !wants_grad) return result;
  apus_error error = {0};
  if (!apus_set_requires_grad(HANDLE(result), true, &error)) {
    failed(&error);
    Py_CLEAR(result);
  }
  return result;
}

static PyObject *from_buffer(PyObject *module, PyObject *object) { return tensor_of_buffer(object, false); }

// The bytes of a contiguous tensor.
static PyObject *bytes_of(PyObject *module, PyObject *object) {
  if (!Tensor_Check(object)) return PyErr_Format(PyExc_TypeError, "bytes_of: a tensor is expected");
  apus_info info;
  apus_info_of(HANDLE(object), &info, NULL, NULL);
  if (!info.is_contiguous) return PyErr_Format(PyExc_ValueError, "bytes_of: the tensor is not contiguous");
  void *pointer;
  void *token = lend(object, &pointer);
  PyObject *bytes = PyBytes_FromStringAndSize(pointer, info.count * apus_dtype_size(info.dtype));
  apus_unexport(token);
  return bytes;
}

// from_bytes(bytes, dtype, shape)
static PyObject *from_bytes(PyObject *module, PyObject *args) {
  PyObject *bytes, *dtype, *shape;
  if (!PyArg_ParseTuple(args, "SO!O!", &bytes, DTypeType, &dtype, &PyTuple_Type, &shape)) return NULL;
  ARENA_INIT(memory);
  apus_value sizes;
  PyObject *result = NULL;
  if (convert_int_items(PySequence_Fast_ITEMS(shape), PyTuple_GET_SIZE(shape), &sizes, &memory, false)) {
    apus_error error = {0};
    apus_handle handle = apus_from_bytes(PyBytes_AS_STRING(bytes), PyBytes_GET_SIZE(bytes), ((DTypeObject *)dtype)->number, sizes.pointer,
                                         sizes.count, -1, &error);
    result = wrap_or_fail(handle, &error);
  }
  arena_free(&memory);
  return result;
}

// Cuts a tensor off its history.
static PyObject *cut(PyObject *module, PyObject *object) {
  if (!Tensor_Check(object)) return PyErr_Format(PyExc_TypeError, "a tensor is expected");
  apus_cut(HANDLE(object));
  Py_RETURN_NONE;
}

static PyObject *promote(PyObject *module, PyObject *args) {
  PyObject *a, *b;
  if (!PyArg_ParseTuple(args, "O!O!", DTypeType, &a, DTypeType, &b)) return NULL;
  return Py_NewRef(dtypes[apus_promote(((DTypeObject *)a)->number, ((DTypeObject *)b)->number)]);
}

static PyObject *set_default_dtype(PyObject *module, PyObject *object) {
  int32_t dtype = convert_dtype(object);
  if (dtype < 0) return NULL;
  if (dtype > 3) return PyErr_Format(PyExc_TypeError, "only floating-point dtypes can be the default, not %R", object);
  apus_set_default_dtype(dtype);
  Py_RETURN_NONE;
}

static PyObject *get_default_dtype(PyObject *module, PyObject *nothing) { return Py_NewRef(dtypes[apus_get_default_dtype()]); }

static PyMethodDef functions[] = {
    {"op_table", op_table, METH_NOARGS, "The library's table of ops as text."},
    {"configure", configure, METH_VARARGS, NULL},
    {"version", version, METH_NOARGS, NULL},
    {"instruction_set", instruction_set, METH_NOARGS, NULL},
    {"thread_count", thread_count, METH_NOARGS, NULL},
    {"memory", memory, METH_NOARGS, "Bytes in use by tensors, and at most so far."},
    {"tensor", (PyCFunction)(void (*)(void))tensor, METH_FASTCALL | METH_KEYWORDS,
     "tensor($module, data, dtype=None, device=None, requires_grad=False, pin_memory=False)\n--\n\n"
     "A new tensor with a copy of the data: a number, nested sequences, an array or a tensor."},
    {"from_buffer", from_buffer, METH_O, NULL},
    {"from_dlpack", tensor_of_dlpack, METH_O, NULL},
    {"bytes_of", bytes_of, METH_O, NULL},
    {"from_bytes", from_bytes, METH_VARARGS, NULL},
    {"cut", cut, METH_O, NULL},
    {"promote_types", promote, METH_VARARGS, "The dtype of an op on tensors of two dtypes."},
    {"set_default_dtype", set_default_dtype, METH_O, NULL},
    {"get_default_dtype", get_default_dtype, METH_NOARGS, NULL},
    {NULL},
};

// MARK: - fork

// Calls that run without the interpreter's lock end before the process is copied; then no lock of the library is held.
static void before_fork(void) {
  while (in_flight > 0) sched_yield();
}

static void after_fork_in_child(void) {
  in_flight = 0;
  apus_after_fork();
}

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "apus._C", "The extension behind apus.", -1, functions};

PyMODINIT_FUNC PyInit__C(void) {
  if (apus_abi_version() != APUS_ABI_VERSION) {
    return PyErr_Format(PyExc_ImportError, "libApusPython has version %d of the interface, apus._C has %d: install the package again",
                        (int)apus_abi_version(), APUS_ABI_VERSION);
  }
  PyObject *module = PyModule_Create(&definition);
  if (!module) return NULL;
  if (!add_dtypes(module) || !add_tensor_type(module) || !add_op_type(module) || !add_generator_type(module) || PyModule_AddFunctions(module, autograd_functions) < 0 ||
      PyModule_AddFunctions(module, file_functions) < 0 || PyModule_AddFunctions(module, optimizer_functions) < 0) {
    Py_DECREF(module);
    return NULL;
  }
  set_callbacks();
  pthread_atfork(before_fork, NULL, after_fork_in_child);
  return module;
}
