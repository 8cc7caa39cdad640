// Failures of the library as Python exceptions with the same text.
#include "extension.h"

static PyObject *exception_named(const char *name) {
  PyObject *module = PyImport_ImportModule("apus._errors");
  if (!module) return NULL;
  PyObject *type = PyObject_GetAttrString(module, name);
  Py_DECREF(module);
  return type;
}

static void raise_named(const char *name, const char *text) {
  PyObject *type = exception_named(name);
  if (!type) return;
  PyErr_SetString(type, text);
  Py_DECREF(type);
}

bool failed(apus_error *error) {
  if (error->kind == APUS_OK) return false;
  const char *text = error->message ? error->message : "";
  // A callback has said why already.
  if (!PyErr_Occurred()) {
    switch (error->kind) {
      case APUS_VALUE_ERROR: PyErr_SetString(PyExc_ValueError, text); break;
      case APUS_TYPE_ERROR: PyErr_SetString(PyExc_TypeError, text); break;
      case APUS_INDEX_ERROR: PyErr_SetString(PyExc_IndexError, text); break;
      case APUS_MEMORY_ERROR: PyErr_SetString(PyExc_MemoryError, text); break;
      case APUS_OS_ERROR: PyErr_SetString(PyExc_OSError, text); break;
      case APUS_SHAPE_ERROR: raise_named("ShapeError", text); break;
      case APUS_FORMAT_ERROR: raise_named("FormatError", text); break;
      default: PyErr_SetString(PyExc_RuntimeError, text); break;
    }
  }
  apus_free(error->message);
  error->kind = APUS_OK;
  error->message = NULL;
  return true;
}
