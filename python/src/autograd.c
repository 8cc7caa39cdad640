// Modes, gradients, and Python functions in the graph.
#include "extension.h"

static PyObject *get_mode(PyObject *module, PyObject *nothing) { return PyLong_FromLong(current_mode); }

static PyObject *set_mode(PyObject *module, PyObject *value) {
  long mode = PyLong_AsLong(value);
  if (mode == -1 && PyErr_Occurred()) return NULL;
  int32_t before = current_mode;
  current_mode = (int32_t)mode;
  return PyLong_FromLong(before);
}

// Sets or clears bits; returns the mode before.
static PyObject *change_mode(PyObject *module, PyObject *args) {
  int bits, value;
  if (!PyArg_ParseTuple(args, "ip", &bits, &value)) return NULL;
  int32_t before = current_mode;
  current_mode = value ? before | bits : before & ~bits;
  return PyLong_FromLong(before);
}

// MARK: - Gradients

static bool collect(PyObject *objects, apus_handle **handles, Py_ssize_t *count, arena *memory, bool allows_none) {
  if (!PyTuple_Check(objects)) {
    PyErr_SetString(PyExc_TypeError, "a tuple of tensors is expected");
    return false;
  }
  *count = PyTuple_GET_SIZE(objects);
  *handles = arena_get(memory, (size_t)*count * sizeof(apus_handle));
  if (!*handles) return false;
  for (Py_ssize_t i = 0; i < *count; i++) {
    PyObject *object = PyTuple_GET_ITEM(objects, i);
    if (object == Py_None && allows_none) {
      (*handles)[i] = NULL;
    } else if (Tensor_Check(object)) {
      (*handles)[i] = HANDLE(object);
    } else {
      PyErr_Format(PyExc_TypeError, "a tensor is expected, not %.100s", Py_TYPE(object)->tp_name);
      return false;
    }
  }
  return true;
}

// _C.grad(outputs, gradients, inputs, retain_graph (-1: as create_graph), create_graph)
static PyObject *grad(PyObject *module, PyObject *args) {
  PyObject *outputs, *gradients, *inputs, *answer = NULL;
  int retain, create;
  if (!PyArg_ParseTuple(args, "OOOip", &outputs, &gradients, &inputs, &retain, &create)) return NULL;
  ARENA_INIT(memory);
  apus_handle *ys, *gs, *xs;
  Py_ssize_t y_count, g_count, x_count;
  if (!collect(outputs, &ys, &y_count, &memory, false) || !collect(gradients, &gs, &g_count, &memory, true) ||
      !collect(inputs, &xs, &x_count, &memory, false))
    goto end;
  if (y_count != g_count) {
    PyErr_Format(PyExc_ValueError, "%zd gradients for %zd outputs", g_count, y_count);
    goto end;
  }
  apus_value result = {0};
  apus_error error = {0};
  int32_t mode = current_mode;
  BEGIN_UNLOCKED
  apus_grad(ys, gs, (int32_t)y_count, xs, (int32_t)x_count, retain, create, mode, &result, &error);
  END_UNLOCKED
  if (PyErr_Occurred()) apus_free(error.message);
  else if (!failed(&error)) answer = take_value(&result);
end:
  arena_free(&memory);
  return answer;
}

// MARK: - Callbacks

static int32_t collect_results(PyObject *answer, apus_handle *outputs, int32_t capacity) {
  PyObject *single[] = {answer};
  PyObject *const *items = PyTuple_Check(answer) ? PySequence_Fast_ITEMS(answer) : single;
  Py_ssize_t count = PyTuple_Check(answer) ? PyTuple_GET_SIZE(answer) : 1;
  // Further Nones are of no account, as in PyTorch.
  while (count > capacity && items[count - 1] == Py_None) count--;
  if (count > capacity) {
    PyErr_Format(PyExc_RuntimeError, "%zd gradients were returned where %d are expected", count, (int)capacity);
    return -1;
  }
  for (Py_ssize_t i = 0; i < count; i++) {
    if (items[i] == Py_None) {
      outputs[i] = NULL;
    } else if (Tensor_Check(items[i])) {
      outputs[i] = apus_copy(HANDLE(items[i]));
    } else {
      PyErr_Format(PyExc_TypeError, "a gradient is a tensor or None, not %.100s", Py_TYPE(items[i])->tp_name);
      for (Py_ssize_t k = 0; k < i; k++) {
        if (outputs[k]) apus_release(outputs[k]);
        outputs[k] = NULL;
      }
      return -1;
    }
  }
  return (int32_t)count;
}

