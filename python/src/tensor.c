// The type apus.Tensor.
#include "extension.h"

PyTypeObject *TensorType;
PyObject *SizeType, *DeviceType, *default_device;
_Thread_local int32_t current_mode = APUS_MODE_GRAD;
_Atomic int in_flight = 0;

// MARK: - Life

// Whether all arguments are integers: then they are sizes, as in PyTorch.
static bool are_sizes(PyObject *args) {
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(args); i++) {
    if (!PyLong_CheckExact(PyTuple_GET_ITEM(args, i))) return false;
  }
  return PyTuple_GET_SIZE(args) > 0;
}

static PyObject *zeros(PyObject *sizes, int32_t dtype) {
  PyObject *module = PyImport_ImportModule("apus"), *result = NULL;
  PyObject *function = module ? PyObject_GetAttrString(module, "zeros") : NULL;
  PyObject *keywords = function ? Py_BuildValue("{sO}", "dtype", dtypes[dtype]) : NULL;
  if (keywords) result = PyObject_Call(function, sizes, keywords);
  Py_XDECREF(module);
  Py_XDECREF(function);
  Py_XDECREF(keywords);
  return result;
}

static PyObject *new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
  static char *names[] = {"data", "dtype", "device", "requires_grad", NULL};
  PyObject *data = NULL, *dtype_object = Py_None, *device = Py_None;
  int requires_grad = 0;
  bool has_sizes = are_sizes(args);
  PyObject *rest = has_sizes ? PyTuple_New(0) : Py_NewRef(args);
  if (!rest) return NULL;
  int is_understood = PyArg_ParseTupleAndKeywords(rest, keywords, "|OO$Op", names, &data, &dtype_object, &device, &requires_grad);
  Py_DECREF(rest);
  if (!is_understood) return NULL;
  int32_t dtype = apus_get_default_dtype();
  if (dtype_object != Py_None && (dtype = convert_dtype(dtype_object)) < 0) return NULL;
  if (!convert_device(device)) return NULL;
  PyObject *made;
  if (has_sizes) {
    made = zeros(args, dtype);
  } else if (!data) {
    PyObject *nothing = PyList_New(0);
    made = nothing ? tensor_of(nothing, dtype) : NULL;
    Py_XDECREF(nothing);
  } else {
    made = tensor_of(data, Tensor_Check(data) && dtype_object == Py_None ? -1 : dtype);
  }
  if (!made) return NULL;
  TensorObject *self = (TensorObject *)type->tp_alloc(type, 0);
  if (self) {
    self->handle = apus_copy(HANDLE(made));
    apus_error error = {0};
    if (requires_grad && !apus_set_requires_grad(self->handle, true, &error)) {
      failed(&error);
      Py_CLEAR(self);
    }
  }
  Py_DECREF(made);
  return (PyObject *)self;
}

static void dealloc(PyObject *object) {
  TensorObject *self = (TensorObject *)object;
  PyTypeObject *type = Py_TYPE(object);
  if (self->weakrefs) PyObject_ClearWeakRefs(object);
  if (self->handle) apus_release(self->handle);
  Py_XDECREF(self->grad);
  Py_XDECREF(self->target);
  type->tp_free(object);
  Py_DECREF(type);
}

bool propagate(TensorObject *self) {
  if (self->link == LINK_NONE) return true;
  apus_error error = {0};
  TensorObject *target = (TensorObject *)self->target;
  bool done = self->link == LINK_DATA ? apus_become(target->handle, self->handle, 0, &error)
                                      : apus_set_grad(target->handle, self->handle, &error);
  if (!done) {
    failed(&error);
    return false;
  }
  return self->link == LINK_DATA ? propagate(target) : true;
}

// MARK: - Operators

static int add_op, sub_op, mul_op, div_op, floor_op, remainder_op, pow_op, and_op, or_op, xor_op;
static int eq_op, ne_op, lt_op, le_op, gt_op, ge_op, neg_op, abs_op, not_op;

static void find_operators(void) {
  add_op = apus_operator("add");
  sub_op = apus_operator("sub");
  mul_op = apus_operator("mul");
  div_op = apus_operator("div");
  floor_op = apus_operator("floorDivide");
  remainder_op = apus_operator("remainder");
  pow_op = apus_operator("pow");
  and_op = apus_operator("bitwiseAnd");
  or_op = apus_operator("bitwiseOr");
  xor_op = apus_operator("bitwiseXor");
  eq_op = apus_operator("eq");
  ne_op = apus_operator("ne");
  lt_op = apus_operator("lt");
  le_op = apus_operator("le");
  gt_op = apus_operator("gt");
  ge_op = apus_operator("ge");
  neg_op = apus_operator("neg");
  abs_op = apus_operator("abs");
  not_op = apus_operator("bitwiseNot");
}

