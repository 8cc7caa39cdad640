// An op of the library's table as a Python callable: a function, a method, or the form of a method that changes the tensor.
#include "extension.h"

#define MAX_PARAMETERS 16

typedef struct {
  PyObject_HEAD
  vectorcallfunc vectorcall;
  int32_t number;
  int32_t count;       // parameters
  int32_t positional;  // how many of them may be given by position
  int32_t star;        // which of them takes all further ones; -1 without
  bool inplace;        // changes its first argument
  bool keeps;          // returns its first argument itself where nothing has changed
  char kinds[MAX_PARAMETERS];
  bool optional[MAX_PARAMETERS];
  PyObject *names;     // tuple of interned strings
  PyObject *defaults;  // tuple; Ellipsis where there is none
  PyObject *fields;    // class of the result if it is several tensors; None for a tuple
  PyObject *name, *qualname, *doc, *signature, *module;
} OpObject;

PyTypeObject *OpType;

// MARK: - Arguments

static void complain(OpObject *op, int i, PyObject *object, const char *expected) {
  PyErr_Format(PyExc_TypeError, "%U(): argument '%U' must be %s, not %.100s", op->name, PyTuple_GET_ITEM(op->names, i), expected,
               Py_TYPE(object)->tp_name);
}

static bool convert_tensors(OpObject *op, int i, PyObject *const *items, Py_ssize_t count, apus_value *value, arena *memory) {
  apus_handle *handles = arena_get(memory, (size_t)count * sizeof(apus_handle));
  if (!handles) return false;
  for (Py_ssize_t k = 0; k < count; k++) {
    if (items[k] == Py_None) {
      handles[k] = NULL;
    } else if (Tensor_Check(items[k])) {
      handles[k] = HANDLE(items[k]);
    } else {
      complain(op, i, items[k], "a sequence of tensors");
      return false;
    }
  }
  value->tag = APUS_TENSORS;
  value->count = (int32_t)count;
  value->pointer = handles;
  return true;
}

// An array-like object (NumPy's, a list) as a tensor that lives as long as the call.
static bool convert_array(PyObject *object, apus_value *value, arena *memory) {
  PyObject *tensor = tensor_of(object, -1);
  if (!tensor || !arena_keep(memory, tensor)) return false;
  value->tag = APUS_TENSOR;
  value->pointer = HANDLE(tensor);
  return true;
}

static bool is_array(PyObject *object) { return PyObject_HasAttrString(object, "__array_interface__"); }

