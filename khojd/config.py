"""The typed configuration. Loading, validation and reload are in khojd/configfile.py."""

from collections.abc import Mapping
from typing import Annotated, Literal

from msgspec import Meta, Struct, field

Positive = Annotated[int, Meta(ge=1)]
Fraction = Annotated[float, Meta(ge=0.0, le=1.0)]
Temperature = Annotated[float, Meta(ge=0.0, le=2.0)]


class Folder(Struct, frozen=True, forbid_unknown_fields=True):
    """A folder of notes."""

    path: Annotated[str, Meta(description="absolute, or starting with ~", examples=["~/notes"])]
    include: Annotated[
        tuple[str, ...], Meta(description="gitignore-style patterns; when given, only files that match are read")
    ] = ()
    exclude: Annotated[tuple[str, ...], Meta(description="gitignore-style patterns of what to leave out")] = ()
    gitignore: Annotated[bool, Meta(description="respect .gitignore files")] = True
    hidden: Annotated[bool, Meta(description="read hidden files and folders")] = False


class Content(Struct, frozen=True, forbid_unknown_fields=True):
    """What is read from files."""

    max_file_bytes: Annotated[int, Meta(ge=1, description="larger files are skipped")] = 20_000_000
    entry_tokens: Annotated[int, Meta(ge=32, le=8192, description="subtrees up to this many tokens stay one entry")] = 256
    archived: Annotated[bool, Meta(description="index trees tagged ARCHIVE")] = False
    commented: Annotated[bool, Meta(description="index trees whose heading starts with COMMENT")] = False
    todo_keywords: Annotated[tuple[str, ...], Meta(description="TODO keywords besides Org's own and the usual ones")] = ()
    date_order: Annotated[Literal["day-first", "month-first"], Meta(description="how 03/04/2024 is read")] = "day-first"


class Index(Struct, frozen=True, forbid_unknown_fields=True):
    """The index on disk."""

    path: Annotated[str, Meta(description="directory of the index; empty for the default")] = ""
    workers: Annotated[int, Meta(ge=0, le=64, description="parsing processes in a large run; 0 chooses")] = 0
    watch: Annotated[Literal["auto", "poll", "off"], Meta(description="how changes on disk are noticed")] = "auto"
    debounce_ms: Annotated[int, Meta(ge=10, le=10_000, description="quiet time after a change before it is read")] = 50
    share_unsaved: Annotated[bool, Meta(description="text typed in one editor is found from all others before it is saved")] = False


class Embedding(Struct, frozen=True, forbid_unknown_fields=True):
    """The model that turns text into vectors."""

    model: Annotated[
        str,
        Meta(
            description="bundled, a preset (fast, balanced, high-quality, multilingual), a sentence-transformers model, remote, off"
        ),
    ] = "bundled"
    device: Annotated[Literal["auto", "cpu", "cuda", "mps"], Meta(description="for sentence-transformers models")] = "auto"
    threads: Annotated[int, Meta(ge=0, le=256, description="for the bundled model; 0 chooses")] = 0
    query_cache: Annotated[int, Meta(ge=0, description="query vectors kept")] = 1024
    query_cache_seconds: Annotated[int, Meta(ge=0, description="how long they are kept")] = 3600
    query_prompt: Annotated[str, Meta(description="text put before each query, for models that ask for one")] = ""
    passage_prompt: Annotated[str, Meta(description="text put before each passage, for models that ask for one")] = ""


class Profile(Struct, frozen=True, forbid_unknown_fields=True):
    """Tuning of the ranked list. A profile of the user's own starts from these defaults, or from the built-in one of its name."""

    candidates: Annotated[int, Meta(ge=10, le=2000, description="entries taken from each ranker")] = 100
    limit: Annotated[int, Meta(ge=1, le=200, description="hits when the request names no number")] = 10
    min_score: Annotated[float, Meta(ge=0.0, le=1.0, description="hits below are left out")] = 0.0
    per_file: Annotated[int, Meta(ge=0, description="most hits of one file; 0 is no limit")] = 0
    diversity: Annotated[float, Meta(ge=0.0, le=1.0, description="0 ranks by score alone, 1 by difference alone")] = 0.0
    recency: Annotated[float, Meta(ge=0.0, le=1.0, description="share of the score that decays with age")] = 0.0
    half_life_days: Annotated[float, Meta(gt=0.0, description="age at which that share has halved")] = 90.0
    weights: Annotated[dict[str, float], Meta(description="factor per type, e.g. { org = 1.2, text = 0.8 }")] = field(
        default_factory=dict
    )


