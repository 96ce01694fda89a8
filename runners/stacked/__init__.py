"""Many runs in one program: copies of a model whose parameters are the rows of one matrix."""
