"""What the call graph and the related tests are worth, against truth that nobody here wrote.

`micro` takes PyCG's micro benchmark; `graph`, `tests` and `mutants` take well-known packages and what happens while their
own test suites run. See `python -m tests.bench.truth --help`.
"""
