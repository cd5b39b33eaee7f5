// What the extension and the chat view say to each other. Types only: both sides have them.
import type { Choices } from "khojd-common/choices";
import type { ChatValue, Conversation } from "khojd-common/conversation";
import type { FilterCompletions } from "khojd-common/filters";
import type { Choice } from "khojd-common/talk";

/** All that the view shows of a conversation. */
export interface Shown {
  conversation: Conversation;
  busy: boolean;
  choice: Choice;
  /** labels of what the next question is about */
  about: string[];
  /** id of the turn that the next question replaces, or empty */
  replaces: string;
}

/** A conversation in the list of all. */
export interface Listed {
  id: string;
  title: string;
  turns: number;
  /** seconds since 1970 */
  updated: number;
}

export type ToView =
  | { type: "shown"; shown: Shown }
  /** the answer that is being written goes on */
  | { type: "value"; value: ChatValue }
  /** a question to be edited */
  | { type: "input"; text: string }
  | { type: "choices"; choices: Choices }
  /** what of the editor can be attached, or empty */
  | { type: "offer"; label: string }
  | { type: "completions"; id: number; found: FilterCompletions }
  | { type: "history"; conversations: Listed[]; problem: string }
  /** why khojd cannot be asked, or empty */
  | { type: "problem"; problem: string }
  | { type: "focus"; history: boolean };

export type ToHost =
  | { type: "ready" }
  | { type: "ask"; question: string }
  | { type: "stop" }
  | { type: "retry"; key: number }
  | { type: "edit"; key: number }
  | { type: "fork"; key: number }
  /** replace nothing after all */
  | { type: "keep" }
  | { type: "copy"; text: string }
  /** a citation of a turn, by its index */
  | { type: "cite"; key: number; index: number }
  /** a source of a turn, by its number */
  | { type: "source"; key: number; number: number }
  /** http, https or mailto */
  | { type: "link"; href: string }
  /** a note, as an answer names it */
  | { type: "note"; target: string }
  | { type: "proposal"; key: number; id: string }
  | { type: "choose"; choice: Partial<Choice> }
  | { type: "attach" }
  | { type: "detach"; index: number }
  | { type: "complete"; id: number; text: string; cursor: number; what: "question" | "filters" }
  | { type: "history"; query: string }
  | { type: "open"; id: string }
  | { type: "rename"; id: string }
  | { type: "delete"; id: string }
  | { type: "export"; id: string }
  | { type: "choices" }
  | { type: "reconnect" };
