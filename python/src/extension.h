// What the files of the extension module apus._C share.
#ifndef APUS_EXTENSION_H
#define APUS_EXTENSION_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <structmember.h>

#include "functions.h"

// MARK: - Types

enum link { LINK_NONE, LINK_DATA, LINK_GRAD };

// A tensor: a variable of the library, and whose `data` or `grad` it is where in-place changes are to reach that.
typedef struct {
  PyObject_HEAD
  apus_handle handle;
  PyObject *weakrefs;
  PyObject *grad;    // a weak reference to the object that `grad` gave last
  PyObject *target;  // see `link`
  enum link link;
} TensorObject;

typedef struct {
  PyObject_HEAD
  int32_t number;
  PyObject *name;
} DTypeObject;

typedef struct {
  PyObject_HEAD
  void *handle;
} GeneratorObject;

extern PyTypeObject *TensorType, *OpType, *DTypeType, *HookType, *GeneratorType;
extern PyObject *SizeType, *DeviceType, *default_device;
#define APUS_DTYPE_COUNT 10
extern PyObject *dtypes[APUS_DTYPE_COUNT];

#define Tensor_Check(object) PyObject_TypeCheck(object, TensorType)
#define DType_Check(object) Py_IS_TYPE(object, DTypeType)
#define HANDLE(object) (((TensorObject *)(object))->handle)

// MARK: - Modes

// The modes of this thread (enum apus_mode).
extern _Thread_local int32_t current_mode;

// Calls of at least so many elements give up the interpreter's lock.
#define LARGE 16384

// How many calls are running without the interpreter's lock; fork waits for them.
extern _Atomic int in_flight;
#define BEGIN_UNLOCKED { PyThreadState *saved_state = PyEval_SaveThread(); in_flight++;
#define END_UNLOCKED in_flight--; PyEval_RestoreThread(saved_state); }

// MARK: - Errors

// Whether a call has failed; the exception is set then.
bool failed(apus_error *error);

// MARK: - Conversion

// Memory that lives as long as a call.
typedef struct arena_block {
  struct arena_block *next;
} arena_block;
typedef struct {
  arena_block *blocks;
  PyObject *objects;  // a list of objects to be kept alive; NULL where there are none
  size_t used;
  _Alignas(16) char first[1024];
} arena;

#define ARENA_INIT(name) arena name; name.blocks = NULL; name.objects = NULL; name.used = 0
void *arena_get(arena *memory, size_t size);
bool arena_keep(arena *memory, PyObject *object);  // steals the reference
void arena_free(arena *memory);

// 1 for a number, 0 for something else, -1 for an exception.
int convert_number(PyObject *object, apus_value *value);
// 1 for an integer or a sequence of them (or of None, where allowed), 0 for something else, -1 for an exception.
int convert_ints(PyObject *object, apus_value *value, arena *memory, bool allows_none);
bool convert_int_items(PyObject *const *items, Py_ssize_t count, apus_value *value, arena *memory, bool allows_none);
// Any plain value; false after an exception.
bool convert_value(PyObject *object, apus_value *value, arena *memory, int depth);
// A dtype, also from NumPy's; -1 after an exception.
int32_t convert_dtype(PyObject *object);
bool convert_device(PyObject *object);

// A new tensor object that takes over the handle; NULL after an exception (also for a NULL handle with `error`).
PyObject *wrap(apus_handle handle);
PyObject *wrap_or_fail(apus_handle handle, apus_error *error);
// The object of a value, which is freed.
PyObject *take_value(apus_value *value);
PyObject *shape_tuple(apus_handle x);
// A tensor made of numbers, nested sequences, arrays or tensors.
PyObject *tensor_of(PyObject *data, int32_t dtype);
// A tensor that shares memory with an object that has the buffer protocol; NULL with an exception, or without one if `is_quiet`.
PyObject *tensor_of_buffer(PyObject *object, bool is_quiet);
// The memory of a tensor, and a token for apus_unexport. Ops on it that were put off run now, without the interpreter's lock.
void *lend(PyObject *self, void **pointer);
PyObject *dlpack_of(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names);
PyObject *tensor_of_dlpack(PyObject *module, PyObject *object);
int get_buffer(PyObject *self, Py_buffer *view, int flags);
void release_buffer(PyObject *self, Py_buffer *view);

// After an in-place change: what the tensor is the `data` or `grad` of changes too.
bool propagate(TensorObject *self);

// MARK: - Parts of the module

bool add_tensor_type(PyObject *module);
bool add_op_type(PyObject *module);
bool add_dtypes(PyObject *module);
bool add_generator_type(PyObject *module);
extern PyMethodDef autograd_functions[], file_functions[], optimizer_functions[];
void set_callbacks(void);
void *open_address(const char *address, char **reason);
intptr_t read_response(void *response, void *buffer, intptr_t capacity, char **reason);

#endif
