// A conversation with khojd as a person has it in front of them, whatever shows it.
import { cancelled, type Channel, cut, reason } from "./channel";
import { begin, type ChatValue, type Conversation, empty, fail, finish, known, receive, renewed, running, stored, type Turn } from "./conversation";
import type { ChatContext, ChatParams } from "./protocol";

/** A place that the next question is about, and what it is called. */
export interface About {
  label: string;
  place: ChatContext;
}

/**
 * What has happened. `whole`: anything may look different now; `value`: the turn that is being answered has gone on by this value;
 * `refused`: khojd has not taken a question, which the person gets back.
 */
export type News = { kind: "whole" } | { kind: "value"; value: ChatValue } | { kind: "refused"; question: string };

/** What is chosen for the next questions. */
export interface Choice {
  /** empty for the conversation's, else the configured one */
  persona: string;
  /** provider/model, or empty for the persona's own */
  model: string;
  /** search filters; null for those that the conversation has */
  filters: string | null;
}

const PACE = 1_000; // milliseconds between two looks at what is answered for another editor
const REST = 1_000; // milliseconds without news of the index before it is looked where what is cited stands by now

/** Asks, stops, asks anew and goes on. One answer runs at a time; what comes of an older one is not shown. */
export class Talk {
  conversation: Conversation = empty();
  choice: Choice;
  /** What the next question is about. */
  about: readonly About[] = [];
  /** The id of the turn that the next question replaces, or empty. */
  replaces = "";
  private run: AbortController | undefined;
  private stopping = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private rest: ReturnType<typeof setTimeout> | undefined;
  private looking: Promise<void> | undefined;
  /** The look that comes after that. */
  private next: Promise<void> | undefined;
  /** Counts what a person has turned to, so that what was asked for before and comes late is not shown. */
  private turned = 0;

  /** `usual` is what is chosen in new conversations. */
  constructor(
    private readonly channel: Channel,
    private readonly news: (news: News) => void,
    private readonly usual: () => Choice = () => ({ persona: "", model: "", filters: null }),
  ) {
    this.choice = usual();
  }

  /** Whether an answer is being written. */
  get busy(): boolean {
    return this.run !== undefined;
  }

  /** Ask. The promise ends with the answer, whatever became of it. Without effect while an answer is being written. */
  async ask(question: string): Promise<void> {
    if (this.busy || question.trim() === "") return;
    const mine = (this.run = new AbortController());
    const params = this.params(question);
    this.turned += 1;
    this.stopping = false;
    this.conversation = begin(this.conversation, question, this.replaces);
    this.about = [];
    this.replaces = "";
    this.news({ kind: "whole" });
    try {
      const result = await this.channel.request("khoj/chat", params, {
        signal: mine.signal,
        partial: (value) => {
          // Without `kind` it is the result, which no server streams of a chat.
          if (this.run === mine && "kind" in value) this.heard(value);
        },
      });
      this.ended(mine, (conversation) => finish(conversation, result));
    } catch (failure) {
      this.ended(mine, (conversation) => failed(conversation, failure), question);
    }
  }

  /** Stop the answer; what there is of it stays. */
  async stop(): Promise<void> {
    const turn = running(this.conversation);
    const { run } = this;
    if (run === undefined || turn === undefined) return;
    this.stopping = true;
    if (turn.id === "") return; // as soon as it has one
    try {
      await this.channel.request("khoj/chat/cancel", { turn: turn.id });
    } catch {
      run.abort(); // then it is cancelled as any request
    }
  }

  /** Ask a question anew. It and what came after it are put aside. */
  async retry(key: number): Promise<void> {
    const turn = this.turn(key);
    if (turn === undefined || this.busy) return;
    this.replaces = turn.id;
    await this.ask(turn.question);
  }

  /** The question of a turn, to be edited; the next one that is asked replaces it and what came after it. */
  edit(key: number): string | undefined {
    const turn = this.turn(key);
    if (turn === undefined || this.busy) return undefined;
    this.replaces = turn.id;
    this.news({ kind: "whole" });
    return turn.question;
  }

  /** Have the next question replace nothing. */
  keep(): void {
    this.replaces = "";
    this.news({ kind: "whole" });
  }

  /** Go on from a turn in a conversation of its own. */
  async fork(key: number): Promise<void> {
    const turn = this.turn(key);
    if (turn === undefined || !known(turn)) return;
    const mine = ++this.turned;
    const made = await this.channel.request("khoj/conversations/fork", { turn: turn.id });
    if (this.turned === mine) await this.open(made.id);
  }

