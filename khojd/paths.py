"""Where khojd keeps things (XDG base directories). Imports nothing heavy: the bridge uses it.

- configuration  `$KHOJD_CONFIG`, else `$XDG_CONFIG_HOME/khojd/config.toml` (`~/.config`)
- index          `$KHOJD_INDEX`, else `$XDG_DATA_HOME/khojd/index` (`~/.local/share`), or `index.path` in the configuration
- logs, locks    `$XDG_STATE_HOME/khojd` (`~/.local/state`); the last answers that were shown, in `answers`
"""

import os
import sys
from pathlib import Path


def config_file() -> Path:
    """The configuration file, whether or not it exists."""
    if explicit := os.environ.get("KHOJD_CONFIG"):
        return Path(explicit).expanduser().absolute()
    return _base("XDG_CONFIG_HOME", ".config") / "khojd" / "config.toml"


def default_index_dir() -> Path:
    """The index directory used when the configuration names none."""
    if explicit := os.environ.get("KHOJD_INDEX"):
        return Path(explicit).expanduser().absolute()
    return _base("XDG_DATA_HOME", ".local/share") / "khojd" / "index"


def state_dir() -> Path:
    """The directory of logs and, without XDG_RUNTIME_DIR, of sockets."""
    return _base("XDG_STATE_HOME", ".local/state") / "khojd"


def model_cache_dir() -> Path:
    """Where models that are downloaded on request are kept."""
    return _base("XDG_CACHE_HOME", ".cache") / "khojd" / "models"


def plain(path: str) -> str:
    """The path of a note or folder as khojd writes it everywhere: with `/`, which Windows understands too, and a capital drive."""
    if sys.platform == "win32":
        path = path.replace("\\", "/")
        return path[:1].upper() + path[1:] if path[1:2] == ":" else path
    return path


def private_dir(path: Path) -> Path:
    """Create `path` (and its parents), readable by its owner only, and return it."""
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    return path


def _base(variable: str, fallback: str) -> Path:
    value = os.environ.get(variable, "")
    # The XDG specification says to ignore relative values.
    return Path(value) if Path(value).is_absolute() else Path.home() / fallback