static bool is_large(PyObject *a, PyObject *b) { return apus_count(HANDLE(a)) >= LARGE || (b && apus_count(HANDLE(b)) >= LARGE); }

static PyObject *between_tensors(PyObject *a, PyObject *b, int op) {
  apus_error error = {0};
  apus_handle result;
  if (!is_large(a, b)) {
    result = apus_tensor_binary(op, HANDLE(a), HANDLE(b), current_mode, &error);
    return wrap_or_fail(result, &error);
  }
  apus_handle x = apus_copy(HANDLE(a)), y = apus_copy(HANDLE(b));
  int32_t mode = current_mode;
  BEGIN_UNLOCKED
  result = apus_tensor_binary(op, x, y, mode, &error);
  apus_release(x);
  apus_release(y);
  END_UNLOCKED
  return wrap_or_fail(result, &error);
}

// NumPy's arrays and the like, which stand beside tensors as tensors.
static PyObject *array_operand(PyObject *object) {
  if (!PyObject_HasAttrString(object, "__array_interface__")) return NULL;
  PyObject *tensor = tensor_of(object, -1);
  if (!tensor) PyErr_Clear();
  return tensor;
}

static PyObject *operate(PyObject *a, PyObject *b, int op) {
  bool is_reversed = !Tensor_Check(a);
  PyObject *tensor = is_reversed ? b : a, *other = is_reversed ? a : b;
  if (Tensor_Check(other)) return between_tensors(a, b, op);
  apus_value number = {0};
  int status = convert_number(other, &number);
  if (status < 0) return NULL;
  if (status == 0) {
    PyObject *array = array_operand(other);
    if (!array) Py_RETURN_NOTIMPLEMENTED;
    PyObject *result = is_reversed ? between_tensors(array, b, op) : between_tensors(a, array, op);
    Py_DECREF(array);
    return result;
  }
  apus_error error = {0};
  apus_handle result;
  if (!is_large(tensor, NULL)) {
    result = apus_tensor_binary_number(op, HANDLE(tensor), &number, is_reversed, current_mode, &error);
    return wrap_or_fail(result, &error);
  }
  apus_handle x = apus_copy(HANDLE(tensor));
  int32_t mode = current_mode;
  BEGIN_UNLOCKED
  result = apus_tensor_binary_number(op, x, &number, is_reversed, mode, &error);
  apus_release(x);
  END_UNLOCKED
  return wrap_or_fail(result, &error);
}

// The numbers of `value` for `self`, in place.
static PyObject *become(PyObject *self, PyObject *value) {
  if (!Tensor_Check(value)) {
    PyErr_SetString(PyExc_TypeError, "a tensor is expected");
    return NULL;
  }
  apus_error error = {0};
  if (!apus_become(HANDLE(self), HANDLE(value), current_mode, &error)) {
    failed(&error);
    return NULL;
  }
  return propagate((TensorObject *)self) ? Py_NewRef(self) : NULL;
}

// Whether Python has other threads.
static bool has_company(void) { return PyThreadState_Next(PyInterpreterState_ThreadHead(PyInterpreterState_Get())) != NULL; }

static PyObject *update(PyObject *a, PyObject *b, int op) {
  if (is_large(a, Tensor_Check(b) ? b : NULL) && has_company()) {
    // In place, `a` would be half changed whenever another thread looks at it; a new result is computed without the lock.
    PyObject *result = operate(a, b, op);
    if (!result || result == Py_NotImplemented) return result;
    Py_SETREF(result, become(a, result));
    return result;
  }
  apus_value number = {0};
  apus_error error = {0};
  PyObject *array = NULL;
  if (!Tensor_Check(b)) {
    int status = convert_number(b, &number);
    if (status < 0) return NULL;
    if (status == 0 && !(array = array_operand(b))) Py_RETURN_NOTIMPLEMENTED;
  }
  apus_handle other = array ? HANDLE(array) : Tensor_Check(b) ? HANDLE(b) : NULL;
  bool done = apus_update(op, HANDLE(a), other, &number, current_mode, &error);
  Py_XDECREF(array);
  if (!done) {
    failed(&error);
    return NULL;
  }
  return propagate((TensorObject *)a) ? Py_NewRef(a) : NULL;
}

