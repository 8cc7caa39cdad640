"""Generators: the default stream, streams of one's own, and everything that takes one."""

import copy
import pickle

import pytest

import apus
from apus import nn
from apus.utils.data import DataLoader, RandomSampler, SubsetRandomSampler, WeightedRandomSampler, random_split


def test_a_generator_is_a_stream_of_its_own():
    a, b = apus.Generator().manual_seed(5), apus.Generator().manual_seed(5)
    apus.manual_seed(1)
    before = apus.get_rng_state()
    x = apus.randn(6, generator=a)
    assert x.equal(apus.randn(6, generator=b)) and not x.equal(apus.randn(6, generator=b))
    assert apus.get_rng_state().equal(before)
    apus.manual_seed(5)
    assert apus.randn(6).equal(x)
    assert a.initial_seed() == 5 and a.device == apus.device("cpu")


def test_states_seeds_and_copies():
    g = apus.Generator()
    assert g.initial_seed() == apus.Generator().initial_seed()
    apus.rand(3, generator=g)
    state = g.get_state()
    assert state.dtype is apus.uint8
    for other in (copy.deepcopy(g), pickle.loads(pickle.dumps(g)), g.clone_state(), apus.Generator().set_state(state)):
        assert other.get_state().equal(state) and type(other) is apus.Generator
    x = apus.rand(3, generator=g)
    assert apus.rand(3, generator=g.set_state(state)).equal(x)
    assert g.seed() == g.initial_seed() and g.manual_seed(-1).initial_seed() == 2**64 - 1
    for wrong in (apus.zeros(24), apus.zeros(3, dtype=apus.uint8), b"", None):
        with pytest.raises(TypeError):
            g.set_state(wrong)
    with pytest.raises(ValueError):
        g.manual_seed(2**64)
    with pytest.raises(RuntimeError):
        apus.Generator("cuda")


def test_the_default_generator():
    assert apus.manual_seed(7) is apus.default_generator is apus.random.default_generator
    assert apus.initial_seed() == apus.default_generator.initial_seed() == 7
    state = apus.get_rng_state()
    x = apus.rand(3)
    apus.set_rng_state(state)
    assert apus.rand(3, generator=apus.default_generator).equal(x)
    with apus.random.fork_rng():
        apus.manual_seed(0)
    assert apus.initial_seed() == 7
    assert apus.seed() == apus.initial_seed()


P = apus.full((40,), 0.5)
DRAWS = {
    "rand": lambda g: apus.rand(40, generator=g),
    "randn": lambda g: apus.randn(40, generator=g),
    "rand_like": lambda g: apus.rand_like(P, generator=g),
    "randn_like": lambda g: apus.randn_like(P, generator=g),
    "randint": lambda g: apus.randint(0, 1000, (40,), generator=g),
    "randint_like": lambda g: apus.randint_like(P, 1000, generator=g),
    "randperm": lambda g: apus.randperm(40, generator=g),
    "normal": lambda g: apus.normal(P, 2.0, generator=g),
    "bernoulli": lambda g: apus.bernoulli(P, generator=g),
    "bernoulli with p": lambda g: P.bernoulli(0.4, generator=g),
    "multinomial": lambda g: apus.multinomial(P, 20, generator=g),
    "multinomial with replacement": lambda g: P.multinomial(40, replacement=True, generator=g),
    **{
        name: lambda g, name=name, options=options: getattr(apus.zeros(40), name)(*options, generator=g)
        for name, options in {
            "uniform_": (-1, 1), "normal_": (1, 2), "bernoulli_": (0.3,), "exponential_": (2.0,), "cauchy_": (), "geometric_": (0.2,),
            "log_normal_": (), "random_": (0, 1000),
        }.items()
    },
    **{
        name: lambda g, name=name, options=options: getattr(nn.init, name)(apus.zeros(8, 5), *options, generator=g)
        for name, options in {
            "uniform_": (), "normal_": (), "trunc_normal_": (), "xavier_uniform_": (), "xavier_normal_": (), "kaiming_uniform_": (),
            "kaiming_normal_": (), "orthogonal_": (), "sparse_": (0.5,),
        }.items()
    },
    "random_split": lambda g: apus.tensor(random_split(range(40), [20, 20], generator=g)[0].indices),
    "RandomSampler": lambda g: apus.tensor(list(RandomSampler(range(40), generator=g))),
    "SubsetRandomSampler": lambda g: apus.tensor(list(SubsetRandomSampler(range(40), generator=g))),
    "WeightedRandomSampler": lambda g: apus.tensor(list(WeightedRandomSampler([1] * 40, 20, generator=g))),
    "DataLoader": lambda g: next(iter(DataLoader(range(40), 40, shuffle=True, generator=g))),
}


@pytest.mark.parametrize("name", DRAWS)
def test_everything_draws_from_the_generator_that_it_is_given(name):
    draw = DRAWS[name]
    apus.manual_seed(3)
    before = apus.get_rng_state()
    g = apus.Generator().manual_seed(11)
    x, y = draw(g), draw(g)
    assert draw(apus.Generator().manual_seed(11)).equal(x), "the same seed, the same numbers"
    assert not x.equal(y) and not draw(apus.Generator().manual_seed(12)).equal(x), "the stream moves, and depends on the seed"
    assert apus.get_rng_state().equal(before), "the default stream is left alone"
    if not name.endswith("Sampler") and name not in ("DataLoader", "random_split"):
        apus.manual_seed(11)
        assert draw(None).equal(x), "without one, the default stream"


@pytest.mark.parametrize("wrong", [3, "cpu", object()])
def test_what_is_no_generator_is_refused(wrong):
    with pytest.raises(TypeError, match="Generator"):
        apus.rand(2, generator=wrong)
    with pytest.raises(TypeError, match="Generator"):
        nn.init.normal_(apus.zeros(2), generator=wrong)


def test_distributions_have_their_moments():
    apus.manual_seed(0)
    x = apus.zeros(200_000, dtype=apus.float64)
    assert abs(x.exponential_(2.0).mean() - 0.5) < 0.01
    assert abs(x.geometric_(0.25).mean() - 4) < 0.05 and x.min() == 1 and (x == x.round()).all()
    assert abs(x.cauchy_(3.0, 2.0).median() - 3) < 0.05
    assert abs(x.log_normal_(0.5, 0.25).log().mean() - 0.5) < 0.01
    assert abs(x.bernoulli_(0.3).mean() - 0.3) < 0.01
    assert abs(x.bernoulli_(apus.full((1,), 0.8)).mean() - 0.8) < 0.01
    x.random_(3, 6)
    assert sorted(x.unique().tolist()) == [3, 4, 5]
    assert sorted(x.random_(2).unique().tolist()) == [0, 1]
    assert apus.zeros(1000, dtype=apus.int8).random_().max() > 100 and apus.zeros(1000).random_().max() <= 2**24
    for wrong in (lambda: x.exponential_(0), lambda: x.geometric_(1.5), lambda: x.bernoulli_(2), lambda: x.cauchy_(0, -1), lambda: x.random_(5, 5)):
        with pytest.raises(ValueError):
            wrong()
    with pytest.raises(TypeError):
        apus.zeros(3, dtype=apus.int64).exponential_()
