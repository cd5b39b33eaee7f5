// The types of the khoj/* messages. Made from the daemon's own by scripts/editor_types.py: do not edit.

export const OLDEST_PROTOCOL = 1;
export const PROTOCOL = 1;

/** A code action as textDocument/codeAction gives it to a client that knows commands only. */
export interface ActionParams {
  what: "contents" | "create" | "extract" | "replace";
  uri: string;
  /** of the text that it was made for */
  stamp: string;
  title: string;
  start?: number;
  end?: number;
  text?: string;
  /** report progress under this token; cancels the request too */
  workDoneToken?: number | string | null;
}

export interface AddParams {
  /** path or file: URI of a folder of notes */
  path: string;
  include?: string[];
  exclude?: string[];
  gitignore?: boolean;
  hidden?: boolean;
  /** also write it into config.toml; else it lasts as long as the daemon */
  persist?: boolean;
  /** report progress under this token; cancels the request too */
  workDoneToken?: number | string | null;
}

/** Give a place a name that links can use. */
export interface AnchorParams {
  uri: string;
  /** of the heading, or of the block's first line */
  line: number;
  /** an Org ID property, or a Markdown block id */
  kind: "block" | "id";
  id: string;
  /** report progress under this token; cancels the request too */
  workDoneToken?: number | string | null;
}

/** A proposal of a turn. The person is asked before anything changes, unless the client has done so. */
export interface ApplyParams {
  /** id of the turn, or its beginning */
  turn: string;
  /** id of the proposal */
  proposal: string;
  /** the client has shown the change to the person, who said yes */
  confirmed?: boolean;
  /** say what the change is in the note as it is now, and have nothing changed */
  editOnly?: boolean;
  /** report progress under this token; cancels the request too */
  workDoneToken?: number | string | null;
}

/** What became of it. */
export interface ApplyResult {
  applied: boolean;
  uri: string;
  /** why it is not applied, or empty */
  reason: string;
  change: Change;
  /** the change as a WorkspaceEdit; null for a client that it does not suit */
  edit: Record<string, unknown> | null;
}

/** A change in the note as it is now. Offsets count code points. */
export interface Change {
  path: string;
  /** a new note */
  create: boolean;
  start: number;
  end: number;
  /** what stands there */
  before: string;
  /** what is to stand there */
  after: string;
  /** of the whole text that the offsets are of; empty for a new note */
  textHash: string;
  why: string;
  /** which question, and which model, it comes from */
  origin: string;
}

/** Either `token` or `turn`. */
export interface ChatCancelParams {
  /** the partialResultToken or workDoneToken of a khoj/chat of this client */
  token?: number | string | null;
  /** id of a turn, of any client */
  turn?: string;
  /** report progress under this token; cancels the request too */
  workDoneToken?: number | string | null;
}

export interface ChatCancelResult {
  /** false when no such turn runs */
  cancelled: boolean;
}

/** Comes right behind the text that ends with its marker. */
export interface ChatCitation {
  kind: "citation";
  citation: Citation;
}

/** A place that the question is about. */
export interface ChatContext {
  textDocument: TextDocument;
  /** a selection; without it the whole note */
  range?: Range | null;
}

export interface ChatParams {
  /** the question, with slash command, @note and [[link]] mentions as written */
  message: string;
  /** id; empty begins a new one */
  conversation?: string;
  /** empty for the conversation's, else the configured one */
  persona?: string;
  /** provider/model; empty for the persona's, else the configured one */
  model?: string;
  /** search filters; null for the conversation's own */
  filters?: string | null;
  /** paths or file: URIs; only notes in these */
  folders?: string[];
  context?: ChatContext[];
  /** paths, file: or data: URIs of PNG, JPEG, GIF or WebP pictures */
  images?: string[];
  /** id of a turn that is asked anew; it and those after it are put aside */
  replaces?: string;
  /** only say what would be sent to the model; nothing is sent or kept */
  dryRun?: boolean;
  /** stream the answer under this token */
  partialResultToken?: number | string | null;
  /** report progress under this token; cancels the request too */
  workDoneToken?: number | string | null;
}

export interface ChatProposal {
  kind: "proposal";
  proposal: Proposal;
}