BUILT_IN_PROFILES: Mapping[str, Profile] = {
    "default": Profile(),
    "precise": Profile(candidates=50, limit=5, min_score=0.4),
    "broad": Profile(candidates=300, limit=30, per_file=3, diversity=0.3),
    "recent": Profile(recency=0.5, half_life_days=30.0),
}


BUILT_IN_PERSONAS = ("default", "researcher", "developer", "writer")  # khojd/chat/personas.py says what they are
TOOLS = ("search_notes", "grep_notes", "read_note", "list_notes", "backlinks", "propose_edit")  # of khojd/chat/tools/table.py


class Search(Struct, frozen=True, forbid_unknown_fields=True):
    """How search answers."""

    profile: Annotated[str, Meta(description="default, precise, broad, recent, or one of your own")] = "default"
    rerank: Annotated[
        str,
        Meta(description="off, maxsim (the bundled model's token vectors), remote, or a sentence-transformers cross-encoder"),
    ] = "off"
    first_weekday: Annotated[Literal["monday", "sunday", "saturday"], Meta(description="first day of the week in 'last week'")] = (
        "monday"
    )
    profiles: Annotated[
        dict[str, Profile], Meta(description="profiles of your own, or changes to the four built-in ones", examples=["mine"])
    ] = field(default_factory=dict)


class Features(Struct, frozen=True, forbid_unknown_fields=True):
    """What editors are offered. A client can override it (initializationOptions.khoj.features)."""

    document_symbol: Annotated[bool, Meta(description="headings of a note as a tree")] = True
    workspace_symbol: Annotated[bool, Meta(description="search all notes as workspace symbols")] = True
    definition: Annotated[bool, Meta(description="follow links")] = True
    references: Annotated[bool, Meta(description="backlinks of a note, heading, block or tag")] = True
    mentions: Annotated[bool, Meta(description="unlinked mentions of a note's title or alias among its references")] = True
    document_highlight: Annotated[bool, Meta(description="the same tag, link or heading elsewhere in the note")] = True
    hover: Annotated[bool, Meta(description="what a link leads to, what links to a heading, a tag's count")] = True
    completion: Annotated[bool, Meta(description="notes, headings, blocks, tags, keywords and properties while typing")] = True
    rename: Annotated[bool, Meta(description="headings, notes, tags and blocks with every link; also when a file is renamed")] = (
        True
    )
    code_action: Annotated[bool, Meta(description="create, extract, link, fix")] = True
    code_lens: Annotated[bool, Meta(description="counts of backlinks and related notes above headings")] = False
    inlay_hint: Annotated[bool, Meta(description="the same counts at the ends of lines")] = False
    diagnostics: Annotated[bool, Meta(description="broken and ambiguous links, duplicate ids, and so on")] = True
    diagnose_broken_link: Annotated[bool, Meta(description="diagnostics: links to no note")] = True
    diagnose_broken_anchor: Annotated[bool, Meta(description="diagnostics: links to no heading, block or target of a note")] = True
    diagnose_ambiguous_link: Annotated[bool, Meta(description="diagnostics: links that several notes could be meant by")] = True
    diagnose_duplicate_id: Annotated[bool, Meta(description="diagnostics: ids that stand twice")] = True
    diagnose_broken_front_matter: Annotated[bool, Meta(description="diagnostics: front matter that cannot be read")] = True
    diagnose_unknown_todo: Annotated[bool, Meta(description="diagnostics: what looks like a TODO keyword and is none")] = True
    diagnose_near_duplicate: Annotated[bool, Meta(description="diagnostics: another note says nearly the same")] = True
    diagnose_orphan: Annotated[bool, Meta(description="diagnostics: a note without links to and from others")] = True
    document_link: Annotated[bool, Meta(description="links to click on")] = True
    folding_range: Annotated[bool, Meta(description="fold sections, blocks, drawers, lists and tables")] = True
    selection_range: Annotated[bool, Meta(description="expand the selection from word to section")] = True
    semantic_tokens: Annotated[bool, Meta(description="colours for headings, tags, links, states and dates")] = True
    formatting: Annotated[bool, Meta(description="align tables and renumber lists when asked")] = True
    commands: Annotated[bool, Meta(description="today's note, new note, insert a link, and so on")] = True