static PyObject *of_one(PyObject *object, int op) {
  apus_error error = {0};
  if (!is_large(object, NULL)) return wrap_or_fail(apus_tensor_unary(op, HANDLE(object), current_mode, &error), &error);
  apus_handle x = apus_copy(HANDLE(object)), result;
  int32_t mode = current_mode;
  BEGIN_UNLOCKED
  result = apus_tensor_unary(op, x, mode, &error);
  apus_release(x);
  END_UNLOCKED
  return wrap_or_fail(result, &error);
}

#define OPERATOR(name) \
  static PyObject *nb_##name(PyObject *a, PyObject *b) { return operate(a, b, name##_op); } \
  static PyObject *nb_inplace_##name(PyObject *a, PyObject *b) { return update(a, b, name##_op); }
OPERATOR(add) OPERATOR(sub) OPERATOR(mul) OPERATOR(div) OPERATOR(floor) OPERATOR(remainder) OPERATOR(and) OPERATOR(or) OPERATOR(xor)

static PyObject *nb_pow(PyObject *a, PyObject *b, PyObject *modulus) {
  if (modulus != Py_None) Py_RETURN_NOTIMPLEMENTED;
  return operate(a, b, pow_op);
}
static PyObject *nb_inplace_pow(PyObject *a, PyObject *b, PyObject *modulus) {
  if (modulus != Py_None) Py_RETURN_NOTIMPLEMENTED;
  return update(a, b, pow_op);
}
static PyObject *nb_neg(PyObject *x) { return of_one(x, neg_op); }
static PyObject *nb_abs(PyObject *x) { return of_one(x, abs_op); }
static PyObject *nb_invert(PyObject *x) { return of_one(x, not_op); }
static PyObject *nb_positive(PyObject *x) { return Py_NewRef(x); }

static PyObject *nb_matmul(PyObject *a, PyObject *b) {
  if (!Tensor_Check(a) || !Tensor_Check(b)) Py_RETURN_NOTIMPLEMENTED;
  apus_error error = {0};
  if (!is_large(a, b)) return wrap_or_fail(apus_matmul(HANDLE(a), HANDLE(b), current_mode, &error), &error);
  apus_handle x = apus_copy(HANDLE(a)), y = apus_copy(HANDLE(b)), result;
  int32_t mode = current_mode;
  BEGIN_UNLOCKED
  result = apus_matmul(x, y, mode, &error);
  apus_release(x);
  apus_release(y);
  END_UNLOCKED
  return wrap_or_fail(result, &error);
}

static PyObject *compare(PyObject *a, PyObject *b, int comparison) {
  const int ops[] = {lt_op, le_op, eq_op, ne_op, gt_op, ge_op};
  return operate(a, b, ops[comparison]);
}

// MARK: - Numbers out

static PyObject *item(PyObject *self, PyObject *nothing) {
  apus_value value = {0};
  apus_error error = {0};
  if (apus_count(HANDLE(self)) == 1) {
    apus_handle x = apus_copy(HANDLE(self));
    BEGIN_UNLOCKED
    apus_item(x, &value, &error);
    apus_release(x);
    END_UNLOCKED
  } else {
    apus_item(HANDLE(self), &value, &error);
  }
  return failed(&error) ? NULL : take_value(&value);
}

static int nb_bool(PyObject *self) {
  if (apus_count(HANDLE(self)) != 1) {
    PyErr_Format(PyExc_RuntimeError, "the truth value of a tensor with %lld elements is ambiguous; use any() or all()",
                 (long long)apus_count(HANDLE(self)));
    return -1;
  }
  PyObject *value = item(self, NULL);
  if (!value) return -1;
  int truth = PyObject_IsTrue(value);
  Py_DECREF(value);
  return truth;
}

static PyObject *nb_float(PyObject *self) {
  PyObject *value = item(self, NULL);
  if (value) Py_SETREF(value, PyNumber_Float(value));
  return value;
}

static PyObject *nb_int(PyObject *self) {
  PyObject *value = item(self, NULL);
  if (value) Py_SETREF(value, PyNumber_Long(value));
  return value;
}

static PyObject *nb_index(PyObject *self) {
  apus_info info;
  apus_info_of(HANDLE(self), &info, NULL, NULL);
  if (info.dtype < 4 || info.count != 1) {
    PyErr_SetString(PyExc_TypeError, "only integer tensors of a single element can be converted to an index");
    return NULL;
  }
  return nb_int(self);
}

