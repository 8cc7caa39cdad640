"""Every op against PyTorch's: the same expression, once with each library. Skipped where there is no PyTorch."""

import math

import pytest

import apus

torch = pytest.importorskip("torch")
np = pytest.importorskip("numpy")

generator = np.random.default_rng(0)


def _numbers(*shape, low=-2.0, high=2.0):
    return generator.uniform(low, high, shape).astype(np.float32)


A, B, C = _numbers(3, 4), _numbers(3, 4), _numbers(4, 5)
P = _numbers(3, 4, low=0.1, high=0.9)  # between 0 and 1
Q = _numbers(3, 4, low=1.1, high=3.0)  # above 1
V, W = _numbers(4), _numbers(4)
S = _numbers(4, 4) + 4 * np.eye(4, dtype=np.float32)
BATCH, BATCH2 = _numbers(2, 3, 4), _numbers(2, 4, 5)
CUBE = _numbers(2, 3, 4)
I = generator.integers(-9, 9, (3, 4))
J = generator.integers(1, 9, (3, 4))
M = generator.uniform(size=(3, 4)) > 0.5
IMAGE, VOLUME, SIGNAL = _numbers(2, 4, 6, 6), _numbers(1, 2, 5, 5, 5), _numbers(2, 4, 9)
LABELS = np.array([0, 3, 1])
NAN = np.array([[1.0, math.nan, math.inf], [-math.inf, 0.0, -0.0]], dtype=np.float32)

NAMES = {name: value for name, value in globals().items() if name.isupper() and isinstance(value, np.ndarray)}

UNARY = {
    "A": "abs ceil cos cosh erf erfc exp exp2 expm1 floor frac neg round sigmoid sign sin sinh square tan tanh trunc asinh atan relu "
         "isfinite isinf isnan negative absolute logical_not",
    "P": "acos asin atanh erfinv log log10 log1p log2 reciprocal rsqrt sqrt lgamma digamma",
    "Q": "acosh",
    "I": "abs neg sign bitwise_not square",
    "NAN": "isfinite isinf isnan nan_to_num",
}