class Template(Struct, frozen=True, forbid_unknown_fields=True):
    """A kind of note that can be made. One with the name of a built-in template (note, daily) takes its place."""

    name: Annotated[str, Meta(description="by which it is chosen", examples=["meeting"])]
    folder: Annotated[str, Meta(description="below the folder of notes; empty for notes.folder")] = ""
    file: Annotated[str, Meta(description="pattern of the file's name, with a suffix or without")] = "{slug}"
    text: Annotated[str, Meta(description="of the note; empty for its title and what was selected")] = ""


class NewNotes(Struct, frozen=True, forbid_unknown_fields=True):
    """New notes. In folders, files and texts: {title} {slug} {date} {date:%Y-%m-%d} {time} {id} {selection}; {{ is a brace."""

    folder: Annotated[str, Meta(description="for new notes, below the folder of notes; empty for where the note at hand is")] = ""
    format: Annotated[Literal["auto", "markdown", "org"], Meta(description="auto: as the note at hand, or as most notes")] = "auto"
    template: Annotated[str, Meta(description="the one for new notes")] = "note"
    daily: Annotated[
        str, Meta(description="the one for the note of a day; the built-in one does as the daily notes that are there")
    ] = "daily"
    templates: Annotated[tuple[Template, ...], Meta(description="kinds of notes of your own, each a table")] = ()


class ModelSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """What is known better than the server says of one model. 0 leaves it to the server."""

    context: Annotated[int, Meta(ge=0, description="tokens that prompt and answer may have together; 0 asks the server")] = 0
    max_output: Annotated[int, Meta(ge=0, description="most tokens of an answer; 0 is the server's own limit")] = 0
    temperature: Annotated[Temperature | None, Meta(description="left to the server when it is not given")] = None
    thinking: Annotated[Literal["auto", "on", "off"], Meta(description="for models that can think first")] = "auto"
    tools: Annotated[Literal["auto", "on", "off"], Meta(description="whether it can call tools; auto asks the server")] = "auto"
    price_prompt: Annotated[float, Meta(ge=0.0, description="per million tokens of the prompt, in any currency")] = 0.0
    price_answer: Annotated[float, Meta(ge=0.0, description="per million tokens of the answer")] = 0.0


class Provider(Struct, frozen=True, forbid_unknown_fields=True):
    """A model server. Of the key_ settings at most one is given; none for a server that wants no key."""

    kind: Annotated[
        Literal["", "ollama", "openai", "anthropic", "google"],
        Meta(description="what it speaks; empty: as its name says, else openai (OpenAI and all compatible servers)"),
    ] = ""
    preset: Annotated[
        Literal["", "openai", "vllm", "llama-cpp", "lm-studio", "localai", "tgi", "litellm", "openrouter"],
        Meta(description="extras of an OpenAI-compatible server; empty: as its name says, else none"),
    ] = ""
    base_url: Annotated[str, Meta(description="empty for the usual one of its kind or preset")] = ""
    key_env: Annotated[str, Meta(description="environment variable that holds the key")] = ""
    key_command: Annotated[tuple[str, ...], Meta(description="program and arguments that print the key")] = ()
    key_file: Annotated[str, Meta(description="file that holds the key, readable by its owner only")] = ""
    key_keyring: Annotated[str, Meta(description="service/user in the system's keyring (needs the package keyring)")] = ""
    connect_seconds: Annotated[float, Meta(gt=0.0, description="to connect")] = 10.0
    first_seconds: Annotated[float, Meta(gt=0.0, description="until the first token; local servers load the model first")] = 300.0
    idle_seconds: Annotated[float, Meta(gt=0.0, description="between two tokens")] = 60.0
    retries: Annotated[int, Meta(ge=0, le=10, description="after 429, 5xx and lost connections, before the first token")] = 2
    concurrency: Annotated[int, Meta(ge=1, le=64, description="requests at a time")] = 4
    keep_alive: Annotated[str, Meta(description="ollama: how long the model stays loaded, e.g. 5m, 24h, -1")] = ""
    models: Annotated[dict[str, ModelSettings], Meta(description="settings of single models, by name", examples=["qwen3:8b"])] = (
        field(default_factory=dict)
    )