static bool convert_argument(OpObject *op, int i, PyObject *object, apus_value *value, arena *memory) {
  memset(value, 0, sizeof *value);
  if (object == Py_None && op->optional[i]) return true;
  int status;
  switch (op->kinds[i]) {
    case 'T':
    case 'M':
      if (Tensor_Check(object)) {
        value->tag = APUS_TENSOR;
        value->pointer = HANDLE(object);
        return true;
      }
      complain(op, i, object, op->optional[i] ? "Tensor or None" : "Tensor");
      return false;
    case 'O':
      if (Tensor_Check(object)) {
        value->tag = APUS_TENSOR;
        value->pointer = HANDLE(object);
        return true;
      }
      status = convert_number(object, value);
      if (status == 0 && is_array(object)) return convert_array(object, value, memory);
      if (status == 0) complain(op, i, object, "Tensor or number");
      return status > 0;
    case 'L': {
      if (Tensor_Check(object)) return convert_tensors(op, i, &object, 1, value, memory);
      PyObject *sequence = PySequence_Check(object) && !PyUnicode_Check(object) ? PySequence_Fast(object, "a sequence is expected") : NULL;
      if (!sequence) {
        if (!PyErr_Occurred()) complain(op, i, object, "a sequence of tensors");
        return false;
      }
      if (!arena_keep(memory, sequence)) return false;
      return convert_tensors(op, i, PySequence_Fast_ITEMS(sequence), PySequence_Fast_GET_SIZE(sequence), value, memory);
    }
    case 'i':
      status = PyFloat_Check(object) || PyBool_Check(object) ? 0 : convert_ints(object, value, memory, false);
      if (PyBool_Check(object)) status = convert_number(object, value);
      if (status > 0 && value->tag == APUS_INTS) status = 0;
      if (status == 0) complain(op, i, object, "int");
      return status > 0;
    case 'f':
    case 'n':
      status = convert_number(object, value);
      if (status == 0 && Tensor_Check(object)) {
        apus_error error = {0};
        apus_item(HANDLE(object), value, &error);
        return !failed(&error);
      }
      if (status == 0) complain(op, i, object, op->kinds[i] == 'f' ? "float" : "number");
      return status > 0;
    case 'b': {
      if (!PyBool_Check(object) && !PyLong_Check(object) && convert_number(object, value) != 1) {
        if (!PyErr_Occurred()) complain(op, i, object, "bool");
        return false;
      }
      int truth = PyObject_IsTrue(object);
      if (truth < 0) return false;
      value->tag = APUS_BOOL;
      value->integer = truth;
      return true;
    }
    case 's':
      if (PyUnicode_Check(object)) return convert_value(object, value, memory, 0);
      complain(op, i, object, "str");
      return false;
    case 'd': {
      int32_t dtype = convert_dtype(object);
      if (dtype < 0) return false;
      value->tag = APUS_DTYPE;
      value->integer = dtype;
      return true;
    }
    case 'I':
    case 'S':
      status = convert_ints(object, value, memory, op->kinds[i] == 'S' && op->optional[i]);
      if (status == 0) complain(op, i, object, "int or a sequence of ints");
      return status > 0;
    case 'v':
      return convert_device(object);
    case 'g':
      if (PyObject_TypeCheck(object, GeneratorType)) {
        value->tag = APUS_GENERATOR;
        value->pointer = ((GeneratorObject *)object)->handle;
        return true;
      }
      complain(op, i, object, "Generator or None");
      return false;
    default:
      if (PyList_Check(object) || PyTuple_Check(object) || PyObject_TypeCheck(object, (PyTypeObject *)SizeType)) {
        // Flat lists of integers are the usual case.
        bool is_flat = true;
        PyObject *const *items = PySequence_Fast_ITEMS(object);
        for (Py_ssize_t k = 0; is_flat && k < PySequence_Fast_GET_SIZE(object); k++) is_flat = PyLong_Check(items[k]);
        if (is_flat) return convert_int_items(items, PySequence_Fast_GET_SIZE(object), value, memory, false);
      }
      if (is_array(object) && !Tensor_Check(object) && PySequence_Check(object)) return convert_array(object, value, memory);
      if (!convert_value(object, value, memory, 0)) return false;
      if (value->tag == APUS_VALUES) {
        // Numbers that aren't all integers.
        const apus_value *parts = value->pointer;
        double *numbers = arena_get(memory, (size_t)value->count * sizeof(double));
        if (!numbers) return false;
        for (int32_t k = 0; k < value->count; k++) {
          if (parts[k].tag != APUS_FLOAT && parts[k].tag != APUS_INT) return true;
          numbers[k] = parts[k].tag == APUS_FLOAT ? parts[k].number : (double)parts[k].integer;
        }
        value->tag = APUS_FLOATS;
        value->pointer = numbers;
      }
      return true;
  }
}

// The place of a keyword, or -1. NumPy's words for PyTorch's are taken too.
static int place_of(OpObject *op, PyObject *keyword) {
  for (int i = 0; i < op->count; i++) {
    if (PyTuple_GET_ITEM(op->names, i) == keyword) return i;
  }
  static const char *const aliases[][2] = {{"self", "input"}, {"axis", "dim"}, {"keepdims", "keepdim"}, {"from", "from_"}};
  for (size_t k = 0; k < sizeof aliases / sizeof *aliases; k++) {
    if (PyUnicode_CompareWithASCIIString(keyword, aliases[k][0])) continue;
    for (int i = 0; i < op->count; i++) {
      if (!PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(op->names, i), aliases[k][1])) return i;
    }
  }
  for (int i = 0; i < op->count; i++) {
    if (PyUnicode_Compare(PyTuple_GET_ITEM(op->names, i), keyword) == 0) return i;
  }
  return -1;
}

