// Mistakes that can be caught.

import Apus

do {
  let y = try catching { Tensor.ones([2, 3]).matmul(Tensor.ones([4, 5])) + 1 }
  print(y)
} catch {
  print(error)  // matmul: [2, 3] × [4, 5]: inner sizes 3 and 4 differ
}

// Prints:
// matmul: [2, 3] × [4, 5]: inner sizes 3 and 4 differ