EXPRESSIONS = [f"x.{name}({variable})" for variable, names in UNARY.items() for name in names.split()] + """
A + B; A - B; A * B; A / B; A ** 2; Q ** B; Q ** 0.5; 2 ** A; A + 1; 1 - A; 2 * A; 3 / Q; A // 0.7; A % 0.7; I // J; I % J; I / J; I ** 2; -A; abs(A); ~I; ~M
A + V; A.unsqueeze(1) * V; I + 1.5; I * 2; M + 1; M * A; M & ~M; M | M; M ^ M; I & J; I | J; I ^ J
A == B; A != B; A < B; A <= B; A > 0; A >= 0.5; I == J; I != 0
x.add(A, B, alpha=2); x.sub(A, 3, alpha=0.5); x.div(A, B, rounding_mode='floor'); x.div(I, J, rounding_mode='trunc'); x.div(I, J, rounding_mode='floor')
x.addcdiv(A, B, Q, value=0.5); x.addcmul(A, B, Q, value=2); x.atan2(A, B); x.clamp(A, -1, 1); x.clamp(A, min=0.1); x.clamp(A, max=B); x.clamp(I, 0, 5)
x.fmax(A, B); x.fmin(A, B); x.fmod(A, 0.7); x.lerp(A, B, 0.3); x.lerp(A, B, P); x.logaddexp(A, B); x.maximum(A, B); x.minimum(A, B); x.remainder(A, -0.7)
x.logical_and(A, I); x.logical_or(M, I); x.logical_xor(M, M); x.xlogy(P, Q); x.where(M, A, B); x.where(M, A, 0.0); A.where(M, 0.0); x.rsub(A, 2); x.pow(A, 3); x.pow(2.0, A)
x.where(M)[0]; x.where(M)[1]; x.nonzero(M); x.argwhere(I)
x.isclose(A, B, rtol=0.5); x.isin(I, J); x.isin(I, 3, invert=True)
A.sum(); A.sum(0); A.sum(1, keepdim=True); A.sum((0, 1)); A.sum(dim=-1); I.sum(); M.sum(); A.sum(dtype=x.float64); A.mean(); A.mean(1); A.mean(dim=(0, 1), keepdim=True)
A.prod(); A.prod(1); A.amax(0); A.amax((0, 1)); A.amin(-1, keepdim=True); x.aminmax(A); x.aminmax(A, dim=0); M.all(); M.any(1); M.all(dim=0); A.any()
A.argmax(); A.argmax(1); A.argmin(dim=0, keepdim=True); A.count_nonzero(); I.count_nonzero(0); A.logsumexp(1); A.logsumexp((0, 1)); A.max(); A.max(1); A.min(dim=0); x.max(A, B); x.min(A, B)
A.median(); A.median(1); I.mode(1)[0]; NAN.nanmean(); NAN.nansum(1); A.norm(); A.norm(1); A.norm(float('inf'), 1); A.norm(p='fro', dim=(0, 1)); A.norm(3, dim=0, keepdim=True)
x.quantile(A, 0.3); A.quantile(0.7, dim=1); x.quantile(A, V.abs() / 3, dim=1, keepdim=True); A.quantile(0.4, interpolation='nearest'); A.quantile(0.4, dim=0, interpolation='lower')
A.std(); A.std(1); A.std(0, unbiased=False); A.std(dim=1, correction=0); A.std(False); A.var(); A.var(1, keepdim=True); x.std_mean(A, 1); x.var_mean(A); x.var_mean(A, dim=0, correction=0); S.trace()
A.argsort(); A.argsort(0, descending=True); x.sort(A); A.sort(0); A.sort(dim=1, descending=True); x.topk(A, 2); A.topk(2, dim=0, largest=False); A.kthvalue(2); A.kthvalue(1, 0)
x.bincount(I.abs().flatten()); x.bincount(J.flatten(), A.flatten()); x.bincount(J.flatten(), minlength=20); x.bucketize(A, V.sort()[0]); x.bucketize(A, V.sort()[0], right=True)
x.searchsorted(V.sort()[0], A); x.searchsorted(V.sort()[0], A, right=True, out_int32=True); x.searchsorted(V.sort()[0], A, side='right')
A.cummax(1); A.cummin(0); A.cumprod(1); A.cumsum(0); I.cumsum(1); A.logcumsumexp(1); x.diff(A); x.diff(A, n=2, dim=1); x.diff(A, dim=0, prepend=A[:1]); x.histc(A, 5); x.histc(A, 4, -1, 1)
x.unique(I); x.unique(I, return_inverse=True, return_counts=True); x.unique(I, dim=0); x.unique_consecutive(I.flatten()); x.unique_consecutive(I.flatten(), return_counts=True)
A @ C; x.matmul(V, C); x.matmul(BATCH, C); x.mm(A, C); x.bmm(BATCH, BATCH2); x.mv(A, V); x.dot(V, W); x.inner(A, B); x.outer(V, W); x.kron(A, C); x.addmm(A @ C, A, C, beta=0.5, alpha=2); x.addmm(C[0], A, C)
x.baddbmm(BATCH @ BATCH2, BATCH, BATCH2, alpha=3); x.cdist(A, B); x.cdist(A, B, p=1.0); x.einsum('ij,jk->ik', A, C); x.einsum('bij,bjk->b', BATCH, BATCH2); x.einsum('ii->i', S); x.einsum('...ij->...ji', BATCH)
x.tensordot(A, C, 1); x.tensordot(BATCH, BATCH2, ([2], [1])); x.tensordot(A, B); x.vdot(V, W); x.addmv(V[:3], A, W)
A.reshape(2, 6); A.reshape(-1); A.view(4, 3); A.flatten(); CUBE.flatten(1); CUBE.flatten(0, 1); A.ravel(); x.unflatten(A, 1, (2, 2)); A.unflatten(-1, (2, -1)); CUBE.permute(2, 0, 1); x.permute(CUBE, (1, 0, 2))
A.transpose(0, 1); x.transpose(CUBE, -1, 0); A.t(); x.t(V); A.T; CUBE.mT; x.movedim(CUBE, 0, 2); x.movedim(CUBE, (0, 1), (1, 2)); A[:, None].squeeze(1); A[None, :, None].squeeze(); A[None].squeeze((0, 1)); A.unsqueeze(-1); x.unsqueeze(A, 1)
V.expand(3, 4); V.expand(3, -1); x.broadcast_to(V, (2, 4)); V.expand_as(A); x.broadcast_tensors(V, A)[0]; A.narrow(1, 1, 2); x.narrow(A, 0, -2, 2); A.select(1, 2); x.select(A, 0, -1); x.flip(A, (0, 1)); A.flip(1); A.flip([0]); x.fliplr(A); x.flipud(A)
A.roll(1); A.roll(2, 1); A.roll((1, -1), (0, 1)); x.rot90(A); x.rot90(A, -1, (1, 0)); A.repeat(2, 1); A.repeat(2, 1, 3); x.tile(A, (2,)); A.tile(2, 3); A.repeat_interleave(2); x.repeat_interleave(A, 3, dim=1); x.repeat_interleave(A, J[0][:3], dim=0)
A.split(2, 1)[1]; A.split([1, 3], dim=1)[1]; x.split(A, 2)[1]; A.chunk(2)[1]; x.chunk(A, 3, 1)[1]; x.tensor_split(A, 3, 1)[0]; x.tensor_split(A, (1, 2), 1)[2]; A.unbind(1)[2]; x.unbind(A)[0]; A.split_with_sizes([1, 2])[1]
x.cat([A, B]); x.cat((A, B), dim=1); x.stack([A, B], 1); x.hstack([A, B]); x.hstack((V, W)); x.vstack([V, W]); x.block_diag(A, C); x.block_diag(V, A); x.meshgrid(V, W, indexing='ij')[1]; x.meshgrid([V, W], indexing='xy')[0]; x.concat([A, B]); x.dstack([A, B])
x.diag(V); x.diag(S, 1); x.diag_embed(A); x.diag_embed(V, offset=-1); x.diagonal(CUBE, 0, 1, 2); S.diagonal(1); A.tril(); A.triu(1); x.tril(S, -1); V.unfold(0, 2, 1); A.unfold(1, 2, 2); A.clone(); A.t().contiguous(); x.swapaxes(A, 0, 1); x.cartesian_prod(V, W)
x.gather(A, 1, I.abs() % 4); x.index_select(A, 1, LABELS); x.index_add(A, 1, LABELS, A[:, :3], alpha=2); x.index_copy(A, 1, LABELS, B[:, :3]); x.index_fill(A, 1, LABELS, 7.0); A.index_put((LABELS % 3, LABELS), V[:3]); A.index_put((LABELS % 2,), V, accumulate=True)
x.index_reduce(A, 1, LABELS, B[:, :3], 'prod'); x.index_reduce(A, 1, LABELS, B[:, :3], 'amax', include_self=False); A.masked_fill(M, 9.0); x.masked_fill(I, M, 3); x.masked_scatter(A, M, B); x.masked_select(A, M); x.take(A, LABELS); x.take_along_dim(A, A.argsort(1), 1)
x.scatter(A, 1, I.abs() % 1, B); A.scatter(1, LABELS[:, None], 5.0); x.scatter_add(A, 0, I.abs() % 3, B); x.scatter_reduce(A, 0, I.abs() % 3, B, 'sum'); x.scatter_reduce(A, 0, I.abs() % 3, B, 'amax', include_self=False); x.scatter_reduce(A, 0, I.abs() % 3, B, 'mean')
x.arange(5); x.arange(1, 5); x.arange(1, 2, 0.25); x.arange(5, 0, -2); x.arange(3.0); x.arange(4, dtype=x.float64); x.eye(3); x.eye(2, 4); x.full((2, 3), 7); x.full((2,), 1.5); x.full((2,), True); x.full_like(A, 2); x.linspace(0, 1, 5); x.logspace(0, 2, 3); x.logspace(0, 3, 4, base=2)
x.zeros(2, 3); x.ones((2,), dtype=x.int32); x.zeros_like(I); x.ones_like(A, dtype=x.float64); A.new_zeros(2, 2); I.new_ones((2,)); A.new_full((2,), 3); A.new_tensor([1, 2]); x.tril_indices(3, 4); x.triu_indices(3, 3, 1); x.tensor([[1, 2], [3, 4]]); x.scalar_tensor(3)
A.double(); A.half(); A.int(); A.long(); A.bool(); A.to(x.float64); A.to(dtype=x.int32); I.float(); A.byte() * 0; A.short(); A.to(I); A.type(x.float64); A.bfloat16().float()
A[0]; A[1, 2]; A[-1]; A[:, 1]; A[1:, ::2]; A[..., 0]; A[None]; A[:, None, 1:3]; A[M]; A[LABELS % 3]; A[LABELS % 3, LABELS]; A[[0, 2]]; A[[0, 2], 1]; A[:, [3, 0]]; CUBE[1, LABELS % 3, :]; CUBE[:, :, LABELS]; CUBE[..., 1:, :2]; A[M[:, 0]]; A[True]; A[x.tensor(1)]; A[-2:, -3:-1]; A[5:]; CUBE[LABELS % 2, :, LABELS]; A[range(2)]; A[x.tensor([], dtype=x.int64)]
x.softmax(A, 1); A.softmax(dim=0); x.log_softmax(A, -1); F.softmax(A, dim=1, dtype=x.float64); F.softmin(A, dim=1); F.celu(A, 1.5); F.elu(A); F.gelu(A); F.gelu(A, approximate='tanh'); F.glu(A); F.hardshrink(A); F.hardsigmoid(A); F.hardswish(A); F.hardtanh(A, -0.5, 0.5); F.leaky_relu(A, 0.2)
F.logsigmoid(A); F.mish(A); F.prelu(A, V[:1]); F.prelu(A, V); F.relu(A); F.relu6(3 * A); F.selu(A); F.silu(A); F.softplus(A); F.softplus(A, 2, 1); F.softshrink(A); F.softsign(A); F.tanhshrink(A); F.threshold(A, 0.1, 20); F.sigmoid(A); F.tanh(A)
x.linalg.det(S); S.det(); x.det(x.stack([S, S.T])); x.linalg.slogdet(S); S.T.slogdet(); x.logdet(S @ S.T); x.linalg.inv(S); S.inverse(); x.inverse(x.stack([S, S.T])); x.linalg.cholesky(S @ S.T); x.linalg.cholesky(S @ S.T, upper=True); x.cholesky_solve(S[:, :2], x.linalg.cholesky(S @ S.T)); x.cholesky_inverse(x.linalg.cholesky(S @ S.T))
x.linalg.solve(S, V); x.linalg.solve(S, C); x.linalg.solve(x.stack([S, S.T]), C); x.linalg.solve(S, A, left=False); x.linalg.solve_triangular(S, C, upper=True); x.linalg.solve_triangular(S, A, upper=False, left=False, unitriangular=True); x.linalg.lu(S); x.linalg.lu(A); x.linalg.lu(A.T); x.linalg.lu_factor(S); x.linalg.lu_factor(x.stack([A, B]))
x.linalg.lu_solve(*x.linalg.lu_factor(S), C); x.linalg.lu_solve(*x.linalg.lu_factor(S), A, left=False, adjoint=True); x.lu_solve(C, *x.linalg.lu_factor(S)); x.lu_unpack(*x.linalg.lu_factor(A)); x.linalg.qr(S); x.linalg.qr(A); x.linalg.qr(A.T); x.linalg.qr(BATCH); x.linalg.qr(A, 'complete'); x.linalg.qr(A.T.detach(), mode='complete'); x.linalg.qr(A.T.detach(), mode='r'); x.qr(A)
x.linalg.eigh(S + S.T)[0]; x.linalg.eigh(S @ S.T, 'U').eigenvectors.abs(); x.linalg.eigh(S).eigenvalues; x.linalg.eigvalsh(S, UPLO='U'); x.linalg.svdvals(A); x.linalg.svdvals(BATCH.mT); x.linalg.svd(A).S; x.linalg.svd(A, full_matrices=False).U.abs(); x.linalg.svd(A.T).Vh.abs(); x.linalg.svd(A.T).U[:, :3] @ x.linalg.svd(A.T).Vh; x.svd(A)[2].abs(); x.svd(A, compute_uv=False)[1]
x.linalg.pinv(A); x.linalg.pinv(BATCH); x.linalg.pinv(S + S.T, hermitian=True); A.pinverse(); x.linalg.lstsq(A, B[:, :2]).solution; x.linalg.lstsq(A.T, C[:, :2]); x.linalg.lstsq(A.T, V, driver='gelsd').solution; x.linalg.lstsq(A.T, C, driver='gels'); x.linalg.lstsq(A.T, C, driver='gelsd'); x.linalg.lstsq(BATCH.mT, BATCH2, driver='gelss')[1:3]; x.linalg.matrix_rank(A); x.linalg.matrix_rank(S, hermitian=True); x.linalg.matrix_rank(A.T @ A, tol=1.0)
x.linalg.matrix_power(S, 3); x.linalg.matrix_power(S, -2); x.matrix_power(S, 0); S.matrix_power(2); x.linalg.matrix_exp(S / 3); x.matrix_exp(x.stack([S / 2, S / 10])); x.linalg.multi_dot([A, C, C.T]); x.linalg.multi_dot([V, C, C.T, W]); x.chain_matmul(A, C, C.T); x.linalg.matrix_norm(BATCH); x.linalg.matrix_norm(BATCH, 'nuc', keepdim=True); x.linalg.matrix_norm(BATCH, 2, dim=(0, 2)); x.linalg.matrix_norm(BATCH, -2)
x.linalg.matrix_norm(A, 1); x.linalg.matrix_norm(BATCH, -1, (2, 0)); x.linalg.matrix_norm(BATCH, float('inf')); x.linalg.matrix_norm(A, -float('inf'), dtype=x.float64); x.linalg.norm(A); x.linalg.norm(A, 'nuc'); x.linalg.norm(A, 2); x.linalg.norm(V, 3); x.linalg.norm(BATCH); x.linalg.norm(BATCH, dim=(0, 1)); x.linalg.norm(A, 1, dim=0); x.linalg.norm(A, ord='fro', dim=(0, 1), keepdim=True); x.linalg.vector_norm(A, 3, dim=1)
x.linalg.cond(S); x.linalg.cond(A, -2); x.linalg.cond(S.detach(), 'fro'); x.linalg.cond(S.detach(), 1); x.linalg.cond(S, 'nuc'); x.linalg.cross(A[:, :3], B[:1, :3]); x.cross(A, B); x.cross(A[:, :3], B[:, :3], dim=1); x.linalg.vecdot(A, B); x.linalg.vecdot(A, B, dim=0); x.vander(V.detach()); x.vander(V.detach(), 3, increasing=True); x.linalg.vander(A, N=4); x.vander(V.detach(), N=1); x.linalg.diagonal(BATCH); x.linalg.diagonal(BATCH, offset=1, dim1=0, dim2=1)
x.linalg.tensorsolve(S.reshape(2, 2, 4), A[:2, :2]); x.linalg.tensorsolve(S.reshape(2, 2, 4), V, dims=(0, 1)); x.linalg.tensorinv(S.reshape(2, 2, 4)); x.linalg.tensorinv(S.reshape(4, 2, 2), ind=1); x.linalg.matmul(A, C); x.linalg.inv(A[:0, :0]); x.linalg.det(A[:0, :0]); x.linalg.eigh(A[:0, :0]); x.linalg.svd(A[:0]); x.linalg.qr(A[:, :0]); x.linalg.inv(BATCH[:0, :3, :3]); x.linalg.pinv(A[:0]); x.linalg.matrix_exp(A[:0, :0])
F.linear(A, C.t()); F.linear(A, C.t(), C[0]); F.bilinear(A, B, BATCH2.permute(0, 1, 2)[:, :, :4]); F.embedding(LABELS, A.t()); F.embedding(LABELS, A.t(), padding_idx=1); F.embedding_bag(LABELS, A.t(), x.tensor([0, 2])); F.embedding_bag(LABELS[None], A.t(), mode='sum'); F.embedding_bag(LABELS[None], A.t(), mode='max')
F.one_hot(LABELS); F.one_hot(LABELS, 6); F.scaled_dot_product_attention(BATCH, BATCH, BATCH); F.scaled_dot_product_attention(BATCH[None], BATCH[None], BATCH[None], is_causal=True); F.scaled_dot_product_attention(BATCH, BATCH, BATCH, attn_mask=M[:, :3]); F.dropout(A, 0.5, training=False); F.dropout(A, 0.0)
F.batch_norm(IMAGE, V, V.abs() + 1); F.batch_norm(IMAGE, None, None, W, V, training=True); F.batch_norm(A, V, V.abs() + 1, W, V, False, 0.1, 1e-3); F.group_norm(IMAGE, 2); F.group_norm(IMAGE, 2, W, V); F.instance_norm(IMAGE); F.instance_norm(IMAGE, V, V.abs() + 1, use_input_stats=False); F.layer_norm(A, (4,)); F.layer_norm(A, (4,), W, V); F.rms_norm(A, (4,), W); F.local_response_norm(IMAGE, 3)
F.normalize(A); F.normalize(A, p=1.0, dim=0); F.cosine_similarity(A, B); F.pairwise_distance(A, B); F.pairwise_distance(A, B, p=1.0, keepdim=True)
F.conv1d(SIGNAL, CUBE.reshape(3, 4, 2)); F.conv2d(IMAGE, IMAGE[:, :, :3, :3]); F.conv2d(IMAGE, IMAGE[:, :, :3, :3], V[:2], stride=2, padding=1); F.conv2d(IMAGE, IMAGE[:, :, :3, :3], padding='same'); F.conv2d(IMAGE, IMAGE[:, :2, :3, :3], groups=2, dilation=2); F.conv2d(IMAGE[0], IMAGE[:, :, :2, :3], stride=(2, 1), padding=(0, 1)); F.conv3d(VOLUME, VOLUME[:, :, :2, :2, :2])
F.conv_transpose1d(SIGNAL, SIGNAL[:, :3, :2].reshape(4, 3, 1)); F.conv_transpose2d(IMAGE, IMAGE.reshape(4, 2, 6, 6)[:, :, :3, :3], stride=2, padding=1, output_padding=1); F.conv_transpose3d(VOLUME, VOLUME.reshape(2, 1, 5, 5, 5)[:, :, :2, :2, :2]); F.unfold(IMAGE, 3); F.unfold(IMAGE, (2, 3), padding=1, stride=2); F.fold(F.unfold(IMAGE, 3), (6, 6), 3)
F.max_pool1d(SIGNAL, 2); F.max_pool2d(IMAGE, 2); F.max_pool2d(IMAGE, 3, 2, 1); F.max_pool2d(IMAGE, 2, return_indices=True); F.max_pool2d(IMAGE, (2, 3), ceil_mode=True); F.max_pool3d(VOLUME, 2); F.avg_pool1d(SIGNAL, 2); F.avg_pool2d(IMAGE, 2); F.avg_pool2d(IMAGE, 3, 2, 1, count_include_pad=False); F.avg_pool2d(IMAGE, 2, divisor_override=3); F.avg_pool3d(VOLUME, 2)
F.adaptive_avg_pool1d(SIGNAL, 4); F.adaptive_avg_pool2d(IMAGE, 1); F.adaptive_avg_pool2d(IMAGE, (2, 3)); F.adaptive_avg_pool2d(IMAGE, (None, 4)); F.adaptive_avg_pool3d(VOLUME, 2); F.adaptive_max_pool1d(SIGNAL, 4); F.adaptive_max_pool2d(IMAGE, 2); F.adaptive_max_pool2d(IMAGE, (2, 3), return_indices=True); F.adaptive_max_pool3d(VOLUME, 2); F.max_unpool2d(*F.max_pool2d(IMAGE, 2, return_indices=True), 2); F.lp_pool2d(IMAGE, 2, 2)
F.interpolate(IMAGE, scale_factor=2); F.interpolate(IMAGE, size=(4, 9), mode='bilinear'); F.interpolate(IMAGE, size=9, mode='bilinear', align_corners=True); F.interpolate(IMAGE, scale_factor=(1.5, 2.0), mode='bicubic'); F.interpolate(SIGNAL, 5, mode='linear'); F.interpolate(IMAGE, size=4, mode='area'); F.interpolate(IMAGE, size=7, mode='nearest-exact')
F.grid_sample(IMAGE, IMAGE[:, :2].permute(0, 2, 3, 1) / 2, align_corners=False); F.grid_sample(IMAGE, IMAGE[:, :2].permute(0, 2, 3, 1), mode='nearest', padding_mode='border', align_corners=True); F.affine_grid(BATCH[:, :2, :3], (2, 1, 3, 3), align_corners=False); F.pad(IMAGE, (1, 2)); F.pad(IMAGE, (1, 1, 2, 2), mode='reflect'); F.pad(IMAGE, (1, 0, 2, 1), mode='replicate'); F.pad(A, (1, 1), value=3.0); F.pad(IMAGE, (1, 1, 1, 1), mode='circular')
F.pixel_shuffle(IMAGE, 2); F.pixel_unshuffle(IMAGE, 2); F.channel_shuffle(IMAGE, 2)
F.binary_cross_entropy(P, P.flip(0)); F.binary_cross_entropy(P, P.flip(0), weight=Q, reduction='sum'); F.binary_cross_entropy_with_logits(A, P); F.binary_cross_entropy_with_logits(A, P, pos_weight=Q[0], reduction='none'); F.cosine_embedding_loss(A, B, x.tensor([1, -1, 1])); F.cross_entropy(A, LABELS); F.cross_entropy(A, LABELS, weight=Q[0], label_smoothing=0.1); F.cross_entropy(A, P / P.sum(1, keepdim=True)); F.cross_entropy(A, LABELS, ignore_index=3, reduction='sum'); F.cross_entropy(IMAGE, (IMAGE[:, 0].abs() * 2).long() % 4)
F.gaussian_nll_loss(A, B, P); F.hinge_embedding_loss(A, x.sign(B)); F.huber_loss(A, B, delta=0.5); F.kl_div(A.log_softmax(1), P); F.kl_div(A.log_softmax(1), P, reduction='batchmean'); F.kl_div(A.log_softmax(1), B.log_softmax(1), log_target=True, reduction='sum'); F.l1_loss(A, B); F.margin_ranking_loss(V, W, x.sign(V), margin=0.1); F.mse_loss(A, B); F.mse_loss(A, B, reduction='sum'); F.mse_loss(A, B, reduction='none')
F.multi_margin_loss(A, LABELS); F.multi_margin_loss(A, LABELS, p=2, margin=0.5, weight=Q[0]); F.multilabel_margin_loss(A, x.tensor([[1, 0, -1, 2], [3, -1, 0, 0], [0, 1, 2, 3]])); F.multilabel_soft_margin_loss(A, M.float()); F.nll_loss(A.log_softmax(1), LABELS); F.nll_loss(A.log_softmax(1), LABELS, reduction='none'); F.poisson_nll_loss(A, P); F.poisson_nll_loss(P, Q, log_input=False, full=True); F.smooth_l1_loss(A, B, beta=0.7); F.soft_margin_loss(A, x.sign(B)); F.triplet_margin_loss(A, B, A.flip(0)); F.triplet_margin_loss(A, B, A.flip(0), margin=2.0, p=1, swap=True)
F.ctc_loss(IMAGE.reshape(12, 2, 12).log_softmax(2), x.tensor([[1, 2, 3], [4, 5, 5]]), (12, 12), (3, 2)); F.ctc_loss(IMAGE.reshape(12, 2, 12).log_softmax(2), x.tensor([[1, 2, 3], [4, 5, 5]]), x.tensor([12, 9]), x.tensor([2, 3]), reduction='sum')
""".replace("\n", ";").split(";")