  /** Show a conversation that khojd keeps, if nothing else is turned to meanwhile. An answer that is being written is stopped. */
  async open(id: string): Promise<void> {
    const mine = ++this.turned;
    const found = await this.channel.request("khoj/conversations/get", { conversation: id });
    if (this.turned === mine) this.put(stored(found));
  }

  /**
   * Show what was said elsewhere meanwhile, and where what is cited stands by now. One look at a time: what an older one finds does
   * not come after what a newer one has found.
   */
  refresh(): Promise<void> {
    if (this.looking === undefined) return (this.looking = this.look().finally(() => { this.looking = undefined; }));
    return (this.next ??= this.looking.catch(() => undefined).then(() => {
      this.next = undefined;
      return this.refresh();
    }));
  }

  /** Notes may have changed: show where what is cited stands by now, when the index is at rest. Nobody sees it: not `shown`. */
  indexed(shown: boolean): void {
    clearTimeout(this.rest);
    if (!shown || this.conversation.turns.every((turn) => turn.citations.length === 0)) return;
    this.rest = setTimeout(() => { this.refresh().catch(() => undefined); }, REST); // what is shown stays
  }

  /** Begin a new conversation. An answer that is being written is stopped. */
  begin(): void {
    this.put(empty());
  }

  /** Have the next question be about a place too. */
  attach(about: About): void {
    if (this.about.some((one) => JSON.stringify(one.place) === JSON.stringify(about.place))) return;
    this.about = [...this.about, about];
    this.news({ kind: "whole" });
  }

  /** Have the next question not be about a place. */
  detach(index: number): void {
    this.about = this.about.filter((_, place) => place !== index);
    this.news({ kind: "whole" });
  }

  /** Choose for the next questions. */
  choose(choice: Partial<Choice>): void {
    this.choice = { ...this.choice, ...choice };
    this.news({ kind: "whole" });
  }

  /** Nobody sees it any longer. */
  dispose(): void {
    this.turned += 1;
    clearTimeout(this.timer);
    clearTimeout(this.rest);
    const { run } = this;
    this.run = undefined;
    run?.abort();
  }

  private async look(): Promise<void> {
    const { conversation: shown, turned } = this;
    if (shown.id === "" || this.busy) return;
    const now = stored(await this.channel.request("khoj/conversations/get", { conversation: shown.id }));
    if (this.conversation !== shown || this.turned !== turned) return;
    this.conversation = renewed(shown, now);
    if (this.conversation !== shown) this.news({ kind: "whole" });
    this.follow();
  }

  /** Look again in a while, as long as the last turn is answered for another editor. */
  private follow(): void {
    clearTimeout(this.timer);
    if (this.conversation.turns.at(-1)?.state !== "elsewhere") return;
    this.timer = setTimeout(() => { this.refresh().catch(() => undefined); }, PACE);
  }

  private params(question: string): ChatParams {
    const { persona, model, filters } = this.choice;
    return {
      message: question,
      conversation: this.conversation.id,
      persona,
      model,
      filters,
      context: this.about.map((one) => one.place),
      replaces: this.replaces,
    };
  }

  private turn(key: number): Turn | undefined {
    return this.conversation.turns.find((turn) => turn.key === key);
  }

  private put(conversation: Conversation): void {
    this.dispose();
    this.conversation = conversation;
    this.choice = conversation.id === "" ? this.usual() : { persona: "", model: this.choice.model, filters: null };
    this.about = [];
    this.replaces = "";
    this.news({ kind: "whole" });
    this.follow();
  }

  private heard(value: ChatValue): void {
    this.conversation = receive(this.conversation, value);
    this.news({ kind: "value", value });
    if (value.kind === "started" && this.stopping) void this.stop();
  }

  private ended(mine: AbortController, end: (conversation: Conversation) => Conversation, question?: string): void {
    if (this.run !== mine) return;
    this.run = undefined;
    const refused = question !== undefined && running(this.conversation)?.id === "" && !this.stopping;
    this.conversation = end(this.conversation);
    this.news({ kind: "whole" });
    if (refused) this.news({ kind: "refused", question });
  }
}

function failed(conversation: Conversation, failure: unknown): Conversation {
  return fail(conversation, cancelled(failure) ? "" : reason(failure), cut(failure) ? "cut-off" : cancelled(failure) ? "cancelled" : "failed");
}