// Puts the arguments in their places and converts them.
static bool convert_arguments(OpObject *op, PyObject *const *args, Py_ssize_t count, PyObject *keywords, apus_value *values, arena *memory) {
  PyObject *given[MAX_PARAMETERS] = {NULL};
  PyObject *const *rest = NULL;
  Py_ssize_t rest_count = 0;
  if (count > op->positional && op->star < 0) {
    PyErr_Format(PyExc_TypeError, "%U() takes at most %d positional arguments (%zd given)", op->name, op->positional, count);
    return false;
  }
  for (Py_ssize_t i = 0; i < count; i++) {
    if (i == op->star) {
      // One sequence, or all that follows.
      bool is_list = count - i == 1 && !PyLong_Check(args[i]) && (op->kinds[i] != 'L' || !Tensor_Check(args[i]));
      if (is_list) {
        given[i] = args[i];
      } else {
        rest = args + i;
        rest_count = count - i;
      }
      break;
    }
    given[i] = args[i];
  }
  Py_ssize_t keyword_count = keywords ? PyTuple_GET_SIZE(keywords) : 0;
  for (Py_ssize_t k = 0; k < keyword_count; k++) {
    PyObject *keyword = PyTuple_GET_ITEM(keywords, k);
    int i = place_of(op, keyword);
    if (i < 0) {
      PyErr_Format(PyExc_TypeError, "%U() got an unexpected keyword argument '%U'", op->name, keyword);
      return false;
    }
    if (given[i] || (rest && i == op->star)) {
      PyErr_Format(PyExc_TypeError, "%U() got multiple values for argument '%U'", op->name, keyword);
      return false;
    }
    given[i] = args[count + k];
  }
  for (int i = 0; i < op->count; i++) {
    memset(&values[i], 0, sizeof values[i]);
    PyObject *object = given[i];
    if (i == op->star && rest) {
      bool fits = op->kinds[i] == 'L' ? convert_tensors(op, i, rest, rest_count, &values[i], memory)
                                      : convert_int_items(rest, rest_count, &values[i], memory, false);
      if (!fits) return false;
      continue;
    }
    if (!object) {
      if (i == op->star) {
        // None given: an empty shape.
        values[i].tag = op->kinds[i] == 'L' ? APUS_TENSORS : APUS_INTS;
        continue;
      }
      object = PyTuple_GET_ITEM(op->defaults, i);
      if (object == Py_Ellipsis) {
        PyErr_Format(PyExc_TypeError, "%U() missing required argument: '%U'", op->name, PyTuple_GET_ITEM(op->names, i));
        return false;
      }
      if (object == Py_None) continue;
    }
    if (!convert_argument(op, i, object, &values[i], memory)) return false;
  }
  return true;
}

// MARK: - Calling

static int64_t elements(const apus_value *values, int32_t count) {
  int64_t total = 0;
  for (int32_t i = 0; i < count; i++) {
    if (values[i].tag == APUS_TENSOR) {
      total += apus_count((apus_handle)values[i].pointer);
    } else if (values[i].tag == APUS_TENSORS) {
      for (int32_t k = 0; k < values[i].count; k++) {
        apus_handle handle = ((apus_handle *)values[i].pointer)[k];
        if (handle) total += apus_count(handle);
      }
    } else if (values[i].tag == APUS_INTS && values[i].count) {
      total += LARGE;  // creation: the size is in there
    }
  }
  return total;
}

