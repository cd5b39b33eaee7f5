"""What an editor shows in its own way in a Markdown note (see `model.Mark`)."""

from khojd.content import frontmatter
from khojd.content.model import ContentSettings, Mark, Parsed


def read(text: str, parsed: Parsed, settings: ContentSettings) -> list[Mark]:
    """The marks of a Markdown text, in no order."""
    del parsed, settings
    front = frontmatter.read(text)
    return [Mark("frontmatter", 0, front.end)] if front.end else []
