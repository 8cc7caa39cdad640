// The library's optimizers: an opaque object that `apus.optim` holds, and what it does with it.
#include "extension.h"

static const char *const NAME = "apus.optimizer";

static void destroy(PyObject *capsule) { apus_optimizer_release(PyCapsule_GetPointer(capsule, NAME)); }

static void *optimizer_of(PyObject *capsule) { return PyCapsule_GetPointer(capsule, NAME); }

// make_optimizer(kind, groups) -> (optimizer, names of its options); groups are lists of tensors.
static PyObject *make(PyObject *module, PyObject *args) {
  const char *kind;
  PyObject *groups, *answer = NULL;
  if (!PyArg_ParseTuple(args, "sO!", &kind, &PyList_Type, &groups)) return NULL;
  Py_ssize_t group_count = PyList_GET_SIZE(groups), total = 0;
  for (Py_ssize_t g = 0; g < group_count; g++) {
    PyObject *group = PyList_GET_ITEM(groups, g);
    if (!PyList_Check(group)) return PyErr_Format(PyExc_TypeError, "groups are lists of tensors");
    total += PyList_GET_SIZE(group);
  }
  ARENA_INIT(memory);
  apus_handle *cells = arena_get(&memory, (size_t)(total + 1) * sizeof(apus_handle));
  int32_t *sizes = arena_get(&memory, (size_t)(group_count + 1) * sizeof(int32_t));
  if (!cells || !sizes) goto end;
  Py_ssize_t place = 0;
  for (Py_ssize_t g = 0; g < group_count; g++) {
    PyObject *group = PyList_GET_ITEM(groups, g);
    sizes[g] = (int32_t)PyList_GET_SIZE(group);
    for (Py_ssize_t i = 0; i < sizes[g]; i++) {
      PyObject *tensor = PyList_GET_ITEM(group, i);
      if (!Tensor_Check(tensor)) {
        PyErr_Format(PyExc_TypeError, "optimizer can only optimize Tensors, but one of the params is %.100s", Py_TYPE(tensor)->tp_name);
        goto end;
      }
      cells[place++] = HANDLE(tensor);
    }
  }
  apus_error error = {0};
  void *optimizer = apus_optimizer_make(kind, cells, sizes, (int32_t)group_count, &error);
  if (!optimizer) {
    failed(&error);
    goto end;
  }
  PyObject *capsule = PyCapsule_New(optimizer, NAME, destroy);
  if (!capsule) {
    apus_optimizer_release(optimizer);
    goto end;
  }
  char *names = apus_optimizer_options(optimizer);
  answer = Py_BuildValue("(Ns)", capsule, names);
  apus_free(names);
end:
  arena_free(&memory);
  return answer;
}

// The numbers of a list.
static double *numbers_of(PyObject *list, arena *memory) {
  if (!PyList_Check(list)) {
    PyErr_SetString(PyExc_TypeError, "values are a list of numbers");
    return NULL;
  }
  double *numbers = arena_get(memory, (size_t)(PyList_GET_SIZE(list) + 1) * sizeof(double));
  for (Py_ssize_t i = 0; numbers && i < PyList_GET_SIZE(list); i++) {
    numbers[i] = PyFloat_AsDouble(PyList_GET_ITEM(list, i));
    if (numbers[i] == -1 && PyErr_Occurred()) return NULL;
  }
  return numbers;
}

// The interpreter's lock stays: a step writes to the tensors' own variables, which others may look at.
static PyObject *step(PyObject *module, PyObject *const *args, Py_ssize_t count) {
  if (count != 2) return PyErr_Format(PyExc_TypeError, "optimizer_step(optimizer, values)");
  void *optimizer = optimizer_of(args[0]);
  ARENA_INIT(memory);
  double *values = optimizer ? numbers_of(args[1], &memory) : NULL;
  bool done = false;
  if (values) {
    apus_error error = {0};
    done = apus_optimizer_step(optimizer, values, (int32_t)PyList_GET_SIZE(args[1]), &error);
    if (!done) failed(&error);
  }
  arena_free(&memory);
  if (!done) return NULL;
  Py_RETURN_NONE;
}

static PyObject *step_with(PyObject *module, PyObject *const *args, Py_ssize_t count) {
  if (count != 3) return PyErr_Format(PyExc_TypeError, "optimizer_step_with(optimizer, values, closure)");
  void *optimizer = optimizer_of(args[0]);
  ARENA_INIT(memory);
  double *values = optimizer ? numbers_of(args[1], &memory) : NULL;
  PyObject *answer = NULL;
  if (values) {
    apus_error error = {0};
    apus_handle loss = apus_optimizer_step_with(optimizer, values, (int32_t)PyList_GET_SIZE(args[1]), Py_NewRef(args[2]), &error);
    answer = wrap_or_fail(loss, &error);
  }
  arena_free(&memory);
  return answer;
}

// optimizer_state(optimizer) -> (tensors, text)
static PyObject *state(PyObject *module, PyObject *capsule) {
  void *optimizer = optimizer_of(capsule);
  if (!optimizer) return NULL;
  apus_value tensors = {0};
  apus_error error = {0};
  char *text = apus_optimizer_state(optimizer, &tensors, &error);
  if (failed(&error)) return NULL;
  PyObject *list = take_value(&tensors);
  PyObject *answer = list ? Py_BuildValue("(Ns)", list, text) : NULL;
  apus_free(text);
  return answer;
}

// optimizer_set_state(optimizer, tensors, text, values)
static PyObject *set_state(PyObject *module, PyObject *args) {
  PyObject *capsule, *tensors, *list;
  const char *text;
  if (!PyArg_ParseTuple(args, "OO!sO", &capsule, &PyList_Type, &tensors, &text, &list)) return NULL;
  void *optimizer = optimizer_of(capsule);
  if (!optimizer) return NULL;
  ARENA_INIT(memory);
  bool done = false;
  double *values = numbers_of(list, &memory);
  Py_ssize_t count = PyList_GET_SIZE(tensors);
  apus_handle *handles = values ? arena_get(&memory, (size_t)(count + 1) * sizeof(apus_handle)) : NULL;
  if (!handles) goto end;
  for (Py_ssize_t i = 0; i < count; i++) {
    PyObject *tensor = PyList_GET_ITEM(tensors, i);
    if (!Tensor_Check(tensor)) {
      PyErr_SetString(PyExc_TypeError, "an optimizer's state holds tensors");
      goto end;
    }
    handles[i] = HANDLE(tensor);
  }
  apus_error error = {0};
  done = apus_optimizer_set_state(optimizer, handles, (int32_t)count, text, values, (int32_t)PyList_GET_SIZE(list), &error);
  if (!done) failed(&error);
end:
  arena_free(&memory);
  if (!done) return NULL;
  Py_RETURN_NONE;
}

PyMethodDef optimizer_functions[] = {
    {"make_optimizer", make, METH_VARARGS, NULL},
    {"optimizer_step", (PyCFunction)(void (*)(void))step, METH_FASTCALL, NULL},
    {"optimizer_step_with", (PyCFunction)(void (*)(void))step_with, METH_FASTCALL, NULL},
    {"optimizer_state", state, METH_O, NULL},
    {"optimizer_set_state", set_state, METH_VARARGS, NULL},
    {NULL},
};
