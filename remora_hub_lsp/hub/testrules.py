"""The project's own words on what its tests are: pytest's configuration at the root."""

from __future__ import annotations

import logging
from pathlib import Path

from ..analysis.entrypoints import entry_points
from ..analysis.testing import CONFIG_FILES, CollectionRules, read_rules
from ..config import Config
from ..index.setup import TestSetup
from ..regular import read_text

log = logging.getLogger(__name__)

_DJANGO = "manage.py"
RULE_FILES = frozenset({*CONFIG_FILES, _DJANGO})


def read_test_setup(root: Path, config: Config) -> TestSetup:
    """What the index has to know of the project's tests. Where their configuration cannot be read, they are found by
    pytest's defaults, with a logged warning."""
    texts = {}
    for name in CONFIG_FILES:
        try:
            texts[name] = read_text(root / name, "utf-8-sig")
        except FileNotFoundError:
            continue
        except (OSError, UnicodeDecodeError) as error:
            log.warning("%s cannot be read: %s", root / name, error)
    django = (root / _DJANGO).is_file()
    try:
        rules = read_rules(texts, django)
    except ValueError as error:
        log.warning("tests are found by pytest's defaults: in %s, %s", root, error)
        rules = CollectionRules(django=django)
    return TestSetup(rules, config.related_depth, config.related_limit, tuple(sorted(entry_points(texts))))