EXPRESSIONS = [text.strip() for text in EXPRESSIONS if text.strip()]


def _evaluate(text, module, make):
    return eval(text, {"x": module, "F": module.nn.functional, **{name: make(value) for name, value in NAMES.items()}})


def _flat(value):
    if isinstance(value, (tuple, list)):
        return [part for item in value for part in _flat(item)]
    return [value]


def _assert_equal(ours, theirs, tolerance=3e-5):
    ours, theirs = _flat(ours), _flat(theirs)
    assert len(ours) == len(theirs)
    for mine, other in zip(ours, theirs):
        if not isinstance(other, torch.Tensor):
            assert mine == other
            continue
        assert tuple(mine.shape) == tuple(other.shape)
        assert mine.dtype.name == str(other.dtype).split(".")[1]
        a, b = mine.detach().to(apus.float64).numpy(), other.detach().double().numpy()
        if mine.dtype in (apus.float16, apus.bfloat16):
            tolerance = 1e-2
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("text", EXPRESSIONS)
def test_value(text):
    _assert_equal(_evaluate(text, apus, apus.tensor), _evaluate(text, torch, torch.tensor))


# PyTorch's own gradients of `cond` and `vander` fail, hence `detach()` there.
DIFFERENTIABLE = [text for text in EXPRESSIONS if not any(word in text for word in ("I.", "I)", "I ", "M ", "M.a", "M.s", "long()", "J", "NAN", "//"))]
# PyTorch has no gradient for one of these arguments.
NOT_IN_PYTORCH = ("F.batch_norm(IMAGE, V", "F.batch_norm(A, V", "use_input_stats=False", "weight=Q", "pos_weight=", "F.soft_margin_loss")
DIFFERENTIABLE = [text for text in DIFFERENTIABLE if not any(part in text for part in NOT_IN_PYTORCH)]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("text", DIFFERENTIABLE)
def test_gradient(text):
    """The gradients of the sum of squares of what comes out."""

    def gradients(module):
        leaves = []

        def make(array):
            tensor = module.tensor(array)
            if tensor.dtype == module.float32:
                tensor.requires_grad_()
                leaves.append(tensor)
            return tensor

        results = [y for y in _flat(_evaluate(text, module, make)) if hasattr(y, "requires_grad") and y.requires_grad]
        if results:
            sum((y.to(module.float64) ** 2).sum() for y in results).backward()
        return [module.zeros_like(leaf) if leaf.grad is None else leaf.grad for leaf in leaves]

    ours, theirs = gradients(apus), gradients(torch)
    for mine, other in zip(ours, theirs):
        a, b = mine.numpy(), other.numpy()
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-3 * max(1.0, float(np.abs(b[np.isfinite(b)]).max(initial=0.0))))


