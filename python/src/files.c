// Checkpoints and tensor files.
#include "extension.h"

static PyObject *load_by(PyObject *args, void (*function)(const char *, apus_value *, apus_error *)) {
  PyObject *path;
  if (!PyArg_ParseTuple(args, "O&", PyUnicode_FSConverter, &path)) return NULL;
  apus_value result = {0};
  apus_error error = {0};
  const char *text = PyBytes_AS_STRING(path);
  BEGIN_UNLOCKED
  function(text, &result, &error);
  END_UNLOCKED
  Py_DECREF(path);
  return failed(&error) ? NULL : take_value(&result);
}

static PyObject *load(PyObject *module, PyObject *args) { return load_by(args, apus_load); }
static PyObject *load_tensors(PyObject *module, PyObject *args) { return load_by(args, apus_load_tensors); }

static PyObject *save(PyObject *module, PyObject *args) {
  PyObject *object, *path, *answer = NULL;
  if (!PyArg_ParseTuple(args, "OO&", &object, PyUnicode_FSConverter, &path)) return NULL;
  ARENA_INIT(memory);
  apus_value value;
  if (convert_value(object, &value, &memory, 0)) {
    apus_error error = {0};
    if (apus_save(&value, PyBytes_AS_STRING(path), &error)) answer = Py_NewRef(Py_None);
    else failed(&error);
  }
  arena_free(&memory);
  Py_DECREF(path);
  return answer;
}

static PyObject *save_tensors(PyObject *module, PyObject *args) {
  PyObject *tensors, *metadata, *path, *answer = NULL;
  if (!PyArg_ParseTuple(args, "OOO&", &tensors, &metadata, PyUnicode_FSConverter, &path)) return NULL;
  ARENA_INIT(memory);
  apus_value values, text;
  if (convert_value(tensors, &values, &memory, 0) && convert_value(metadata, &text, &memory, 0)) {
    apus_error error = {0};
    if (apus_save_tensors(&values, &text, PyBytes_AS_STRING(path), &error)) answer = Py_NewRef(Py_None);
    else failed(&error);
  }
  arena_free(&memory);
  Py_DECREF(path);
  return answer;
}

PyMethodDef file_functions[] = {
    {"load", load, METH_VARARGS, NULL},
    {"save", save, METH_VARARGS, NULL},
    {"load_tensors", load_tensors, METH_VARARGS, NULL},
    {"save_tensors", save_tensors, METH_VARARGS, NULL},
    {NULL},
};
