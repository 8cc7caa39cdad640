"""Gradient scaling: the factor's way and the steps that are left out, beside PyTorch's."""

import apus
import pytest

torch = pytest.importorskip("torch")


def test_scaler_like_pytorch():
    results = []
    for library in (apus, torch):
        parameter = library.tensor([1.0, 2.0], requires_grad=True)
        optimizer = library.optim.SGD([parameter], lr=0.1)
        scaler = library.amp.GradScaler("cpu", init_scale=8.0, growth_interval=2)
        seen = []
        for factor in (1.0, float("inf"), 1.0, 1.0, 1.0):
            optimizer.zero_grad()
            scaler.scale((parameter * factor).sum()).backward()
            scaler.step(optimizer)
            scaler.update()
            seen.append((parameter.tolist(), scaler.get_scale()))
        results.append((seen, scaler.state_dict()))
    assert results[0] == results[1]
    assert [scale for _, scale in results[0][0]] == [8, 4, 4, 8, 8]
    with pytest.raises(RuntimeError, match="already"):
        scaler = apus.amp.GradScaler()
        parameter = apus.ones(1).requires_grad_()
        parameter.sum().backward()
        optimizer = apus.optim.SGD([parameter], lr=0.1)
        scaler.unscale_(optimizer)
        scaler.unscale_(optimizer)