static PyObject *nested(const apus_info *info, const int64_t *shape, int axis, const char *elements, int64_t *next) {
  if (axis == info->rank) {
    int64_t i = (*next)++;
    if (info->dtype < 4) return PyFloat_FromDouble(((const double *)elements)[i]);
    if (info->dtype == 9) return PyBool_FromLong(((const int64_t *)elements)[i] != 0);
    return PyLong_FromLongLong(((const int64_t *)elements)[i]);
  }
  PyObject *list = PyList_New(shape[axis]);
  for (int64_t i = 0; list && i < shape[axis]; i++) {
    PyObject *part = nested(info, shape, axis + 1, elements, next);
    if (part) PyList_SET_ITEM(list, i, part);
    else Py_CLEAR(list);
  }
  return list;
}

static PyObject *tolist(PyObject *self, PyObject *nothing) {
  apus_info info;
  int64_t shape[APUS_MAX_RANK], next = 0;
  apus_info_of(HANDLE(self), &info, shape, NULL);
  char *elements = malloc((size_t)(info.count ? info.count : 1) * 8);
  if (!elements) return PyErr_NoMemory();
  apus_error error = {0};
  apus_handle x = apus_copy(HANDLE(self));
  BEGIN_UNLOCKED
  apus_elements(x, elements, &error);
  apus_release(x);
  END_UNLOCKED
  PyObject *result = failed(&error) ? NULL : nested(&info, shape, 0, elements, &next);
  free(elements);
  return result;
}

// MARK: - Subscripts

static bool convert_index(PyObject *object, apus_value *value, arena *memory) {
  memset(value, 0, sizeof *value);
  if (object == Py_None) return true;
  if (object == Py_Ellipsis) {
    value->tag = APUS_ELLIPSIS;
    return true;
  }
  if (Tensor_Check(object)) {
    value->tag = APUS_TENSOR;
    value->pointer = HANDLE(object);
    return true;
  }
  if (PySlice_Check(object)) {
    PySliceObject *slice = (PySliceObject *)object;
    PyObject *bounds[] = {slice->start, slice->stop, slice->step};
    int64_t *numbers = arena_get(memory, 3 * sizeof(int64_t));
    if (!numbers) return false;
    for (int i = 0; i < 3; i++) {
      numbers[i] = INT64_MIN;
      if (bounds[i] == Py_None) continue;
      Py_ssize_t bound = PyNumber_AsSsize_t(bounds[i], NULL);
      if (bound == -1 && PyErr_Occurred()) return false;
      numbers[i] = bound == INT64_MIN ? INT64_MIN + 1 : bound;
    }
    value->tag = APUS_SLICE;
    value->pointer = numbers;
    return true;
  }
  int status = PyFloat_Check(object) ? 0 : convert_number(object, value);
  if (status < 0 && PyErr_ExceptionMatches(PyExc_OverflowError)) {
    PyErr_Clear();
    PyErr_SetString(PyExc_IndexError, "an index that does not fit into 64 bits");
  }
  if (status < 0) return false;
  if (status > 0 && (value->tag == APUS_INT || value->tag == APUS_BOOL)) return true;
  if (!PySequence_Check(object) || PyUnicode_Check(object)) {
    PyErr_Format(PyExc_IndexError, "an index is an integer, a slice, None, ..., a tensor or a sequence of integers, not %.100s",
                 Py_TYPE(object)->tp_name);
    return false;
  }
  PyObject *tensor = PySequence_Check(object) && !PyObject_CheckBuffer(object) && PySequence_Size(object) == 0 ? tensor_of(object, 4)
                                                                                                               : tensor_of(object, -1);
  if (!tensor || !arena_keep(memory, tensor)) return false;
  value->tag = APUS_TENSOR;
  value->pointer = HANDLE(tensor);
  return true;
}

static bool convert_key(PyObject *key, apus_value **items, int32_t *count, arena *memory) {
  Py_ssize_t size = PyTuple_Check(key) ? PyTuple_GET_SIZE(key) : 1;
  *items = arena_get(memory, (size_t)size * sizeof(apus_value));
  *count = (int32_t)size;
  if (!*items) return false;
  if (size > 4 * APUS_MAX_RANK) {
    PyErr_SetString(PyExc_IndexError, "too many indices");
    return false;
  }
  if (!PyTuple_Check(key)) return convert_index(key, *items, memory);
  for (Py_ssize_t i = 0; i < size; i++) {
    if (!convert_index(PyTuple_GET_ITEM(key, i), &(*items)[i], memory)) return false;
  }
  return true;
}

