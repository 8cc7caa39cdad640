"""An op of your own with a gradient of your own, written in Python: rounding that learns.

The derivative of rounding is 0 nearly everywhere, so nothing behind it would learn. The straight-through estimator (Bengio et al. 2013) rounds on
the way forward and acts on the way back as if it had done nothing. Here a network learns weights of which only whole numbers are used.
"""

import apus
from apus import nn, optim


class Round(apus.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.round()

    @staticmethod
    def backward(ctx, gradient):
        return gradient


class Cube(apus.autograd.Function):
    """x³, as an op with a rule that can be checked."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x * x

    @staticmethod
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        return 3 * x * x * gradient


apus.manual_seed(0)
points = apus.randn(5, dtype=apus.float64, requires_grad=True)
print("the rule of Cube agrees with differences:", apus.autograd.gradcheck(Cube.apply, [points]))


class WholeLinear(nn.Linear):
    def forward(self, x):
        return nn.functional.linear(x, Round.apply(self.weight), self.bias)


truth = apus.tensor([[3.0, -2.0, 0.0, 5.0]])
x = apus.randn(200, 4)
y = x @ truth.T + 0.1 * apus.randn(200, 1)
model = WholeLinear(4, 1)
optimizer = optim.Adam(model.parameters(), lr=0.05)
for _ in range(300):
    optimizer.zero_grad()
    loss = nn.functional.mse_loss(model(x), y)
    loss.backward()
    optimizer.step()
print("whole weights:", model.weight.round().flatten().tolist())
print(f"loss {loss.item():.3f}")