export interface ChatReferences {
  kind: "references";
  references: Reference[];
}

export interface ChatResult {
  /** id; empty for a dry run */
  conversation: string;
  /** of the conversation */
  title: string;
  /** id */
  turn: string;
  state: "cancelled" | "complete" | "dry-run" | "failed";
  /** why it was cancelled or failed */
  reason: string;
  /** the answer; empty when it was streamed */
  text: string;
  /** no model answered: the best passages, quoted */
  extractive: boolean;
  persona: string;
  provider: string;
  model: string;
  citations: Citation[];
  /** markers that were taken out because their number was never given */
  removed: number;
  references: Reference[];
  /** empty when they were streamed */
  steps: Step[];
  proposals: Proposal[];
  usage: ChatUsage;
  /** of a dry run: the messages of the first request for the answer */
  prompt?: PromptMessage[];
  /** of a dry run: all requests, in their order */
  requests?: PromptRequest[];
}

export interface ChatShowParams {
  /** the question, as in khoj/chat */
  message: string;
  context?: ChatContext[];
  /** report progress under this token; cancels the request too */
  workDoneToken?: number | string | null;
}

export interface ChatShowResult {
  /** the answer is shown when it is there */
  started: boolean;
}

export interface ChatStarted {
  kind: "started";
  conversation: string;
  turn: string;
  /** of the conversation, so far */
  title: string;
}

export interface ChatStep {
  kind: "step";
  step: Step;
}

export interface ChatText {
  kind: "text";
  /** the next part of the answer, markers included */
  text: string;
}

export interface ChatThinking {
  kind: "thinking";
  /** the next part */
  text: string;
}

/** Tokens as the servers counted them, -1 where none did; seconds from the question on.

    Counted are all requests of a turn: for the answer (`main…`, one for each round of tools), for search queries, for parts of a
    long summary. A title and a summary of earlier turns are asked for after the reply: `khoj/conversations/get` has them counted. */
export interface ChatUsage {
  /** of all requests */
  promptTokens: number;
  /** of all requests */
  answerTokens: number;
  requests: number;
  /** of the requests for the answer */
  mainPromptTokens: number;
  /** of the requests for the answer */
  mainAnswerTokens: number;
  mainRequests: number;
  /** of all requests, by the configured prices */
  cost: number;
  /** until the first request for the answer left */
  retrievalSeconds: number;
  firstTokenSeconds: number;
  totalSeconds: number;
  /** of the answer, from its first token on */
  tokensPerSecond: number;
}

/** A marker in the answer and the text that it stands for. */
export interface Citation {
  /** as in the marker: [1], or [^1] in the style footnote */
  number: number;
  /** of the marker in the answer's text, in units of the negotiated encoding */
  at: number;
  /** of the quote in the note as it is now */
  location: Location;
  /** of the note that has it now */
  path: string;
  /** of the note */
  title: string;
  headings: string[];
  /** the note's text, exactly */
  quote: string;
  /** of the quote */
  hash: string;
  /** the passage has none, or too few, of the claim's words */
  weak: boolean;
  /** moved: elsewhere, maybe in another note; stale: gone, the location is where it was */
  state: "fresh" | "moved" | "stale";
}

/** `initializationOptions.khoj`. */
export interface ClientHello {
  /** the highest version the client speaks */
  protocol: number;
  /** name and version for people, e.g. khojd.el 0.1 */
  client?: string;
  /** paths or file: URIs of notes; asked for before they are indexed */
  folders?: string[];
  /** switches features of LSP on and off by the names of [features] in config.toml */
  features?: Record<string, unknown>;
}

export interface ClientStatus {
  name: string;
  since: number;
  /** running now */
  requests: number;
}

export interface ConfigResult {
  file: string;
  exists: boolean;
  /** directory of the index */
  index: string;
  /** what is in force, keys as in config.toml; secrets are left out */
  config: Record<string, unknown>;
}

export interface ContentsParams {
  textDocument: TextDocument;
  /** report progress under this token; cancels the request too */
  workDoneToken?: number | string | null;
}

