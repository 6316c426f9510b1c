"""Scripts in the Grail dialect (.pym): loaded, checked, run. The names are Grail's.

script = load("agents/hub/tools/rule.pym")
script.check().errors
await script.run(inputs={"nodes": [...]}, limits=STRICT)
"""

from .limits import DEFAULT, PERMISSIVE, STRICT, Limits
from .script import CheckResult, Script, load

__all__ = ["DEFAULT", "PERMISSIVE", "STRICT", "CheckResult", "Limits", "Script", "load"]
