"""One frozen config from four sources, and errors that say what to write instead."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from pydantic.alias_generators import to_camel

from remora_hub_lsp.config import Config, default_database, load_config
from remora_hub_lsp.errors import ConfigError


def project(root: Path, settings: str) -> Path:
    (root / "pyproject.toml").write_text(f"[tool.remora-hub]\n{settings}\n")
    return root


def test_defaults_without_any_source(tmp_path: Path) -> None:
    assert load_config(tmp_path) == Config()
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    assert load_config(tmp_path, {}, {}) == Config()


def test_each_source_is_stronger_than_the_one_before(tmp_path: Path) -> None:
    project(tmp_path, "workers = 1\nlog-level = 'debug'\nmax_file_size = 10\nindex-on-start = false")
    config = load_config(
        tmp_path, {"logLevel": "error", "workers": 2, "maxFileSize": None}, {"workers": 3, "log_level": None}
    )
    assert config == Config(workers=3, log_level="error", max_file_size=10, index_on_start=False)


def test_paths_start_where_they_were_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    monkeypatch.setenv("HOME", "/home/somebody")
    project(tmp_path, "database = 'cache/index.db'\nlog-file = '~/hub.log'")
    config = load_config(tmp_path)
    assert (config.database, config.log_file) == (tmp_path / "cache/index.db", Path("/home/somebody/hub.log"))
    assert load_config(tmp_path, None, {"database": Path("x.db")}).database == elsewhere / "x.db"


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("index-on-strat = true", "index-on-strat ({file}) is not a setting: did you mean 'index-on-start'?"),
        ("log_levle = 'info'", "log_levle ({file}) is not a setting: did you mean 'log-level'?"),
        ("indexOnStart = true", "indexOnStart ({file}) is not a setting: did you mean 'index-on-start'?"),
        ("colour = 'red'", "colour ({file}) is not a setting: the settings are "),
        ("workers = -1", "workers ({file}) must be 0 or more, not -1"),
        ("workers = 65", "workers ({file}) must be 64 or less, not 65"),
        ("workers = true", "workers ({file}) must be a whole number, not True"),
        ("index-on-start = 1", "index-on-start ({file}) must be true or false, not 1"),
        ("max-file-size = '5 MB'", "max-file-size ({file}) must be a whole number, not '5 MB'"),
        ("max-file-size = 0", "max-file-size ({file}) must be greater than 0, not 0"),
        ("exclude = 'a/'", "exclude ({file}) must be a list of patterns, not 'a/'"),
        ("exclude = ['a/', 3]", "exclude[1] ({file}) must be a text, not 3"),
        ("log-level = 'loud'", "log-level ({file}) must be one of 'debug', 'info', 'warning' or 'error', not 'loud'"),
        ("database = 4", "database ({file}) must be a path, not 4"),
        ("log-file = 'a'\nlog_file = 'b'", "log-file ({file}) is set twice, also as 'log_file': keep one"),
    ],
)
def test_an_error_names_the_setting_its_source_and_what_would_be_right(tmp_path: Path, written: str, told: str) -> None:
    with pytest.raises(ConfigError) as raised:
        load_config(project(tmp_path, written))
    assert str(raised.value).startswith(told.format(file=tmp_path / "pyproject.toml"))


def test_everything_wrong_is_told_at_once_as_each_source_spells_it(tmp_path: Path) -> None:
    project(tmp_path, "workers = 'two'")
    with pytest.raises(ConfigError) as raised:
        load_config(tmp_path, {"index-on-start": True, "logLevel": "x"}, {"database": 3, "max_file_size": "1"})
    lines = str(raised.value).splitlines()
    assert [line.split(" must ")[0].split(" is ")[0] for line in lines] == [
        f"workers ({tmp_path / 'pyproject.toml'})",
        "index-on-start (initializationOptions)",
        "logLevel (initializationOptions)",
        "--db (command line)",
        "--max-file-size (command line)",
    ]
    assert "did you mean 'indexOnStart'?" in lines[1]


@pytest.mark.parametrize(
    "text", ["[tool.remora-hub", "[tool]\nremora-hub = 3", "\N{SNOWMAN}".encode("utf-16").decode("latin-1")]
)
def test_a_pyproject_that_cannot_be_used_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "pyproject.toml").write_bytes(text.encode("latin-1"))
    with pytest.raises(ConfigError, match=r"pyproject\.toml"):
        load_config(tmp_path)


def test_options_that_are_no_object_are_refused(tmp_path: Path) -> None:
    options: Any = ["workers"]
    with pytest.raises(ConfigError, match=r"^initializationOptions must be an object of settings, not a list$"):
        load_config(tmp_path, options)


def test_the_config_is_frozen_and_every_setting_explains_itself() -> None:
    with pytest.raises(ValidationError):
        Config().workers = 3
    for name, field in Config.model_fields.items():
        assert field.description, name
        assert to_camel(name).replace("_", "") == to_camel(name)


def test_workers_that_are_not_set_follow_the_machine() -> None:
    assert Config(workers=0).worker_count == 0
    assert Config(workers=5).worker_count == 5
    assert Config().worker_count in (1, 2)


def test_each_root_has_a_database_of_its_own_and_its_links_share_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    first, second = tmp_path / "one/shop", tmp_path / "two/shop"
    first.mkdir(parents=True)
    second.mkdir(parents=True)
    assert default_database(first) == default_database(first)
    assert default_database(first) != default_database(second)
    assert default_database(first).parent.name.startswith("shop-")
    assert default_database(Path("/")).parent.name.startswith("root-")
    (tmp_path / "link").symlink_to(first)
    assert default_database(tmp_path / "link") == default_database(first)