export interface Conversation {
  id: string;
  title: string;
  /** by a person or a model, not from the first question */
  titled: boolean;
  created: number;
  updated: number;
  turns: number;
  persona: string;
  /** search filters that hold in it */
  filters: string;
  /** id of the turn that it was forked at, or empty */
  forkedFrom: string;
}

export interface ConversationParams {
  /** id, or its beginning */
  conversation: string;
  /** also the turns that were put aside when a question was asked anew */
  aside?: boolean;
  /** also all passages that the model was given */
  passages?: boolean;
  /** report progress under this token; cancels the request too */
  workDoneToken?: number | string | null;
}

export interface ConversationResult {
  conversation: Conversation;
  /** oldest first */
  turns: ConversationTurn[];
  /** that were put aside; empty unless asked for */
  aside: ConversationTurn[];
}

/** A question and what came of it; citations and references are where they are found now. */
export interface ConversationTurn {
  id: string;
  question: string;
  command: "" | "general" | "help" | "notes" | "research" | "search" | "summarize";
  answer: string;
  thinking: string;
  state: "cancelled" | "complete" | "failed" | "running";
  /** why it was cancelled or failed */
  reason: string;
  /** no model answered: the best passages, quoted */
  extractive: boolean;
  persona: string;
  provider: string;
  model: string;
  queries: string[];
  citations: Citation[];
  /** markers that were taken out because their number was never given */
  removed: number;
  /** the passages that the answer cites, or all when asked for */
  references: Reference[];
  steps: Step[];
  proposals: Proposal[];
  usage: ChatUsage;
  created: number;
  /** 0 while it runs */
  finished: number;
}

export interface ConversationsParams {
  /** words that must all be in the title, the questions or the answers; empty for all */
  query?: string;
  /** 0 for all */
  limit?: number;
  offset?: number;
  /** report progress under this token; cancels the request too */
  workDoneToken?: number | string | null;
}

export interface ConversationsResult {
  /** last changed first */
  conversations: Conversation[];
  /** why conversations are not kept, or where damaged ones are; or empty */
  problem: string;
}

export interface DaemonStatus {
  pid: number;
  version: string;
  protocol: [number, number];
  started: number;
  address: string;
  index: string;
  config: string;
  log: string;
  /** resident */
  memoryBytes: number;
  /** has work to do */
  busy: boolean;
  /** it leaves after this long without client and work */
  idleMinutes: number;
  clients: ClientStatus[];
}

export interface DeleteConversationParams {
  /** id, or its beginning */
  conversation: string;
  /** report progress under this token; cancels the request too */
  workDoneToken?: number | string | null;
}

/** What is gone now, also from the disk. */
export interface DeletedConversation {
  conversation: Conversation;
}

/** What became of a change that was proposed to the client (workspace/applyEdit). */
export interface EditResult {
  applied: boolean;
  /** of the note to show, empty for none */
  uri?: string;
  /** why not */
  reason?: string;
}

/** Rank (from 1) and score per ranker; null where the ranker did not return the entry. */
export interface Explanation {
  lexicalRank: number | null;
  /** BM25 */
  lexicalScore: number | null;
  semanticRank: number | null;
  /** cosine */
  semanticScore: number | null;
  /** share of the cosine in the fusion */
  semanticWeight: number | null;
  /** share of the query's words that the entry has; rare ones count more */
  coverage: number | null;
  fusedScore: number | null;
  rerankScore: number | null;
}

export interface ExportConversationParams {
  /** id, or its beginning */
  conversation: string;
  format?: "markdown" | "org";
  /** report progress under this token; cancels the request too */
  workDoneToken?: number | string | null;
}

export interface ExportedConversation {
  /** the note, with links to what is cited where it is now */
  text: string;
  format: "markdown" | "org";
  title: string;
  /** a name for its file */
  name: string;
}

export interface FileStatus {
  uri: string;
  path: string;
  state: "failed" | "indexed" | "pending" | "skipped";
  reason: string;
  /** when it got this state */
  since: number;
  /** file time */
  modified: number;
  entries: number;
  /** not yet embedded */
  entriesPending: number;
  format: string;
  language: string;
  encoding: string;
  unsaved: boolean;
  notes: string[];
}

