// Downloads: the library asks for an address, Python brings what is there.
#include "extension.h"

// Why something failed, as text; NULL, with the exception still set, where that isn't the network's fault (Ctrl-C).
static char *reason_of_exception(void) {
  if (!PyErr_ExceptionMatches(PyExc_Exception)) return NULL;
  PyObject *type, *value, *traceback;
  PyErr_Fetch(&type, &value, &traceback);
  PyErr_NormalizeException(&type, &value, &traceback);
  PyObject *text = value ? PyObject_Str(value) : NULL;
  const char *utf8 = text ? PyUnicode_AsUTF8(text) : NULL;
  char *reason = strdup(utf8 && *utf8 ? utf8 : "failed");
  PyErr_Clear();
  Py_XDECREF(text);
  Py_XDECREF(type);
  Py_XDECREF(value);
  Py_XDECREF(traceback);
  return reason;
}

void *open_address(const char *address, char **reason) {
  PyGILState_STATE state = PyGILState_Ensure();
  PyObject *response = NULL;
  *reason = NULL;
  // After one exception nothing else runs.
  if (!PyErr_Occurred()) {
    PyObject *module = PyImport_ImportModule("apus.datasets");
    if (module) response = PyObject_CallMethod(module, "_open", "s", address);
    Py_XDECREF(module);
    if (!response) *reason = reason_of_exception();
  }
  PyGILState_Release(state);
  return response;
}

intptr_t read_response(void *response, void *buffer, intptr_t capacity, char **reason) {
  PyGILState_STATE state = PyGILState_Ensure();
  PyObject *view = PyMemoryView_FromMemory(buffer, capacity, PyBUF_WRITE);
  PyObject *count = view ? PyObject_CallMethod(response, "readinto", "O", view) : NULL;
  Py_XDECREF(view);
  intptr_t result = count ? PyLong_AsSsize_t(count) : -1;
  Py_XDECREF(count);
  *reason = result < 0 && PyErr_Occurred() ? reason_of_exception() : NULL;
  PyGILState_Release(state);
  return result > capacity ? -1 : result;
}
