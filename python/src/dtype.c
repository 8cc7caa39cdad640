// apus.float32 and its kin: one object for each dtype.
#include "extension.h"

PyObject *dtypes[APUS_DTYPE_COUNT];

static PyObject *repr(PyObject *self) { return PyUnicode_FromFormat("apus.%U", ((DTypeObject *)self)->name); }

static Py_hash_t hash(PyObject *self) { return ((DTypeObject *)self)->number + 1234567; }

static PyObject *reduce(PyObject *self, PyObject *nothing) {
  PyObject *module = PyImport_ImportModule("apus");
  if (!module) return NULL;
  PyObject *getter = PyObject_GetAttrString(module, "_dtype_named");
  Py_DECREF(module);
  if (!getter) return NULL;
  return Py_BuildValue("N(O)", getter, ((DTypeObject *)self)->name);
}

static PyObject *get_name(PyObject *self, void *closure) { return Py_NewRef(((DTypeObject *)self)->name); }
static PyObject *get_size(PyObject *self, void *closure) { return PyLong_FromLong(apus_dtype_size(((DTypeObject *)self)->number)); }
static PyObject *get_floating(PyObject *self, void *closure) { return PyBool_FromLong(((DTypeObject *)self)->number < 4); }
static PyObject *get_signed(PyObject *self, void *closure) { return PyBool_FromLong(((DTypeObject *)self)->number < 8); }
static PyObject *get_complex(PyObject *self, void *closure) { Py_RETURN_FALSE; }

static PyGetSetDef properties[] = {
    {"name", get_name, NULL, "The name without the module's.", NULL},
    {"itemsize", get_size, NULL, "Bytes per element.", NULL},
    {"is_floating_point", get_floating, NULL, "Whether its numbers have a fraction.", NULL},
    {"is_signed", get_signed, NULL, "Whether it has negative numbers.", NULL},
    {"is_complex", get_complex, NULL, "False: there are no complex dtypes.", NULL},
    {NULL},
};

static PyMethodDef methods[] = {{"__reduce__", reduce, METH_NOARGS, NULL}, {NULL}};

static PyType_Slot slots[] = {
    {Py_tp_repr, repr}, {Py_tp_hash, hash}, {Py_tp_getset, properties}, {Py_tp_methods, methods},
    {Py_tp_doc, "The type of a tensor's elements."}, {0, NULL},
};

static PyType_Spec spec = {"apus.dtype", sizeof(DTypeObject), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, slots};

PyTypeObject *DTypeType;

bool add_dtypes(PyObject *module) {
  DTypeType = (PyTypeObject *)PyType_FromSpec(&spec);
  if (!DTypeType || PyModule_AddObjectRef(module, "dtype", (PyObject *)DTypeType) < 0) return false;
  for (int32_t i = 0; i < APUS_DTYPE_COUNT; i++) {
    char *name = apus_dtype_name(i);
    DTypeObject *dtype = PyObject_New(DTypeObject, DTypeType);
    if (!dtype || !name) return false;
    dtype->number = i;
    dtype->name = PyUnicode_InternFromString(name);
    dtypes[i] = (PyObject *)dtype;
    if (PyModule_AddObjectRef(module, name, dtypes[i]) < 0) return false;
    apus_free(name);
  }
  return true;
}
