import math

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from runners.step_rows import norm_of_all

EXPONENTS = st.integers(-36, 37)
ELEMENTS = st.floats(-9, 9, width=32)


@settings(max_examples=60)
@example(values=[[3.0, 4.0]], exponent=-22)  # squares are denormal numbers, which lose digits
@example(values=[[3.0, 4.0]], exponent=20)
@given(st.lists(st.lists(ELEMENTS, max_size=4), min_size=1, max_size=4), EXPONENTS)
def test_the_norm_is_right_wherever_its_elements_are_finite(values, exponent):
    tensors = [torch.tensor(row, dtype=torch.float64).mul(10.0**exponent).float() for row in values]
    exact = np.linalg.norm(np.concatenate([tensor.double().numpy() for tensor in tensors]))
    np.testing.assert_allclose(norm_of_all(tensors), exact, rtol=1e-5)


@pytest.mark.parametrize(
    ("element", "is_expected"), [(math.inf, math.isinf), (-math.inf, math.isinf), (math.nan, math.isnan)]
)
def test_the_norm_is_not_finite_where_an_element_is_not(element, is_expected):
    assert is_expected(norm_of_all([torch.ones(3), torch.tensor([[1.0, element]])]))


def test_half_precision_does_not_overflow_the_norm():
    tensors = [torch.full((4,), 6e4, dtype=torch.float16), torch.full((1,), 3e4, dtype=torch.bfloat16)]
    exact = math.hypot(*[value for tensor in tensors for value in tensor.double().tolist()])
    assert norm_of_all(tensors) == pytest.approx(exact, rel=1e-6)
    assert norm_of_all([torch.ones(1), torch.full((1,), 1e200, dtype=torch.float64)]) == 1e200


def test_sparse_gradients_count_with_repeated_indices_summed():
    embedding = torch.nn.Embedding(5, 2, sparse=True)
    embedding(torch.tensor([1, 1, 3])).sum().backward()
    dense = embedding.weight.grad.to_dense()
    assert norm_of_all([embedding.weight.grad]) == pytest.approx(dense.norm().item())
    assert dense.norm() > math.sqrt(6)