INPLACE = """
x.add_(y); x.sub_(1); x.mul_(y); x.div_(2); x.pow_(2); x.exp_(); x.neg_(); x.clamp_(0, 1); x.fill_(3); x.zero_(); x.copy_(y); x.abs_(); x.sqrt_(); x.masked_fill_(m, 7.0)
x += y; x -= 1; x *= y; x /= 2; x **= 2; x //= 0.5; x %= 0.7
x[0] = 1; x[:, 1] = y[:, 0]; x[m] = 0; x[m] = y[m]; x[[0, 2]] = y[:2]; x[0, 1] = 5; x[1:, ::2] = y[1:, ::2]; x[...] = y; x[0][1] = 9; x[m] += 1; x[:, [0, 3]] *= 2; x[None] = y; x[:, None, 0] = 3
x.index_add_(0, i, y[:2]); x.scatter_(1, i[:, None], 2.0); x.addcmul_(y, y, value=2); x.lerp_(y, 0.3); x.tril_(); x.t_() if False else None; x.uniform_() if False else None
""".replace("\n", ";").split(";")


@pytest.mark.parametrize("text", [text.strip() for text in INPLACE if text.strip() and "if False" not in text and text.strip() != "x[0][1] = 9"])
def test_in_place(text):
    def run(module):
        names = {"x": module.tensor(P), "y": module.tensor(B), "m": module.tensor(M), "i": module.tensor([0, 2])}
        exec(text, names)
        return names["x"]

    _assert_equal(run(apus), run(torch))


@pytest.mark.parametrize("text", [
    "x.tensor([1.0, 2.5, -3.0])", "x.tensor([[1.0, 2.0], [3.0, 4.0]])", "x.tensor([1e-8, 1.0])", "x.tensor([1e10, 1.0])", "x.tensor([0.1, float('nan')])",
    "x.tensor([float('inf'), 1.0])", "x.arange(5)", "x.tensor([[True, False]])", "x.zeros(2, 2, 2)", "x.arange(2000)", "x.zeros(50, 50)", "x.tensor(1)",
    "x.tensor(2.5)", "x.tensor([])", "x.zeros(0, 3)", "x.tensor([1, 2], dtype=x.int32)", "x.tensor([1.5], dtype=x.float64)", "x.ones(2, requires_grad=True)",
    "x.arange(40) * 100", "x.linspace(0, 1, 30)", "x.tensor([-1, 100])", "x.tensor([1.5, 2.5], dtype=x.float16)", "x.tensor([1000.5, 0.25])",
])
def test_printing(text):
    assert repr(eval(text, {"x": apus})) == repr(eval(text, {"x": torch})).replace("torch.", "apus.")