// A view, or, where an index is a tensor, a copy; a large one without the interpreter's lock.
static PyObject *picked(PyObject *self, apus_value *items, int32_t count) {
  apus_error error = {0};
  int64_t elements = 0;
  for (int32_t i = 0; i < count; i++) {
    if (items[i].tag == APUS_TENSOR) elements += apus_count((apus_handle)items[i].pointer) + apus_count(HANDLE(self));
  }
  if (elements < LARGE) return wrap_or_fail(apus_get_items(HANDLE(self), items, count, current_mode, &error), &error);
  apus_handle x = apus_copy(HANDLE(self)), result;
  for (int32_t i = 0; i < count; i++) {
    if (items[i].tag == APUS_TENSOR) items[i].pointer = apus_copy((apus_handle)items[i].pointer);
  }
  int32_t mode = current_mode;
  BEGIN_UNLOCKED
  result = apus_get_items(x, items, count, mode, &error);
  apus_release(x);
  for (int32_t i = 0; i < count; i++) {
    if (items[i].tag == APUS_TENSOR) apus_release((apus_handle)items[i].pointer);
  }
  END_UNLOCKED
  return wrap_or_fail(result, &error);
}

static PyObject *get_item(PyObject *self, PyObject *key) {
  ARENA_INIT(memory);
  apus_value *items;
  int32_t count;
  PyObject *result = NULL;
  if (convert_key(key, &items, &count, &memory)) result = picked(self, items, count);
  arena_free(&memory);
  return result;
}

static int set_item(PyObject *self, PyObject *key, PyObject *value) {
  if (!value) {
    PyErr_SetString(PyExc_TypeError, "elements of a tensor cannot be deleted");
    return -1;
  }
  ARENA_INIT(memory);
  apus_value *items, source = {0};
  int32_t count;
  int result = -1;
  if (Tensor_Check(value)) {
    source.tag = APUS_TENSOR;
    source.pointer = HANDLE(value);
  } else {
    int status = convert_number(value, &source);
    if (status < 0) goto end;
    if (status == 0) {
      PyObject *tensor = tensor_of(value, -1);
      if (!tensor || !arena_keep(&memory, tensor)) goto end;
      source.tag = APUS_TENSOR;
      source.pointer = HANDLE(tensor);
    }
  }
  if (convert_key(key, &items, &count, &memory)) {
    apus_error error = {0};
    if (apus_set_items(HANDLE(self), items, count, &source, current_mode, &error)) {
      result = propagate((TensorObject *)self) ? 0 : -1;
    } else {
      failed(&error);
    }
  }
end:
  arena_free(&memory);
  return result;
}

static Py_ssize_t length(PyObject *self) {
  apus_info info;
  int64_t shape[APUS_MAX_RANK];
  apus_info_of(HANDLE(self), &info, shape, NULL);
  if (info.rank == 0) {
    PyErr_SetString(PyExc_TypeError, "len() of a tensor without axes");
    return -1;
  }
  return shape[0];
}

// MARK: - Properties

static PyObject *get_shape(PyObject *self, void *closure) {
  PyObject *sizes = shape_tuple(HANDLE(self));
  if (sizes) Py_SETREF(sizes, PyObject_CallOneArg(SizeType, sizes));
  return sizes;
}

static PyObject *stride(PyObject *self, PyObject *args) {
  apus_info info;
  int64_t strides[APUS_MAX_RANK];
  apus_info_of(HANDLE(self), &info, NULL, strides);
  int dim = INT32_MIN;
  if (!PyArg_ParseTuple(args, "|i", &dim)) return NULL;
  if (dim != INT32_MIN) {
    int axis = dim < 0 ? dim + info.rank : dim;
    if (axis >= 0 && axis < info.rank) return PyLong_FromLongLong(strides[axis]);
    return PyErr_Format(PyExc_IndexError, "stride: axis %d of a tensor with %d axes", dim, info.rank);
  }
  PyObject *result = PyTuple_New(info.rank);
  for (int i = 0; result && i < info.rank; i++) PyTuple_SET_ITEM(result, i, PyLong_FromLongLong(strides[i]));
  return result;
}

static apus_info info_of(PyObject *self) {
  apus_info info;
  apus_info_of(HANDLE(self), &info, NULL, NULL);
  return info;
}

static PyObject *get_dtype(PyObject *self, void *closure) { return Py_NewRef(dtypes[info_of(self).dtype]); }
static PyObject *get_device(PyObject *self, void *closure) { return Py_NewRef(default_device); }
static PyObject *get_rank(PyObject *self, void *closure) { return PyLong_FromLong(info_of(self).rank); }
static PyObject *get_is_leaf(PyObject *self, void *closure) { return PyBool_FromLong(info_of(self).is_leaf); }
static PyObject *get_requires_grad(PyObject *self, void *closure) { return PyBool_FromLong(info_of(self).requires_grad); }

