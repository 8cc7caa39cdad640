"""An optimizer of your own, in Python: Rprop (Riedmiller and Braun 1993), which looks at the signs of gradients only.

Each number has a step size of its own, which grows while the sign stays and shrinks when it changes. In a valley a thousand times steeper across than along,
gradient descent must take steps small enough for the steep direction, and then hardly moves in the other.
"""

import apus
from apus import optim


class Rprop(optim.Optimizer):
    def __init__(self, params, lr=0.01, grow=1.2, shrink=0.5):
        super().__init__(params, {"lr": lr, "grow": grow, "shrink": shrink})

    def step(self, closure=None):
        with apus.no_grad():
            for group in self.param_groups:
                for p in group["params"]:
                    if p.grad is None:
                        continue
                    state = self.state[p]
                    if not state:
                        state["sign"], state["size"] = apus.zeros_like(p), apus.full_like(p, group["lr"])
                    sign = p.grad.sign()
                    agreement = sign * state["sign"]
                    factor = apus.where(agreement > 0, group["grow"], apus.where(agreement < 0, group["shrink"], 1.0))
                    state["size"] = (state["size"] * factor).clamp(1e-6, 50)
                    # After a change of sign it waits for the next gradient.
                    state["sign"] = sign.masked_fill(agreement < 0, 0)
                    p.sub_(state["sign"] * state["size"])


def valley(p):
    return (1 - p[0]) ** 2 + 1000 * (1 - p[1]) ** 2


def steps(make):
    point = apus.tensor([-1.2, 1.0], dtype=apus.float64, requires_grad=True)
    optimizer = make([point])
    for step in range(1, 20001):
        optimizer.zero_grad()
        valley(point).backward()
        optimizer.step()
        if (point.detach() - 1).abs().max() < 1e-3:
            return step


print("SGD:  ", steps(lambda params: optim.SGD(params, lr=5e-4)), "steps")
print("Rprop:", steps(Rprop), "steps")
