// The base of apus.Generator: a stream of random numbers.
#include "extension.h"

PyTypeObject *GeneratorType;

#define STREAM(object) (((GeneratorObject *)(object))->handle)

// _C.Generator(seed), or, with None, the one that ops use when none is named.
static PyObject *new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
  PyObject *seed;
  if (!PyArg_ParseTuple(args, "O", &seed)) return NULL;
  unsigned long long number = seed == Py_None ? 0 : PyLong_AsUnsignedLongLong(seed);
  if (PyErr_Occurred()) return NULL;
  PyObject *self = type->tp_alloc(type, 0);
  if (self) STREAM(self) = seed == Py_None ? apus_generator_default() : apus_generator_make(number);
  return self;
}

static void dealloc(PyObject *self) {
  PyTypeObject *type = Py_TYPE(self);
  if (STREAM(self)) apus_generator_release(STREAM(self));
  type->tp_free(self);
  Py_DECREF(type);
}

static PyObject *get(PyObject *self, PyObject *nothing) {
  uint64_t state[3];
  apus_generator_state(STREAM(self), state);
  return Py_BuildValue("(KKK)", (unsigned long long)state[0], (unsigned long long)state[1], (unsigned long long)state[2]);
}

static PyObject *set(PyObject *self, PyObject *args) {
  unsigned long long seed, stream, offset;
  if (!PyArg_ParseTuple(args, "KKK", &seed, &stream, &offset)) return NULL;
  uint64_t state[3] = {seed, stream, offset};
  apus_generator_set_state(STREAM(self), state);
  Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
    {"_get", get, METH_NOARGS, "Seed, stream and offset."},
    {"_set", set, METH_VARARGS, "Goes on from a seed, a stream and an offset."},
    {NULL},
};

static PyType_Slot slots[] = {{Py_tp_new, new}, {Py_tp_dealloc, dealloc}, {Py_tp_methods, methods}, {0, NULL}};

static PyType_Spec spec = {"apus._C.Generator", sizeof(GeneratorObject), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, slots};

bool add_generator_type(PyObject *module) {
  GeneratorType = (PyTypeObject *)PyType_FromSpec(&spec);
  return GeneratorType && PyModule_AddObjectRef(module, "Generator", (PyObject *)GeneratorType) == 0;
}