static int set_requires_grad(PyObject *self, PyObject *value, void *closure) {
  int truth = value ? PyObject_IsTrue(value) : 0;
  if (truth < 0) return -1;
  apus_error error = {0};
  if (apus_set_requires_grad(HANDLE(self), truth, &error)) return 0;
  failed(&error);
  return -1;
}

static PyObject *requires_grad_(PyObject *self, PyObject *args) {
  int value = 1;
  if (!PyArg_ParseTuple(args, "|p", &value)) return NULL;
  return set_requires_grad(self, value ? Py_True : Py_False, NULL) < 0 ? NULL : Py_NewRef(self);
}

static PyObject *get_grad_fn(PyObject *self, void *closure) {
  char *name = apus_grad_fn(HANDLE(self));
  if (!name) Py_RETURN_NONE;
  PyObject *text = PyUnicode_FromFormat("<%s>", name);
  apus_free(name);
  return text;
}

// The object that stands for the gradient: the same one as long as somebody holds it and no pass has made another.
static PyObject *get_grad(PyObject *object, void *closure) {
  TensorObject *self = (TensorObject *)object;
  if (self->grad) {
    PyObject *known = PyWeakref_GetObject(self->grad);
    if (known != Py_None && apus_is_grad(self->handle, HANDLE(known))) return Py_NewRef(known);
  }
  apus_handle handle = apus_get_grad(self->handle);
  if (!handle) Py_RETURN_NONE;
  PyObject *gradient = wrap(handle);
  if (!gradient) return NULL;
  ((TensorObject *)gradient)->target = Py_NewRef(object);
  ((TensorObject *)gradient)->link = LINK_GRAD;
  Py_XSETREF(self->grad, PyWeakref_NewRef(gradient, NULL));
  if (!self->grad) Py_CLEAR(gradient);
  return gradient;
}

static int set_grad(PyObject *self, PyObject *value, void *closure) {
  if (value && value != Py_None && !Tensor_Check(value)) {
    PyErr_Format(PyExc_TypeError, "a gradient is a tensor or None, not %.100s", Py_TYPE(value)->tp_name);
    return -1;
  }
  apus_error error = {0};
  if (apus_set_grad(HANDLE(self), value && value != Py_None ? HANDLE(value) : NULL, &error)) return 0;
  failed(&error);
  return -1;
}

static PyObject *detached(PyObject *self) {
  apus_handle copy = apus_copy(HANDLE(self));
  apus_cut(copy);
  return wrap(copy);
}

static PyObject *get_data(PyObject *self, void *closure) {
  PyObject *data = detached(self);
  if (data) {
    ((TensorObject *)data)->target = Py_NewRef(self);
    ((TensorObject *)data)->link = LINK_DATA;
  }
  return data;
}

static int set_data(PyObject *self, PyObject *value, void *closure) {
  if (!value || !Tensor_Check(value)) {
    PyErr_SetString(PyExc_TypeError, "data must be a tensor");
    return -1;
  }
  apus_error error = {0};
  if (apus_set_data(HANDLE(self), HANDLE(value), &error)) return propagate((TensorObject *)self) ? 0 : -1;
  failed(&error);
  return -1;
}

static PyObject *is_contiguous(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names) {
  return PyBool_FromLong(info_of(self).is_contiguous);
}
static PyObject *numel(PyObject *self, PyObject *nothing) { return PyLong_FromLongLong(apus_count(HANDLE(self))); }
static PyObject *dim(PyObject *self, PyObject *nothing) { return get_rank(self, NULL); }

static PyObject *size(PyObject *self, PyObject *args, PyObject *keywords) {
  static char *names[] = {"dim", NULL};
  PyObject *axis = Py_None;
  if (!PyArg_ParseTupleAndKeywords(args, keywords, "|O", names, &axis)) return NULL;
  PyObject *sizes = get_shape(self, NULL);
  if (!sizes || axis == Py_None) return sizes;
  PyObject *result = PyObject_GetItem(sizes, axis);
  Py_DECREF(sizes);
  return result;
}

static PyObject *data_ptr(PyObject *self, PyObject *nothing) {
  void *pointer;
  void *token = lend(self, &pointer);
  apus_unexport(token);
  return PyLong_FromVoidPtr(pointer);
}