// The call without the interpreter's lock: on variables of its own, since others may change those of the arguments meanwhile.
static bool call_unlocked(OpObject *op, apus_value *values, apus_value *result, apus_error *error, arena *memory) {
  apus_handle originals[MAX_PARAMETERS] = {NULL};
  for (int32_t i = 0; i < op->count; i++) {
    if (values[i].tag == APUS_TENSOR) {
      originals[i] = (apus_handle)values[i].pointer;
      values[i].pointer = apus_copy(originals[i]);
    } else if (values[i].tag == APUS_TENSORS && values[i].count) {
      apus_handle *copies = arena_get(memory, (size_t)values[i].count * sizeof(apus_handle));
      if (!copies) return false;
      for (int32_t k = 0; k < values[i].count; k++) {
        apus_handle handle = ((apus_handle *)values[i].pointer)[k];
        copies[k] = handle ? apus_copy(handle) : NULL;
      }
      values[i].pointer = copies;
    }
  }
  int32_t mode = current_mode;
  BEGIN_UNLOCKED
  apus_call(op->number, values, mode, result, error);
  END_UNLOCKED
  for (int32_t i = 0; i < op->count; i++) {
    if (values[i].tag == APUS_TENSOR && originals[i]) {
      apus_handle copy = (apus_handle)values[i].pointer;
      if (op->kinds[i] == 'M' && error->kind == APUS_OK) apus_assign(originals[i], copy);
      apus_release(copy);
    } else if (values[i].tag == APUS_TENSORS) {
      for (int32_t k = 0; k < values[i].count; k++) {
        apus_handle copy = ((apus_handle *)values[i].pointer)[k];
        if (copy) apus_release(copy);
      }
    }
  }
  return true;
}

static PyObject *change(TensorObject *self, apus_value *result) {
  apus_error error = {0};
  if (result->tag != APUS_TENSOR) {
    PyObject *object = take_value(result);
    Py_XDECREF(object);
    PyErr_SetString(PyExc_TypeError, "an op without a tensor as its result has no form that changes one");
    return NULL;
  }
  apus_handle handle = (apus_handle)result->pointer;
  bool done = apus_become(self->handle, handle, current_mode, &error);
  apus_release(handle);
  if (!done) {
    failed(&error);
    return NULL;
  }
  return propagate(self) ? Py_NewRef((PyObject *)self) : NULL;
}

static PyObject *call(PyObject *object, PyObject *const *args, size_t flags, PyObject *keywords) {
  OpObject *op = (OpObject *)object;
  Py_ssize_t count = PyVectorcall_NARGS(flags);
  apus_value values[MAX_PARAMETERS];
  apus_value result = {0};
  apus_error error = {0};
  ARENA_INIT(memory);
  PyObject *answer = NULL;
  if (!convert_arguments(op, args, count, keywords, values, &memory)) goto end;
  if (elements(values, op->count) >= LARGE) {
    if (!call_unlocked(op, values, &result, &error, &memory)) goto end;
  } else {
    apus_call(op->number, values, current_mode, &result, &error);
  }
  if (failed(&error)) goto end;
  if (op->inplace) {
    if (count > 0 && Tensor_Check(args[0])) {
      answer = change((TensorObject *)args[0], &result);
    } else {
      Py_XDECREF(take_value(&result));
      PyErr_Format(PyExc_TypeError, "%U(): only a tensor can be changed in place", op->name);
    }
    goto end;
  }
  if (op->keeps && count > 0 && result.tag == APUS_TENSOR && Tensor_Check(args[0]) &&
      apus_is_same(HANDLE(args[0]), (apus_handle)result.pointer)) {
    apus_release((apus_handle)result.pointer);
    answer = Py_NewRef(args[0]);
    goto end;
  }
  bool has_fields = result.tag == APUS_TENSORS && op->fields != Py_None;
  answer = take_value(&result);
  if (answer && has_fields) Py_SETREF(answer, PyObject_Call(op->fields, answer, NULL));
end:
  arena_free(&memory);
  return answer;
}

// MARK: - The type

