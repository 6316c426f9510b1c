"""The server's settings -> package.json, and all settings -> the README's table. Run it after changing a setting.

python editors/vscode/settings.py
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from pydantic.alias_generators import to_camel

from remora_hub_lsp.config import Config

HERE = Path(__file__).parent
SECTION, TITLE = "remoraHub", "Remora Hub: Server"
PACKAGE, README = HERE / "package.json", HERE / "README.md"

# What VS Code knows better, and where from.
TOLD_BY_VSCODE = {
    "trusted": "the trust of the workspace",
    "hover": "a switch of the same name, with `auto`",
    "call_hierarchy": "a switch of the same name, with `auto`",
    "references": "a switch of the same name, with `auto`",
}


def package() -> str:
    """package.json as it has to be."""
    manifest = json.loads(PACKAGE.read_text(encoding="utf-8"))
    parts = [part for part in manifest["contributes"]["configuration"] if part["title"] != TITLE]
    manifest["contributes"]["configuration"] = [*parts, {"title": TITLE, "properties": _server_settings()}]
    restricted = [name for name, schema in _settings(manifest).items() if schema["scope"] == "machine-overridable"]
    manifest["capabilities"]["untrustedWorkspaces"]["restrictedConfigurations"] = restricted
    return json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"


def readme() -> str:
    """README.md as it has to be."""
    rows = ["| setting | default | meaning |", "|---|---|---|"]
    for name, schema in _settings(json.loads(PACKAGE.read_text(encoding="utf-8"))).items():
        default = json.dumps(schema["default"], ensure_ascii=False)
        rows.append(f"| `{name}` | `{default}` | {_told(schema)} |")
    table = "\n".join(rows)
    text = README.read_text(encoding="utf-8")
    return re.sub(r"(?<=<!-- settings -->\n).*?(?=<!-- /settings -->)", lambda _: table + "\n", text, flags=re.DOTALL)


def _settings(manifest: dict[str, Any]) -> dict[str, dict[str, Any]]:
    parts = manifest["contributes"]["configuration"]
    return {name: schema for part in parts for name, schema in part["properties"].items()}


def _told(schema: dict[str, Any]) -> str:
    meanings = zip(schema.get("enum", ()), schema.get("markdownEnumDescriptions", ()), strict=False)
    values = "".join(f" `{value}`: {meaning}" for value, meaning in meanings)
    text: str = schema["markdownDescription"] + values
    return text.replace("|", "\\|").replace("\n", " ")


def _server_settings() -> dict[str, Any]:
    properties = Config.model_json_schema()["properties"]
    return {
        f"{SECTION}.{to_camel(name)}": _setting(properties[name], field.default)
        for name, field in Config.model_fields.items()
        if name not in TOLD_BY_VSCODE
    }


def _setting(schema: dict[str, Any], default: Any) -> dict[str, Any]:
    """VS Code's form of one field's JSON schema. Files are restricted, and written as texts: empty means not set."""
    choices = schema.pop("anyOf", [schema])
    kinds = [choice for choice in choices if choice.get("type") != "null"]
    (kind,) = kinds
    is_path = kind.get("format") == "path"
    nullable = len(kinds) < len(choices) and not is_path
    setting = {name: value for name, value in kind.items() if name in _KEPT}
    if nullable:
        setting["type"] = [kind["type"], "null"]
    if kind["type"] == "array" and "enum" in kind.get("items", {}):
        setting["uniqueItems"] = True
    return setting | {
        "default": "" if is_path else default,
        "markdownDescription": schema["description"],
        "scope": "machine-overridable" if is_path else "window",
    }


_KEPT = {"type", "enum", "items", "minimum", "maximum", "exclusiveMinimum", "minItems", "maxItems", "pattern"}


if __name__ == "__main__":
    PACKAGE.write_text(package(), encoding="utf-8")
    README.write_text(readme(), encoding="utf-8")