export interface FilesParams {
  /** empty for all */
  states?: ("failed" | "indexed" | "pending" | "skipped")[];
  /** only files whose path starts so */
  prefix?: string;
  /** 0 for all */
  limit?: number;
  offset?: number;
  /** report progress under this token; cancels the request too */
  workDoneToken?: number | string | null;
}

export interface FilesResult {
  files: FileStatus[];
}

export interface FolderStatus {
  path: string;
  files: number;
  watching: "events" | "off" | "polling";
  /** why it is not being read, or empty */
  problem: string;
}

/** The folders that are indexed from now on. */
export interface FoldersResult {
  folders: string[];
}

/** Either the id of a turn, also of one that was put aside, or a conversation, to fork it at its last turn. */
export interface ForkConversationParams {
  /** id, or its beginning */
  turn?: string;
  /** id, or its beginning */
  conversation?: string;
  /** report progress under this token; cancels the request too */
  workDoneToken?: number | string | null;
}

/** A server on this machine that is not configured; it gets nothing before it is. */
export interface FoundServer {
  /** e.g. Ollama 0.20.1 */
  title: string;
  baseUrl: string;
  models: string[];
  /** what to put into config.toml in order to use it */
  lines: string;
}

export interface GrepMatch {
  location: Location;
  path: string;
  line: string;
  before: string[];
  after: string[];
}

export interface GrepParams {
  /** a regular expression */
  pattern: string;
  /** only files that match one of these */
  globs?: string[];
  ignoreCase?: boolean;
  /** lines before and after */
  context?: number;
  limit?: number;
  folders?: string[];
  /** report progress under this token; cancels the request too */
  workDoneToken?: number | string | null;
}

export interface GrepResult {
  matches: GrepMatch[];
  /** files searched */
  files: number;
  /** there are more matches than the limit */
  truncated: boolean;
  notes: string[];
}

export interface Hit {
  /** the best passage */
  location: Location;
  /** the whole entry */
  entry: Range;
  path: string;
  format: string;
  /** the file's explicit title */
  title: string;
  /** from the top, the passage's own last */
  headings: string[];
  snippet: string;
  /** half-open ranges of snippet, in the negotiated encoding */
  highlights: [number, number][];
  score: number;
  todo: string;
  priority: string;
  tags: string[];
  /** ISO day, or empty */
  date: string;
  /** file time */
  modified: number;
  /** found in an editor's buffer */
  unsaved: boolean;
  explanation: Explanation | null;
}

/** The result of khoj/index/status and the params of khoj/statusChanged. */
export interface IndexStatus {
  /** files by state */
  indexed: number;
  pending: number;
  skipped: number;
  failed: number;
  entries: number;
  /** entries not yet found by words */
  wordsPending: number;
  /** entries not yet found by meaning */
  vectorsPending: number;
  /** files waiting to be read */
  queue: number;
  paused: boolean;
  running: Progress | null;
  /** of the last run */
  filesPerSecond: number;
  /** embedded, of the last run */
  entriesPerSecond: number;
  /** serving queries; empty when meaning is off */
  model: string;
  /** being filled, when it is another one */
  modelTarget: string;
  modelProblem: string;
  /** texts for which the model was run since the start */
  embedded: number;
  /** of the query cache */
  cacheHits: number;
  cacheMisses: number;
  catalogBytes: number;
  wordsBytes: number;
  vectorsBytes: number;
  /** unsaved buffers that stand in for files */
  buffers: number;
  folders: FolderStatus[];
  problems: string[];
}

/** Either `target` with or without `heading`, or a `query`, whose best hit is linked to. */
export interface InsertLinkParams {
  textDocument: TextDocument;
  position: Position;
  /** path or file: URI of a note */
  target?: string;
  /** of the target */
  heading?: string;
  /** as for khoj/search */
  query?: string;
  /** what the link shows; empty for the name */
  text?: string;
  /** report progress under this token; cancels the request too */
  workDoneToken?: number | string | null;
}

export interface Location {
  uri: string;
  range: Range;
}