// _C.Op(number, name, kinds, names, defaults, positional, star, inplace, keeps, fields, doc, signature)
static PyObject *new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
  int number, positional, star, inplace, keeps;
  PyObject *name, *names, *defaults, *fields, *doc, *signature, *qualname;
  const char *kinds;
  if (!PyArg_ParseTuple(args, "iUsO!O!iippOUUU", &number, &name, &kinds, &PyTuple_Type, &names, &PyTuple_Type, &defaults, &positional, &star,
                        &inplace, &keeps, &fields, &doc, &signature, &qualname))
    return NULL;
  Py_ssize_t count = PyTuple_GET_SIZE(names);
  if (count > MAX_PARAMETERS || PyTuple_GET_SIZE(defaults) != count || (Py_ssize_t)strlen(kinds) != 2 * count) {
    PyErr_SetString(PyExc_ValueError, "a signature that doesn't fit together");
    return NULL;
  }
  OpObject *self = (OpObject *)type->tp_alloc(type, 0);
  if (!self) return NULL;
  self->vectorcall = call;
  self->number = number;
  self->count = (int32_t)count;
  self->positional = positional;
  self->star = star;
  self->inplace = inplace;
  self->keeps = keeps;
  for (Py_ssize_t i = 0; i < count; i++) {
    self->kinds[i] = kinds[2 * i];
    self->optional[i] = kinds[2 * i + 1] == '?';
  }
  self->names = Py_NewRef(names);
  self->defaults = Py_NewRef(defaults);
  self->fields = Py_NewRef(fields);
  self->name = Py_NewRef(name);
  self->qualname = Py_NewRef(qualname);
  self->doc = Py_NewRef(doc);
  self->signature = Py_NewRef(signature);
  self->module = PyUnicode_FromString("apus");
  return (PyObject *)self;
}

static void dealloc(PyObject *object) {
  OpObject *self = (OpObject *)object;
  PyTypeObject *type = Py_TYPE(object);
  Py_XDECREF(self->names);
  Py_XDECREF(self->defaults);
  Py_XDECREF(self->fields);
  Py_XDECREF(self->name);
  Py_XDECREF(self->qualname);
  Py_XDECREF(self->doc);
  Py_XDECREF(self->signature);
  Py_XDECREF(self->module);
  type->tp_free(object);
  Py_DECREF(type);
}

static PyObject *get_method(PyObject *self, PyObject *object, PyObject *type) {
  return object ? PyMethod_New(self, object) : Py_NewRef(self);
}

static PyObject *repr(PyObject *self) { return PyUnicode_FromFormat("<function apus.%U>", ((OpObject *)self)->qualname); }

static PyObject *reduce(PyObject *self, PyObject *nothing) { return Py_NewRef(((OpObject *)self)->qualname); }

static PyMethodDef methods[] = {{"__reduce__", reduce, METH_NOARGS, NULL}, {NULL}};

static PyMemberDef members[] = {
    {"__name__", T_OBJECT, offsetof(OpObject, name), READONLY, NULL},
    {"__qualname__", T_OBJECT, offsetof(OpObject, qualname), READONLY, NULL},
    {"__module__", T_OBJECT, offsetof(OpObject, module), 0, NULL},
    {"__doc__", T_OBJECT, offsetof(OpObject, doc), 0, NULL},
    {"__text_signature__", T_OBJECT, offsetof(OpObject, signature), READONLY, NULL},
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(OpObject, vectorcall), READONLY, NULL},
    {NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_new, new},           {Py_tp_dealloc, dealloc}, {Py_tp_call, PyVectorcall_Call}, {Py_tp_descr_get, get_method},
    {Py_tp_members, members},   {Py_tp_repr, repr},       {Py_tp_methods, methods},        {0, NULL},
};

static PyType_Spec spec = {
    "apus._C.Op", sizeof(OpObject), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_METHOD_DESCRIPTOR, slots,
};

bool add_op_type(PyObject *module) {
  OpType = (PyTypeObject *)PyType_FromSpec(&spec);
  return OpType && PyModule_AddObjectRef(module, "Op", (PyObject *)OpType) == 0;
}
