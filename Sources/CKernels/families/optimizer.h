// Parameter updates in one pass over memory: the arithmetic of torch.optim.SGD, Adam and AdamW, in their order of operations
// but for one division, by the root of the second bias correction, that is a product.
// The options do not change inside the loop, so the compiler moves the questions out of it.

#define OPTIMIZERS(F) \
  static void JOIN(sgd, F)(ptrdiff_t n, void *pv, const void *gv, void *bufv, const apus_sgd_options *o) { \
    F *p = pv, *buf = bufv; const F *gs = gv; \
    const F sign = o->maximize ? -1 : 1, lr = (F)o->lr, decay = (F)o->weight_decay; \
    const F momentum = (F)o->momentum, fresh = (F)(1 - o->dampening); \
    if (o->momentum == 0 || !buf) { \
      VECTOR_LOOP for (ptrdiff_t i = 0; i < n; i++) { \
        const F g = sign * gs[i] + decay * p[i]; \
        p[i] = p[i] - lr * g; \
      } \
      return; \
    } \
    /* buf = g on the first step, as if momentum were 0 and dampening too; a buffer of garbage is not read. */ \
    if (o->first) { \
      const F nesterov = o->nesterov ? momentum : 0; \
      VECTOR_LOOP for (ptrdiff_t i = 0; i < n; i++) { \
        const F g = sign * gs[i] + decay * p[i]; \
        buf[i] = g; \
        p[i] = p[i] - lr * (g + nesterov * g); \
      } \
    } else if (o->nesterov) { \
      VECTOR_LOOP for (ptrdiff_t i = 0; i < n; i++) { \
        const F g = sign * gs[i] + decay * p[i]; \
        const F b = momentum * buf[i] + fresh * g; \
        buf[i] = b; \
        p[i] = p[i] - lr * (g + momentum * b); \
      } \
    } else { \
      VECTOR_LOOP for (ptrdiff_t i = 0; i < n; i++) { \
        const F g = sign * gs[i] + decay * p[i]; \
        const F b = momentum * buf[i] + fresh * g; \
        buf[i] = b; \
        p[i] = p[i] - lr * b; \
      } \
    } \
  } \
  static void JOIN(adam, F)( \
      ptrdiff_t n, void *pv, const void *gv, void *mv, void *vv, void *vmaxv, const apus_adam_options *o) { \
    F *p = pv, *m = mv, *v = vv, *vmax = vmaxv; const F *gs = gv; \
    const F sign = o->maximize ? -1 : 1, beta2 = (F)o->beta2, fresh1 = (F)(1 - o->beta1), fresh2 = (F)(1 - o->beta2); \
    const F decay = o->decoupled ? 0 : (F)o->weight_decay; \
    const F keep = o->decoupled ? (F)(1 - o->lr * o->weight_decay) : 1; \
    const F step = (F)(o->lr / o->bias1), root = (F)(1 / __builtin_elementwise_sqrt(o->bias2)), eps = (F)o->eps; \
    if (vmax) { \
      VECTOR_LOOP for (ptrdiff_t i = 0; i < n; i++) { \
        const F g = sign * gs[i] + decay * p[i]; \
        const F mean = m[i] + fresh1 * (g - m[i]), square = beta2 * v[i] + fresh2 * (g * g); \
        const F old = vmax[i], most = ((square > old) | (square != square)) ? square : old; \
        m[i] = mean; v[i] = square; vmax[i] = most; \
        p[i] = keep * p[i] - step * (mean / (__builtin_elementwise_sqrt(most) * root + eps)); \
      } \
    } else { \
      VECTOR_LOOP for (ptrdiff_t i = 0; i < n; i++) { \
        const F g = sign * gs[i] + decay * p[i]; \
        const F mean = m[i] + fresh1 * (g - m[i]), square = beta2 * v[i] + fresh2 * (g * g); \
        m[i] = mean; v[i] = square; \
        p[i] = keep * p[i] - step * (mean / (__builtin_elementwise_sqrt(square) * root + eps)); \
      } \
    } \
  }
OPTIMIZERS(f32)
OPTIMIZERS(f64)
