"""The package as it is installed: compiled, documented, loaded, and nothing more than it says."""

import re
from pathlib import Path

from tests.editors.emacs.conftest import PACKAGE, Emacs

COOKIE = re.compile(r"^;;;###autoload\n\((?:defun|define-minor-mode|define-globalized-minor-mode) (\S+)", re.MULTILINE)
MENU = re.compile(r"^;;;###autoload \(autoload '(\S+) ", re.MULTILINE)
OWN = re.compile(r"^\(autoload '(\S+) \"(\S+)\"", re.MULTILINE)


def sources() -> list[Path]:
    return sorted(PACKAGE.glob("*.el"))


def test_checkdoc_has_nothing_to_say(emacs: Emacs) -> None:
    files = " ".join(f'"{path}"' for path in sources())
    ran = emacs.batch("--eval", f"(progn (require 'checkdoc) (mapc #'checkdoc-file '({files})))")
    assert (ran.returncode, ran.stdout + ran.stderr) == (0, "")


def test_the_package_installs_and_its_commands_load_when_they_are_used(emacs: Emacs, tmp_path: Path) -> None:
    """By package.el, from the directory as it is."""
    package = tmp_path / "khoj-0.1.0"
    package.mkdir()
    for path in sources():
        (package / path.name).write_bytes(path.read_bytes())
    install = f"""(progn (require 'package) (setq package-user-dir "{tmp_path}/elpa" package-archives nil)
                    (package-initialize) (package-install-file "{package}"))"""
    ran = emacs.batch("--eval", install, home=tmp_path)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    said = re.findall(r"^\S+: ?(?:Warning|Error).*", ran.stdout + ran.stderr, re.MULTILINE)
    assert [line for line in said if not line.startswith("khoj-pkg.el")] == []  # which package.el has written
    use = f"""(progn (setq package-user-dir "{tmp_path}/elpa" package-archives nil) (package-activate-all)
                (princ (list (featurep 'khoj-connection) (commandp 'khoj-search) (commandp 'khoj) (commandp 'global-khoj-mode)))
                (khoj-disconnect) (princ (featurep 'khoj-connection)))"""
    ran = emacs.batch("--eval", use, home=tmp_path)
    assert (ran.returncode, ran.stdout) == (0, "(nil t t t)t"), ran.stdout + ran.stderr


def test_loading_it_starts_nothing_and_needs_nothing_else(emacs: Emacs) -> None:
    load = """(let ((buffers (buffer-list)) (timers (append timer-list timer-idle-list)))
                (require 'khoj)
                (princ (list (process-list) (equal timers (append timer-list timer-idle-list))
                             (featurep 'transient) (featurep 'org) (featurep 'khoj-search)
                             (equal buffers (buffer-list)))))"""
    ran = emacs.batch("-L", str(emacs.compiled), "--eval", load)
    assert (ran.returncode, ran.stdout) == (0, "(nil t nil nil nil t)"), ran.stdout + ran.stderr


def test_commands_are_there_after_require_as_they_are_after_installing() -> None:
    texts = {path.stem: path.read_text("utf-8") for path in sources()}
    marked = {name: stem for stem, text in texts.items() for name in [*COOKIE.findall(text), *MENU.findall(text)]}
    named = dict(OWN.findall((PACKAGE / "khoj.el").read_text("utf-8")))
    assert named == {name: place for name, place in marked.items() if place != "khoj-connection"}


def test_files_have_the_header_and_the_end_that_packages_have() -> None:
    for path in sources():
        text = path.read_text("utf-8")
        assert text.startswith(f";;; {path.name} --- "), path
        assert "lexical-binding: t" in text.splitlines()[0], path
        assert ";; SPDX-License-Identifier: GPL-3.0-or-later\n" in text, path
        assert text.endswith(f"(provide '{path.stem})\n;;; {path.name} ends here\n"), path
        assert text.count("\n") <= 400, path