class Models(Struct, frozen=True, forbid_unknown_fields=True):
    """Which model does what, as provider/model; the first of several that is well answers. Empty: nothing leaves the machine."""

    chat: Annotated[tuple[str, ...], Meta(description="answers questions")] = ()
    small: Annotated[tuple[str, ...], Meta(description="rewrites queries, finds titles; empty: the chat model")] = ()
    vision: Annotated[tuple[str, ...], Meta(description="looks at images; empty: the chat model where it can")] = ()
    embedding: Annotated[str, Meta(description='used when embedding.model = "remote"')] = ""
    rerank: Annotated[str, Meta(description='used when search.rerank = "remote"')] = ""


class Chat(Struct, frozen=True, forbid_unknown_fields=True):
    """How questions are answered."""

    persona: Annotated[str, Meta(description="default, researcher, developer, writer, or one of your own")] = "default"
    passages: Annotated[int, Meta(ge=1, le=100, description="most passages given to the model")] = 12
    context: Annotated[int, Meta(ge=512, description="tokens of a prompt where the model's context is not known")] = 4096
    answer_tokens: Annotated[int, Meta(ge=64, description="tokens kept free for the answer")] = 1024
    rewrite: Annotated[bool, Meta(description="make search queries of the question and the conversation")] = True
    titles: Annotated[bool, Meta(description="have the small model name conversations")] = True
    check_citations: Annotated[bool, Meta(description="mark citations whose passage has none of the claim's words")] = True
    steps: Annotated[int, Meta(ge=1, le=100, description="/research: most rounds of tool calls")] = 12
    step_seconds: Annotated[float, Meta(gt=0.0, description="/research: seconds in all")] = 300.0
    step_tokens: Annotated[int, Meta(ge=1000, description="/research: tokens of all requests together")] = 200_000


class Persona(Struct, frozen=True, forbid_unknown_fields=True):
    """Who answers. What is not given is taken from the persona that it is based on."""

    based_on: Annotated[str, Meta(description="another persona")] = "default"
    description: Annotated[str, Meta(description="one line, for lists")] = ""
    prompt: Annotated[str, Meta(description="system prompt, after khojd's own rules for citing")] = ""
    style: Annotated[Literal["", "concise", "balanced", "detailed"], Meta(description="how long answers are")] = ""
    citations: Annotated[Literal["", "inline", "footnote", "none"], Meta(description="how sources are shown")] = ""
    focus: Annotated[str, Meta(description="field of knowledge it keeps to")] = ""
    filters: Annotated[str, Meta(description='search filters that always hold, e.g. file:"work/**" -tag:private')] = ""
    model: Annotated[str, Meta(description="provider/model; empty for models.chat")] = ""
    tools: Annotated[tuple[str, ...] | None, Meta(description="tools it may call in every turn, not only in /research")] = None
    max_tokens: Annotated[int, Meta(ge=0, description="of an answer; 0 for no limit of its own")] = 0
    greeting: Annotated[str, Meta(description="shown when a conversation begins")] = ""


class Daemon(Struct, frozen=True, forbid_unknown_fields=True):
    """The process that serves editors."""

    idle_minutes: Annotated[float, Meta(ge=0.05, description="leave after this long without a client or work")] = 20.0
    max_message_bytes: Annotated[int, Meta(ge=65_536, description="largest message taken from a client")] = 32_000_000
    log_level: Annotated[Literal["debug", "info", "warning", "error"], Meta(description="debug may hold note text")] = "info"


class Config(Struct, frozen=True, forbid_unknown_fields=True):
    """The whole of config.toml."""

    folders: Annotated[tuple[Folder, ...], Meta(description="the folders of notes; one such table for each")] = ()
    content: Content = field(default_factory=Content)
    index: Index = field(default_factory=Index)
    embedding: Embedding = field(default_factory=Embedding)
    search: Search = field(default_factory=Search)
    features: Features = field(default_factory=Features)
    notes: NewNotes = field(default_factory=NewNotes)
    providers: Annotated[
        dict[str, Provider], Meta(description="model servers, by a name of your own; one such table for each", examples=["ollama"])
    ] = field(default_factory=dict)
    models: Models = field(default_factory=Models)
    chat: Chat = field(default_factory=Chat)
    personas: Annotated[
        dict[str, Persona], Meta(description="personas of your own, or changes to the four built-in ones", examples=["mine"])
    ] = field(default_factory=dict)
    daemon: Daemon = field(default_factory=Daemon)
