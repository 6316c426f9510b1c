"""The VS Code extension's settings are the server's: package.json and its README are made from them."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest
from pydantic.alias_generators import to_camel

from remora_hub_lsp.config import Config

EXTENSION = Path(__file__).parents[2] / "editors" / "vscode"
AGAIN = "run: python editors/vscode/settings.py"

pytestmark = pytest.mark.skipif(not EXTENSION.exists(), reason="the source distribution has no editors/")


@pytest.fixture(scope="module")
def settings() -> ModuleType:
    spec = importlib.util.spec_from_file_location("vscode_settings", EXTENSION / "settings.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_package_json_is_made_from_the_settings(settings: ModuleType) -> None:
    assert settings.PACKAGE.read_text(encoding="utf-8") == settings.package(), AGAIN


def test_the_readme_documents_every_setting(settings: ModuleType) -> None:
    assert settings.README.read_text(encoding="utf-8") == settings.readme(), AGAIN


def test_every_setting_of_the_server_is_there_or_told_by_vscode(settings: ModuleType) -> None:
    parts = json.loads(settings.PACKAGE.read_text(encoding="utf-8"))["contributes"]["configuration"]
    there = {name.removeprefix("remoraHub.") for part in parts for name in part["properties"]}
    assert {to_camel(name) for name in Config.model_fields} <= there | set(settings.TOLD_BY_VSCODE)


def test_what_names_files_or_programs_is_restricted_in_untrusted_workspaces(settings: ModuleType) -> None:
    manifest = json.loads(settings.PACKAGE.read_text(encoding="utf-8"))
    restricted = manifest["capabilities"]["untrustedWorkspaces"]["restrictedConfigurations"]
    assert {"remoraHub.path", "remoraHub.interpreter", "remoraHub.database", "remoraHub.logFile"} <= set(restricted)