export interface ModelStatus {
  /** provider/model, as it is configured and asked for */
  name: string;
  /** empty: unknown */
  capabilities: ("chat" | "citations" | "count" | "embedding" | "json-schema" | "rerank" | "streaming" | "thinking" | "tools" | "vision")[];
  /** tokens of prompt and answer together; 0: unknown */
  context: number;
  /** tokens; 0: unknown */
  maxOutput: number;
  /** of an embedding model; 0: unknown */
  dimensions: number;
  /** size, quantisation; for people */
  detail: string;
  /** per million tokens, as configured; 0: not given */
  pricePrompt: number;
  priceAnswer: number;
  /** what it is configured for */
  jobs: ("chat" | "embedding" | "rerank" | "small" | "vision")[];
  /** why it cannot do its jobs */
  problem: string;
}

export interface ModelsHealthParams {
  /** its name; empty for all */
  provider?: string;
  /** report progress under this token; cancels the request too */
  workDoneToken?: number | string | null;
}

export interface ModelsHealthResult {
  providers: ProviderHealth[];
}

export interface ModelsParams {
  /** also look for servers on this machine, on their usual ports */
  discover?: boolean;
  /** report progress under this token; cancels the request too */
  workDoneToken?: number | string | null;
}

export interface ModelsResult {
  providers: ProviderStatus[];
  /** the models of each job, first choice first */
  jobs: Record<string, string[]>;
  /** with `discover` only */
  found?: FoundServer[];
}

export interface NewNoteParams {
  title: string;
  /** empty for notes.template */
  template?: string;
  /** path or file: URI, or below the first folder of notes; empty for where the template says */
  folder?: string;
  /** report progress under this token; cancels the request too */
  workDoneToken?: number | string | null;
}

/** A request that takes nothing. */
export interface NoParams {
  /** report progress under this token; cancels the request too */
  workDoneToken?: number | string | null;
}

/** Who answers, with all that it takes from those it is based on. */
export interface Persona {
  name: string;
  description: string;
  builtIn: boolean;
  /** another persona; empty for a built-in one */
  basedOn: string;
  /** its own part of the system prompt */
  prompt: string;
  style: "balanced" | "concise" | "detailed";
  /** how sources are shown */
  citations: "footnote" | "inline" | "none";
  focus: string;
  /** search filters that always hold */
  filters: string;
  /** provider/model; empty for models.chat */
  model: string;
  /** that it may call in every turn */
  tools: string[];
  /** of an answer; 0 for no limit of its own */
  maxTokens: number;
  greeting: string;
}

export interface PersonaParams {
  /** empty for the configured one */
  name?: string;
  /** report progress under this token; cancels the request too */
  workDoneToken?: number | string | null;
}

export interface PersonasResult {
  personas: Persona[];
  /** the one that answers when none is named */
  default: string;
}

export interface Position {
  line: number;
  character: number;
}

/** Why a configuration is refused. `key`, `allowed` and `closest` are empty where unknown. */
export interface Problem {
  message: string;
  key: string;
  allowed: string;
  closest: string;
}

export interface Progress {
  what: "embedding" | "reading" | "scanning";
  done: number;
  total: number;
  left: number;
}

/** A message as a model would get it. */
export interface PromptMessage {
  role: "assistant" | "system" | "tool" | "user";
  text: string;
  /** how many */
  images: number;
  /** passages that go apart from the text to some providers */
  sources: string[];
}

/** A request that a question would make. */
export interface PromptRequest {
  /** what for; empty for the answer */
  what: string;
  /** empty where no model is configured or known */
  provider: string;
  model: string;
  /** its server is on this machine */
  local: boolean;
  messages: PromptMessage[];
  tools: PromptTool[];
  /** what cannot be known before; empty for nothing */
  open: string;
}

/** A tool that the model is offered. */
export interface PromptTool {
  name: string;
  description: string;
  /** JSON Schema of its arguments */
  parameters: Record<string, unknown>;
}

/** A change to a note that a person may confirm; khojd changes nothing by itself. */
export interface Proposal {
  id: string;
  /** of the text that is to be changed */
  location: Location;
  path: string;
  before: string;
  after: string;
  /** of the whole text that it was made for; empty for a note that is to be made */
  textHash: string;
  why: string;
  /** the change as a WorkspaceEdit, null for a client or a text that it does not suit */
  edit: Record<string, unknown> | null;
}

