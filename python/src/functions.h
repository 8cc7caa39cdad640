// The functions of libApusPython (Swift: Sources/ApusPython/Calls), whose types are in apus_abi.h.
#ifndef APUS_FUNCTIONS_H
#define APUS_FUNCTIONS_H

#include "apus_abi.h"

int32_t apus_abi_version(void);
char *apus_version(void);
char *apus_instruction_set(void);
int32_t apus_thread_count(void);
void apus_memory(int64_t *result);
void apus_after_fork(void);
void apus_free(void *pointer);

void apus_release(apus_handle x);
apus_handle apus_copy(apus_handle x);
void apus_assign(apus_handle target, apus_handle source);
bool apus_is_same(apus_handle a, apus_handle b);
int64_t apus_count(apus_handle x);
void apus_info_of(apus_handle x, apus_info *info, int64_t *shape, int64_t *strides);

char *apus_dtype_name(int32_t dtype);
int32_t apus_dtype_size(int32_t dtype);
int32_t apus_promote(int32_t a, int32_t b);
void apus_set_default_dtype(int32_t dtype);
int32_t apus_get_default_dtype(void);

char *apus_op_table(void);
void apus_call(int32_t op, const apus_value *values, int32_t mode, apus_value *result, apus_error *error);
int32_t apus_operator(const char *name);
apus_handle apus_tensor_binary(int32_t op, apus_handle a, apus_handle b, int32_t mode, apus_error *error);
apus_handle apus_tensor_binary_number(int32_t op, apus_handle a, const apus_value *b, bool reversed, int32_t mode, apus_error *error);
apus_handle apus_tensor_unary(int32_t op, apus_handle x, int32_t mode, apus_error *error);
apus_handle apus_matmul(apus_handle a, apus_handle b, int32_t mode, apus_error *error);
bool apus_become(apus_handle target, apus_handle result, int32_t mode, apus_error *error);
bool apus_update(int32_t op, apus_handle a, apus_handle b, const apus_value *number, int32_t mode, apus_error *error);

apus_handle apus_from_bytes(const void *bytes, intptr_t byte_count, int32_t dtype, const int64_t *shape, int32_t rank, int32_t as, apus_error *error);
apus_handle apus_from_memory(void *pointer, int32_t dtype, const int64_t *shape, const int64_t *strides, int32_t rank,
                             void (*release)(void *context), void *context, apus_error *error);
void *apus_export(apus_handle x, void **pointer);
void apus_unexport(void *token);
void apus_item(apus_handle x, apus_value *result, apus_error *error);
bool apus_elements(apus_handle x, void *result, apus_error *error);
char *apus_repr(apus_handle x, int32_t precision, int32_t threshold, int32_t edge_items, int32_t line_width, apus_error *error);
char *apus_grad_fn(apus_handle x);

apus_handle apus_get_items(apus_handle x, const apus_value *items, int32_t count, int32_t mode, apus_error *error);
bool apus_set_items(apus_handle x, const apus_value *items, int32_t count, const apus_value *value, int32_t mode, apus_error *error);

bool apus_set_requires_grad(apus_handle x, bool value, apus_error *error);
apus_handle apus_get_grad(apus_handle x);
bool apus_is_grad(apus_handle x, apus_handle gradient);
bool apus_set_grad(apus_handle x, apus_handle gradient, apus_error *error);
void apus_cut(apus_handle x);
bool apus_set_data(apus_handle x, apus_handle data, apus_error *error);
bool apus_backward(apus_handle y, apus_handle gradient, int32_t retain_graph, bool create_graph, int32_t mode, apus_error *error);
void apus_grad(const apus_handle *ys, const apus_handle *gradients, int32_t y_count, const apus_handle *xs, int32_t x_count,
               int32_t retain_graph, bool create_graph, int32_t mode, apus_value *result, apus_error *error);
void apus_set_callbacks(const apus_callbacks *functions);
void *apus_add_hook(apus_handle x, void *object, apus_error *error);
void apus_remove_hook(void *hook);
bool apus_retain_grad(apus_handle x, apus_error *error);
bool apus_attach(const apus_handle *outputs, int32_t output_count, const apus_handle *inputs, int32_t input_count, void *object,
                 const char *name, int32_t mode, apus_error *error);

void *apus_optimizer_make(const char *kind, const apus_handle *cells, const int32_t *sizes, int32_t group_count, apus_error *error);
void apus_optimizer_release(void *optimizer);
char *apus_optimizer_options(void *optimizer);
bool apus_optimizer_step(void *optimizer, const double *values, int32_t count, apus_error *error);
apus_handle apus_optimizer_step_with(void *optimizer, const double *values, int32_t count, void *object, apus_error *error);
char *apus_optimizer_state(void *optimizer, apus_value *tensors, apus_error *error);
bool apus_optimizer_set_state(void *optimizer, const apus_handle *tensors, int32_t count, const char *text, const double *values,
                              int32_t value_count, apus_error *error);

void *apus_generator_make(uint64_t seed);
void *apus_generator_default(void);
void apus_generator_release(void *generator);
void apus_generator_state(void *generator, uint64_t *state);
void apus_generator_set_state(void *generator, const uint64_t *state);

void apus_load(const char *path, apus_value *result, apus_error *error);
bool apus_save(const apus_value *value, const char *path, apus_error *error);
void apus_load_tensors(const char *path, apus_value *result, apus_error *error);
bool apus_save_tensors(const apus_value *tensors, const apus_value *metadata, const char *path, apus_error *error);

#endif
