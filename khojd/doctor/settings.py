"""The configuration file and its folders."""

from khojd import paths
from khojd.config import Config
from khojd.configfile import load
from khojd.doctor.check import Check
from khojd.errors import ConfigError
from khojd.sources.folder import check, resolved


def examine() -> tuple[Config, list[Check]]:
    """The configuration (the defaults when it cannot be read), and the checks."""
    file = paths.config_file()
    try:
        config = load(file)
    except ConfigError as error:
        fix = "correct it; `khojd config show --defaults` lists every key with its meaning"
        return Config(), [Check("config", "fail", error.message, fix)]
    said = "is valid" if file.exists() else "does not exist; the defaults are in force"
    checks = [Check("config", "ok", f"{file} {said}")]
    if not config.folders:
        checks.append(Check("folders", "warn", "no folder of notes is configured", "khojd index --add FOLDER"))
    problems = []
    for folder in config.folders:
        try:
            check(resolved(folder))
        except ConfigError as error:
            problems.append(error.message)
    if problems:
        fix = "create it or mount it, or take it out with `khojd index --remove FOLDER`"
        checks.append(Check("folders", "warn", "; ".join(problems), fix))
    elif config.folders:
        checks.append(Check("folders", "ok", ", ".join(folder.path for folder in config.folders)))
    return config, checks