// MARK: - Gradients

static PyObject *backward(PyObject *self, PyObject *args, PyObject *keywords) {
  static char *names[] = {"gradient", "retain_graph", "create_graph", NULL};
  PyObject *gradient = Py_None, *retain = Py_None;
  int create = 0;
  if (!PyArg_ParseTupleAndKeywords(args, keywords, "|OOp", names, &gradient, &retain, &create)) return NULL;
  if (gradient != Py_None && !Tensor_Check(gradient)) {
    return PyErr_Format(PyExc_TypeError, "a gradient is a tensor or None, not %.100s", Py_TYPE(gradient)->tp_name);
  }
  int keeps = retain == Py_None ? -1 : PyObject_IsTrue(retain);
  if (PyErr_Occurred()) return NULL;
  apus_error error = {0};
  apus_handle y = apus_copy(HANDLE(self)), g = gradient == Py_None ? NULL : apus_copy(HANDLE(gradient));
  int32_t mode = current_mode;
  bool done;
  BEGIN_UNLOCKED
  done = apus_backward(y, g, keeps, create, mode, &error);
  apus_release(y);
  if (g) apus_release(g);
  END_UNLOCKED
  if (PyErr_Occurred()) {
    apus_free(error.message);
    return NULL;
  }
  if (!done) {
    failed(&error);
    return NULL;
  }
  Py_RETURN_NONE;
}

static PyObject *retain_grad(PyObject *self, PyObject *nothing) {
  apus_error error = {0};
  if (apus_retain_grad(HANDLE(self), &error)) Py_RETURN_NONE;
  failed(&error);
  return NULL;
}

static PyObject *as_subclass(PyObject *self, PyObject *type) {
  if (!PyType_Check(type) || !PyType_IsSubtype((PyTypeObject *)type, TensorType)) {
    PyErr_SetString(PyExc_TypeError, "a subclass of Tensor is expected");
    return NULL;
  }
  TensorObject *result = (TensorObject *)((PyTypeObject *)type)->tp_alloc((PyTypeObject *)type, 0);
  if (result) result->handle = apus_copy(HANDLE(self));
  return (PyObject *)result;
}

// MARK: - Text

static PyObject *text(PyObject *self, PyObject *args) {
  int precision = 4, threshold = 1000, edge_items = 3, width = 80;
  if (!PyArg_ParseTuple(args, "|iiii", &precision, &threshold, &edge_items, &width)) return NULL;
  apus_error error = {0};
  char *text;
  apus_handle x = apus_copy(HANDLE(self));
  BEGIN_UNLOCKED
  text = apus_repr(x, precision, threshold, edge_items, width, &error);
  apus_release(x);
  END_UNLOCKED
  if (!text) {
    failed(&error);
    return NULL;
  }
  PyObject *result = PyUnicode_FromString(text);
  apus_free(text);
  return result;
}

// MARK: - The type

static PyMethodDef methods[] = {
    {"item", item, METH_NOARGS, "item($self)\n--\n\nThe only element as a Python number."},
    {"tolist", tolist, METH_NOARGS, "tolist($self)\n--\n\nThe elements as nested lists; a number for a tensor without axes."},
    {"stride", stride, METH_VARARGS, "stride($self, dim=None)\n--\n\nSteps from one element to the next along the axes, in elements."},
    {"requires_grad_", requires_grad_, METH_VARARGS, "requires_grad_($self, requires_grad=True)\n--\n\nSays whether gradients are wanted; returns the tensor."},
    {"is_contiguous", (PyCFunction)(void (*)(void))is_contiguous, METH_FASTCALL | METH_KEYWORDS, "is_contiguous($self, memory_format=None)\n--\n\nWhether the elements lie row-major without gaps."},
    {"numel", numel, METH_NOARGS, "numel($self)\n--\n\nThe number of elements."},
    {"nelement", numel, METH_NOARGS, "nelement($self)\n--\n\nAlias of numel."},
    {"dim", dim, METH_NOARGS, "dim($self)\n--\n\nThe number of axes."},
    {"ndimension", dim, METH_NOARGS, "ndimension($self)\n--\n\nAlias of dim."},
    {"size", (PyCFunction)(void (*)(void))size, METH_VARARGS | METH_KEYWORDS, "size($self, dim=None)\n--\n\nThe sizes of all axes, or of one."},
    {"data_ptr", data_ptr, METH_NOARGS, "data_ptr($self)\n--\n\nThe address of the first element."},
    {"backward", (PyCFunction)(void (*)(void))backward, METH_VARARGS | METH_KEYWORDS, "backward($self, gradient=None, retain_graph=None, create_graph=False)\n--\n\nAdds the gradient of this tensor with respect to every leaf that it was made from to their grad."},
    {"retain_grad", retain_grad, METH_NOARGS, "retain_grad($self)\n--\n\nMakes backward() leave a gradient here although this is not a leaf."},
    {"_become", become, METH_O, "Takes on the numbers of another tensor in place."},
    {"_as_subclass", as_subclass, METH_O, "The same variable's tensor as an object of a subclass."},
    {"_text", text, METH_VARARGS, "The printed form."},
    {"__dlpack__", (PyCFunction)(void (*)(void))dlpack_of, METH_FASTCALL | METH_KEYWORDS, "__dlpack__($self, *, stream=None, max_version=None, dl_device=None, copy=None)\n--\n\nThe memory for another library, as a DLPack capsule."},
    {NULL},
};

