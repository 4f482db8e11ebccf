"""Conformance suites for predictors, dictionaries, interpreters and data sets.

Inherit a suite in a test module, and write its one abstract method; pytest then runs every test of
the suite on what the method returns. The suites need the extra `testing`.

```python
from interp_by_design.testing import DictionaryConformance


class TestMyDictionary(DictionaryConformance):
    def dictionary(self, shapes, n_attributes):
        return MyDictionary(shapes, n_attributes)
```
"""

import lazy_loader
import pytest

# Before the suites are imported, so that pytest explains their failed assertions too.
_SUITES = ("datamodule", "dictionary", "interpreter", "predictor")
pytest.register_assert_rewrite(*(f"{__name__}.{suite}" for suite in _SUITES))

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