export interface ProviderHealth {
  name: string;
  ok: boolean;
  /** what is wrong and what to do, or the server's name and version */
  message: string;
  latencyMs: number;
}

export interface ProviderStatus {
  name: string;
  /** ollama, openai (and all compatible), anthropic, google */
  kind: string;
  /** of an OpenAI-compatible server, or empty */
  preset: string;
  baseUrl: string;
  /** on this machine (loopback) */
  local: boolean;
  /** those with jobs first */
  models: ModelStatus[];
  /** why its models are not known */
  problem: string;
}

export interface PullParams {
  /** provider/model */
  model: string;
  /** report progress under this token; cancels the request too */
  workDoneToken?: number | string | null;
}

export interface PullResult {
  model: string;
  /** the server's last word */
  status: string;
}

export interface Range {
  start: Position;
  end: Position;
}

/** A passage that the model was given and the answer cites. */
export interface Reference {
  number: number;
  location: Location;
  path: string;
  title: string;
  headings: string[];
  /** ISO day, or empty */
  date: string;
  /** how it came to be given */
  origin: "mention" | "note" | "scope" | "search" | "selection" | "tool";
  text: string;
}

export interface RemoveParams {
  path: string;
  /** also take it out of config.toml */
  persist?: boolean;
  /** report progress under this token; cancels the request too */
  workDoneToken?: number | string | null;
}

export interface RenameConversationParams {
  /** id, or its beginning */
  conversation: string;
  /** empty for one made from the first question */
  title: string;
  /** report progress under this token; cancels the request too */
  workDoneToken?: number | string | null;
}

export interface RetireParams {
  /** also when other clients are attached or an answer is being written */
  force?: boolean;
  /** report progress under this token; cancels the request too */
  workDoneToken?: number | string | null;
}

export interface RetireResult {
  retiring: boolean;
  /** why not */
  reason?: string;
}

export interface SearchParams {
  /** free text and filters */
  query: string;
  /** hits wanted; default: the profile's */
  limit?: number | null;
  mode?: "hybrid" | "lexical" | "semantic";
  /** empty for the configured one */
  profile?: string;
  /** default: as configured */
  rerank?: boolean | null;
  explain?: boolean;
  /** paths or file: URIs; only files in these */
  folders?: string[];
  /** several hits of one entry */
  allPassages?: boolean;
  /** stream each phase's list under this token */
  partialResultToken?: number | string | null;
  /** report progress under this token; cancels the request too */
  workDoneToken?: number | string | null;
}

/** Also the value of each partial result; each phase replaces the list before it. */
export interface SearchResult {
  phase: "fused" | "reranked" | "words";
  /** best first; empty in the final reply when they were streamed */
  hits: Hit[];
  /** hits found, also when they were streamed */
  count: number;
  tookMs: number;
  /** what a person should know about this answer */
  notes: string[];
}

/** `experimental.khoj` in the reply's capabilities. */
export interface ServerHello {
  /** the lowest and highest version the daemon speaks */
  protocol: [number, number];
  /** of khojd */
  version: string;
  /** the khoj/* requests it answers */
  methods: string[];
}

/** Either `text`, or a file (`textDocument` or `path`) with a `position` or `range`. */
export interface SimilarParams {
  text?: string;
  textDocument?: TextDocument | null;
  path?: string;
  position?: Position | null;
  range?: Range | null;
  limit?: number;
  folders?: string[];
  /** report progress under this token; cancels the request too */
  workDoneToken?: number | string | null;
}

/** Something that was done for the answer. */
export interface Step {
  kind: "edit" | "model" | "notice" | "queries" | "result" | "search" | "tool";
  /** one line for people */
  text: string;
  tool: string;
  /** a tool's arguments, the queries, the provider and model */
  data: Record<string, unknown>;
}

export interface TextDocument {
  uri: string;
}

/** The note of a day: shown when it is there, else proposed to be made. */
export interface TodayParams {
  /** ISO day; empty for today */
  date?: string;
  /** empty for notes.daily */
  template?: string;
  /** path or file: URI of the folder of notes; empty for the first one */
  folder?: string;
  /** report progress under this token; cancels the request too */
  workDoneToken?: number | string | null;
}