static int32_t call_object(void *object, const apus_handle *inputs, int32_t count, apus_handle *outputs, int32_t capacity, int32_t mode) {
  PyGILState_STATE state = PyGILState_Ensure();
  int32_t result = -1, mode_before = current_mode;
  // After one exception nothing else runs.
  if (!PyErr_Occurred()) {
    current_mode = (mode_before & ~APUS_MODE_GRAD) | mode;
    PyObject *args = PyTuple_New(count);
    for (int32_t i = 0; args && i < count; i++) {
      PyObject *tensor = inputs[i] ? wrap(apus_copy(inputs[i])) : Py_NewRef(Py_None);
      if (tensor) PyTuple_SET_ITEM(args, i, tensor);
      else Py_CLEAR(args);
    }
    PyObject *answer = args ? PyObject_Call(object, args, NULL) : NULL;
    if (answer) result = collect_results(answer, outputs, capacity);
    Py_XDECREF(answer);
    Py_XDECREF(args);
    current_mode = mode_before;
  }
  PyGILState_Release(state);
  return result;
}

static void release_object(void *object) {
  if (!Py_IsInitialized()) return;
  PyGILState_STATE state = PyGILState_Ensure();
  Py_DECREF((PyObject *)object);
  PyGILState_Release(state);
}

void set_callbacks(void) {
  static const apus_callbacks callbacks = {call_object, release_object, open_address, read_response};
  apus_set_callbacks(&callbacks);
}

// _C.attach(outputs, inputs, backward, name): the outputs get a place in the graph behind the inputs.
static PyObject *attach(PyObject *module, PyObject *args) {
  PyObject *outputs, *inputs, *backward, *answer = NULL;
  const char *name;
  if (!PyArg_ParseTuple(args, "OOOs", &outputs, &inputs, &backward, &name)) return NULL;
  ARENA_INIT(memory);
  apus_handle *ys, *xs;
  Py_ssize_t y_count, x_count;
  if (collect(outputs, &ys, &y_count, &memory, false) && collect(inputs, &xs, &x_count, &memory, false)) {
    apus_error error = {0};
    if (apus_attach(ys, (int32_t)y_count, xs, (int32_t)x_count, Py_NewRef(backward), name, current_mode, &error)) answer = Py_NewRef(Py_None);
    else failed(&error);
  }
  arena_free(&memory);
  return answer;
}

static void free_hook(PyObject *capsule) {
  // The hook stays; only the way to take it away is lost.
}

// _C.add_hook(tensor, function) -> capsule
static PyObject *add_hook(PyObject *module, PyObject *args) {
  PyObject *tensor, *function;
  if (!PyArg_ParseTuple(args, "O!O", TensorType, &tensor, &function)) return NULL;
  apus_error error = {0};
  void *hook = apus_add_hook(HANDLE(tensor), Py_NewRef(function), &error);
  if (!hook) {
    failed(&error);
    return NULL;
  }
  return PyCapsule_New(hook, "apus.hook", free_hook);
}

static PyObject *remove_hook(PyObject *module, PyObject *capsule) {
  if (PyCapsule_IsValid(capsule, "apus.hook")) {
    void *hook = PyCapsule_GetPointer(capsule, "apus.hook");
    PyCapsule_SetName(capsule, "apus.removed hook");
    apus_remove_hook(hook);
  }
  Py_RETURN_NONE;
}

PyMethodDef autograd_functions[] = {
    {"get_mode", get_mode, METH_NOARGS, NULL},
    {"set_mode", set_mode, METH_O, NULL},
    {"change_mode", change_mode, METH_VARARGS, NULL},
    {"grad", grad, METH_VARARGS, NULL},
    {"attach", attach, METH_VARARGS, NULL},
    {"add_hook", add_hook, METH_VARARGS, NULL},
    {"remove_hook", remove_hook, METH_O, NULL},
    {NULL},
};