static PyGetSetDef properties[] = {
    {"shape", get_shape, NULL, "The sizes of the axes.", NULL},
    {"dtype", get_dtype, NULL, "The type of the elements.", NULL},
    {"device", get_device, NULL, "Where the elements live.", NULL},
    {"ndim", get_rank, NULL, "The number of axes.", NULL},
    {"is_leaf", get_is_leaf, NULL, "Whether no op made this tensor.", NULL},
    {"requires_grad", get_requires_grad, set_requires_grad, "Whether gradients flow to this tensor.", NULL},
    {"grad", get_grad, set_grad, "The gradient that backward() left here; None before.", NULL},
    {"grad_fn", get_grad_fn, NULL, "The op that made this tensor; None for leaves.", NULL},
    {"data", get_data, set_data, "The numbers without history; changing them in place changes this tensor.", NULL},
    {NULL},
};

static PyMemberDef members[] = {
    {"__weaklistoffset__", T_PYSSIZET, offsetof(TensorObject, weakrefs), READONLY, NULL},
    {NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "An array of numbers of one dtype, and its place in the graph that gradients flow back through."},
    {Py_tp_new, new},
    {Py_tp_dealloc, dealloc},
    {Py_tp_methods, methods},
    {Py_tp_getset, properties},
    {Py_tp_members, members},
    {Py_tp_hash, _Py_HashPointer},
    {Py_tp_richcompare, compare},
    {Py_nb_add, nb_add},
    {Py_nb_subtract, nb_sub},
    {Py_nb_multiply, nb_mul},
    {Py_nb_true_divide, nb_div},
    {Py_nb_floor_divide, nb_floor},
    {Py_nb_remainder, nb_remainder},
    {Py_nb_power, nb_pow},
    {Py_nb_matrix_multiply, nb_matmul},
    {Py_nb_and, nb_and},
    {Py_nb_or, nb_or},
    {Py_nb_xor, nb_xor},
    {Py_nb_negative, nb_neg},
    {Py_nb_positive, nb_positive},
    {Py_nb_absolute, nb_abs},
    {Py_nb_invert, nb_invert},
    {Py_nb_bool, nb_bool},
    {Py_nb_float, nb_float},
    {Py_nb_int, nb_int},
    {Py_nb_index, nb_index},
    {Py_nb_inplace_add, nb_inplace_add},
    {Py_nb_inplace_subtract, nb_inplace_sub},
    {Py_nb_inplace_multiply, nb_inplace_mul},
    {Py_nb_inplace_true_divide, nb_inplace_div},
    {Py_nb_inplace_floor_divide, nb_inplace_floor},
    {Py_nb_inplace_remainder, nb_inplace_remainder},
    {Py_nb_inplace_power, nb_inplace_pow},
    {Py_nb_inplace_and, nb_inplace_and},
    {Py_nb_inplace_or, nb_inplace_or},
    {Py_nb_inplace_xor, nb_inplace_xor},
    {Py_mp_length, length},
    {Py_mp_subscript, get_item},
    {Py_mp_ass_subscript, set_item},
    {Py_sq_length, length},
    {Py_bf_getbuffer, get_buffer},
    {Py_bf_releasebuffer, release_buffer},
    {0, NULL},
};

static PyType_Spec spec = {"apus.Tensor", sizeof(TensorObject), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, slots};

bool add_tensor_type(PyObject *module) {
  find_operators();
  TensorType = (PyTypeObject *)PyType_FromSpec(&spec);
  return TensorType && PyModule_AddObjectRef(module, "Tensor", (PyObject *)TensorType) == 0;
}