export interface UpdateParams {
  /** paths or file: URIs to look at again; empty for everything */
  paths?: string[];
  /** answer when all is found by meaning too; else when it is found by words */
  embed?: boolean;
  /** report progress under this token; cancels the request too */
  workDoneToken?: number | string | null;
}

/** What the run did, in files. */
export interface UpdateResult {
  added: number;
  changed: number;
  renamed: number;
  removed: number;
  unchanged: number;
  skipped: number;
  failed: number;
  tookMs: number;
  cancelled: boolean;
}

export interface ValidateParams {
  /** the text of a config.toml */
  text: string;
  /** report progress under this token; cancels the request too */
  workDoneToken?: number | string | null;
}

export interface ValidateResult {
  valid: boolean;
  problems: Problem[];
}

/** Params, result and streamed values of each request. */
export interface Requests {
  "khoj/search": { params: SearchParams; result: SearchResult; partial: never };
  "khoj/similar": { params: SimilarParams; result: SearchResult; partial: never };
  "khoj/grep": { params: GrepParams; result: GrepResult; partial: never };
  "khoj/chat": { params: ChatParams; result: ChatResult; partial: ChatStarted | ChatStep | ChatThinking | ChatText | ChatCitation | ChatProposal | ChatReferences };
  "khoj/chat/cancel": { params: ChatCancelParams; result: ChatCancelResult; partial: never };
  "khoj/chat/show": { params: ChatShowParams; result: ChatShowResult; partial: never };
  "khoj/chat/apply": { params: ApplyParams; result: ApplyResult; partial: never };
  "khoj/conversations/list": { params: ConversationsParams; result: ConversationsResult; partial: never };
  "khoj/conversations/get": { params: ConversationParams; result: ConversationResult; partial: never };
  "khoj/conversations/rename": { params: RenameConversationParams; result: Conversation; partial: never };
  "khoj/conversations/delete": { params: DeleteConversationParams; result: DeletedConversation; partial: never };
  "khoj/conversations/fork": { params: ForkConversationParams; result: Conversation; partial: never };
  "khoj/conversations/export": { params: ExportConversationParams; result: ExportedConversation; partial: never };
  "khoj/personas/list": { params: NoParams; result: PersonasResult; partial: never };
  "khoj/personas/get": { params: PersonaParams; result: Persona; partial: never };
  "khoj/index/status": { params: NoParams; result: IndexStatus; partial: never };
  "khoj/index/files": { params: FilesParams; result: FilesResult; partial: never };
  "khoj/index/update": { params: UpdateParams; result: UpdateResult; partial: never };
  "khoj/index/pause": { params: NoParams; result: IndexStatus; partial: never };
  "khoj/index/resume": { params: NoParams; result: IndexStatus; partial: never };
  "khoj/index/add": { params: AddParams; result: FoldersResult; partial: never };
  "khoj/index/remove": { params: RemoveParams; result: FoldersResult; partial: never };
  "khoj/links/anchor": { params: AnchorParams; result: EditResult; partial: never };
  "khoj/links/insert": { params: InsertLinkParams; result: EditResult; partial: never };
  "khoj/contents/update": { params: ContentsParams; result: EditResult; partial: never };
  "khoj/actions/apply": { params: ActionParams; result: EditResult; partial: never };
  "khoj/notes/today": { params: TodayParams; result: EditResult; partial: never };
  "khoj/notes/new": { params: NewNoteParams; result: EditResult; partial: never };
  "khoj/models/list": { params: ModelsParams; result: ModelsResult; partial: never };
  "khoj/models/health": { params: ModelsHealthParams; result: ModelsHealthResult; partial: never };
  "khoj/models/pull": { params: PullParams; result: PullResult; partial: never };
  "khoj/config/get": { params: NoParams; result: ConfigResult; partial: never };
  "khoj/config/validate": { params: ValidateParams; result: ValidateResult; partial: never };
  "khoj/daemon/status": { params: NoParams; result: DaemonStatus; partial: never };
  "khoj/daemon/retire": { params: RetireParams; result: RetireResult; partial: never };
}

export interface Notifications {
  "khoj/statusChanged": IndexStatus;
}
