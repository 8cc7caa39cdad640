"""Newton's method in many dimensions: gradient and Hessian of a function, without a formula for either.

Each step goes to the lowest point of the parabola that has the function's slope and curvature where we stand: x ← x − H⁻¹ g. For the sum of
exponentials below there is one lowest point, and close to it the number of right digits doubles with each step.
"""

import numpy as np

import apus
from apus.autograd.functional import hessian

apus.manual_seed(2)
directions = apus.randn(12, 4, dtype=apus.float64)


def f(x):
    return (directions @ x).exp().sum() + x.square().sum()


x = apus.full((4,), 0.5, dtype=apus.float64)
for step in range(1, 7):
    x.requires_grad_()
    (gradient,) = apus.autograd.grad(f(x), [x])
    curvature = hessian(f, x.detach())
    # NumPy reads the tensors where they are.
    x = x.detach() - apus.from_numpy(np.linalg.solve(curvature.numpy(), gradient.numpy()))
    print(f"step {step}: f = {f(x).item():.12f}, slope {gradient.norm().item():.1e}")
